"""A learned model: one number for each bucket of features and service, in one file that is read in place.

The file is never written to once it has its name: a new model is another file that takes the name in one step, so a
process that still reads the old one keeps it whole.
"""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from loop311.kit.structs import learn
from loop311.requests.suggesting.features import BUCKETS, SCHEME, features

_MAGIC = b"loop311 suggest\n"
_HEAD = struct.Struct(f"<{len(_MAGIC)}s32sQ")
"""Magic, SHA-256 of everything after the digest, length of the header."""
_LENGTH = struct.Struct("<Q")
_ALIGN = 64

LEAST_SURE = 0.1
"""Less than this is no suggestion."""


class Unusable(Exception):
    """The file is no model for this city; the text says why."""


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose model it is and what it was learned from."""

    scheme: int
    buckets: int
    city: int
    """Id of the jurisdiction."""
    catalogue: int
    """Number of the catalogue version that was in force."""
    catalogue_digest: str
    codes: tuple[str, ...]
    requests: int
    until: str
    """Learned from requests received before this instant."""


@dataclass(frozen=True, slots=True)
class Model:
    header: Header
    matrix: NDArray[np.float16]
    """Buckets by services."""
    bias: NDArray[np.float32]

    def judge(self, text: str) -> list[tuple[str, float]]:
        """(service code, how sure from 0 to 1), surest first, without what is unlikely; nothing for a text without words."""
        buckets = features(text)
        if not len(buckets):
            return []
        margins = self.bias + self.matrix[buckets].sum(axis=0, dtype=np.float32) / np.sqrt(len(buckets))
        sure = 1 / (1 + np.exp(-np.clip(margins, -30, 30)))
        ranked = np.argsort(-sure, kind="stable")[:10].tolist()
        return [(self.header.codes[place], float(sure[place])) for place in ranked if sure[place] >= LEAST_SURE]


def write(path: Path, model: Model) -> int:
    """Put the model in place in one step; the number of bytes."""
    header = msgspec.json.encode(model.header)
    padding = b"\x00" * (-(_HEAD.size + len(header)) % _ALIGN)
    bias, matrix = model.bias.astype("<f4").tobytes(), np.ascontiguousarray(model.matrix, dtype="<f2").tobytes()
    rest = _LENGTH.pack(len(header)) + header + padding + matrix + bias
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with beside.open("wb") as file:
            file.write(_MAGIC + hashlib.sha256(rest).digest() + rest)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
    return _HEAD.size - _LENGTH.size + len(rest)


def read(path: Path) -> Model:
    """The model in the file, its numbers left where they are. Raises Unusable, and OSError where there is no file."""
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise Unusable("it is too short")
        magic, digest, length = _HEAD.unpack(head)
        if magic != _MAGIC:
            raise Unusable("it is no model")
        file.seek(_HEAD.size - _LENGTH.size)
        if hashlib.file_digest(file, "sha256").digest() != digest:
            raise Unusable("its checksum does not fit")
        file.seek(_HEAD.size)
        return _mapped(file, _header(file.read(length)), _HEAD.size + length)


def _header(text: bytes) -> Header:
    try:
        header = msgspec.json.decode(text, type=Header)
    except msgspec.DecodeError as error:
        raise Unusable("its header is of another version") from error
    if (header.scheme, header.buckets) != (SCHEME, BUCKETS):
        raise Unusable("it was made by another version")
    return header


def _mapped(file: BinaryIO, header: Header, after_header: int) -> Model:
    services = len(header.codes)
    matrix_at = after_header + -after_header % _ALIGN
    bias_at = matrix_at + header.buckets * services * 2
    if not services or os.fstat(file.fileno()).st_size != bias_at + services * 4:
        raise Unusable("its size does not fit")
    file.seek(bias_at)
    bias = np.frombuffer(file.read(), dtype="<f4")
    return Model(header, np.memmap(file, "<f2", "r", matrix_at, (header.buckets, services)), bias)


learn(Header)
