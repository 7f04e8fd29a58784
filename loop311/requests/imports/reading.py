"""The file itself: unpacked once to a plain temporary copy, its encoding found, its header held against the mapping."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from loop311.kit.problems import Invalid

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Source:
    """A file ready to be read as often as needed."""

    path: Path
    encoding: str
    delimiter: str
    has_nul: bool
    digest: bytes
    """SHA-256 of the unpacked bytes."""
    header: tuple[str, ...]
    lines: int
    """At least as many as rows."""

    def rows(self) -> Iterator[list[str]]:
        """Every record but the header and blank lines. Raises Invalid where the file stops being CSV."""
        with self.path.open("r", encoding=self.encoding, newline="") as file:
            lines = (line.replace("\0", "") for line in file) if self.has_nul else file
            reader = csv.reader(lines, delimiter=self.delimiter)
            next(reader, None)
            try:
                yield from filter(None, reader)
            except csv.Error as error:
                raise Invalid(f"The file is not CSV near line {reader.line_num}: {error}.") from error


@contextmanager
def opened(path: Path, *, encoding: str, delimiter: str) -> Iterator[Source]:
    """The file, unpacked when it is gzip (by its content, not its name). The copy is removed at the end.

    Raises Invalid when it cannot be read to its end, when a given encoding does not hold, and for an empty file.
    """
    with tempfile.NamedTemporaryFile(prefix="loop311-import-") as plain:
        unpacked = _unpack(path, plain)
        plain.flush()
        copy = Path(plain.name)
        found = encoding or ("utf-8-sig" if unpacked.is_utf8 else "cp1252")
        _check_encoding(copy, found)
        header = _header(copy, found, delimiter)
        yield Source(
            copy, _decoder(found), delimiter, unpacked.has_nul, unpacked.digest.digest(), header, unpacked.lines
        )


def _decoder(encoding: str) -> str:
    """UTF-8 is read with its byte order mark, if any; the five bytes that Windows-1252 does not know as Latin-1 reads them."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


class _Unpacked:
    """What is learnt of the bytes while they are copied."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.has_nul = False
        self.is_utf8 = True
        self.lines = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def add(self, chunk: bytes, *, final: bool = False) -> None:
        self.digest.update(chunk)
        self.has_nul = self.has_nul or b"\0" in chunk
        self.lines += chunk.count(b"\n")
        self.is_utf8 = self.is_utf8 and _decodes(self._decoder, chunk, final=final)


def _unpack(path: Path, plain: IO[bytes]) -> _Unpacked:
    """Copies the unpacked bytes."""
    unpacked = _Unpacked()
    for chunk in _chunks(path):
        unpacked.add(chunk)
        plain.write(chunk)
    unpacked.add(b"", final=True)
    return unpacked


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            stream: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=file) if packed else file
            while chunk := stream.read(_CHUNK):
                yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Invalid(f"{path.name} is damaged or cut short, nothing was imported: {error}.") from error
    except OSError as error:
        raise Invalid(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _check_encoding(path: Path, encoding: str) -> None:
    """Before anything is written: the whole file can be decoded."""
    try:
        with path.open("r", encoding=encoding, newline="") as file:
            while file.read(_CHUNK):
                pass
    except LookupError as error:
        raise Invalid(f"There is no encoding {encoding!r}.") from error
    except UnicodeDecodeError as error:
        where = f"byte {error.start} of a block"
        raise Invalid(f"The file is not {encoding} ({where}); say which it is with --encoding.") from error


def _header(path: Path, encoding: str, delimiter: str) -> tuple[str, ...]:
    with path.open("r", encoding=_decoder(encoding), newline="") as file:
        try:
            first = next(csv.reader((line.replace("\0", "") for line in file), delimiter=delimiter), [])
        except csv.Error as error:
            raise Invalid(f"The file's first line is not CSV: {error}.") from error
    header = tuple(name.strip().lstrip("\ufeff") for name in first)
    if not any(header):
        raise Invalid("The file is empty: it has no header.")
    return header
