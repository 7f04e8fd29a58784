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

from loop311.kit.problems import FieldProblem, Invalid

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

    def rows(self) -> Iterator[list[str]]:
        """Every record but the header and blank lines. Raises Invalid where the file stops being CSV."""
        with self.path.open("r", encoding=self.encoding, newline="") as file:
            lines = (line.replace("\0", "") for line in file) if self.has_nul else file
            reader = csv.reader(lines, delimiter=self.delimiter)
            next(reader, None)
            try:
                yield from filter(None, reader)
            except csv.Error as error:
                raise _invalid(f"The file is not CSV near line {reader.line_num}: {error}.") from error


@contextmanager
def opened(path: Path, *, encoding: str, delimiter: str) -> Iterator[Source]:
    """The file, unpacked when it is gzip (by its content, not its name). The copy is removed at the end.

    Raises Invalid when it cannot be read to its end, when a given encoding does not hold, and for an empty file.
    """
    with tempfile.NamedTemporaryFile(prefix="loop311-import-") as plain:
        digest, has_nul, is_utf8 = _unpack(path, plain)
        plain.flush()
        copy = Path(plain.name)
        found = encoding or ("utf-8-sig" if is_utf8 else "cp1252")
        _check_encoding(copy, found)
        header = _header(copy, found, delimiter)
        yield Source(copy, _decoder(found), delimiter, has_nul, digest, header)


def _decoder(encoding: str) -> str:
    """UTF-8 is read with its byte order mark, if any; the five bytes that Windows-1252 does not know as Latin-1 reads them."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _unpack(path: Path, plain: IO[bytes]) -> tuple[bytes, bool, bool]:
    """Copies the unpacked bytes; returns their SHA-256, whether a NUL is among them, and whether they are UTF-8."""
    digest, has_nul, is_utf8 = hashlib.sha256(), False, True
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in _chunks(path):
        digest.update(chunk)
        plain.write(chunk)
        has_nul = has_nul or b"\0" in chunk
        is_utf8 = is_utf8 and _decodes(decoder, chunk)
    return digest.digest(), has_nul, is_utf8 and _decodes(decoder, b"", final=True)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
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
        raise _invalid(f"{path.name} is damaged or cut short, nothing was imported: {error}.") from error
    except OSError as error:
        raise _invalid(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _check_encoding(path: Path, encoding: str) -> None:
    """Before anything is written: the whole file can be decoded."""
    try:
        with path.open("r", encoding=encoding, newline="") as file:
            while file.read(_CHUNK):
                pass
    except LookupError as error:
        raise _invalid(f"There is no encoding {encoding!r}.") from error
    except UnicodeDecodeError as error:
        where = f"byte {error.start} of a block"
        raise _invalid(f"The file is not {encoding} ({where}); say which it is with --encoding.") from error


def _header(path: Path, encoding: str, delimiter: str) -> tuple[str, ...]:
    with path.open("r", encoding=_decoder(encoding), newline="") as file:
        try:
            first = next(csv.reader((line.replace("\0", "") for line in file), delimiter=delimiter), [])
        except csv.Error as error:
            raise _invalid(f"The file's first line is not CSV: {error}.") from error
    header = tuple(name.strip().lstrip("\ufeff") for name in first)
    if not any(header):
        raise _invalid("The file is empty: it has no header.")
    return header


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, fields=[FieldProblem("file", sentence)])
