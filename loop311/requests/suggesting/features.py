"""What a text is made of, as numbers: its words, pairs of words and pieces of words, each hashed into one of many buckets. Pure.

The same for learning and for serving. Numbers and addresses of mail are left out: they name people and places, never a service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from loop311.catalog.finding import fold

SCHEME = 1
"""Rises when any of this changes: a model of another scheme is of no use."""

BUCKETS = 1 << 16
MOST_LETTERS = 1_000
MOST_WORDS = 60
_SHORTEST, _LONGEST = 3, 5
"""Of the pieces of a word."""

_LEFT_OUT = re.compile(r"\S*[@\d]\S*|https?:\S+|www\.\S+")
_WORD = re.compile(r"[^\W\d_]+")


def words_of(text: str) -> list[str]:
    """Folded words without digits, the first sixty."""
    folded = fold(text[:MOST_LETTERS]).replace("'", "").replace("\u2019", "")
    return _WORD.findall(_LEFT_OUT.sub(" ", folded))[:MOST_WORDS]


def features(text: str) -> NDArray[np.int32]:
    """The buckets the text falls into, rising, each once; none for a text without words."""
    words = words_of(text)
    pieces = {*words, *(f"{first} {second}" for first, second in pairwise(words))}
    for word in set(words):
        pieces.update(_pieces(word))
    buckets = {crc32(piece.encode()) % BUCKETS for piece in pieces}
    return np.array(sorted(buckets), dtype=np.int32)


def _pieces(word: str) -> Iterator[str]:
    """'pot' -> '<po', 'pot', 'ot>', '<pot', 'pot>', '<pot>'."""
    marked = f"<{word[:40]}>"
    for length in range(_SHORTEST, _LONGEST + 1):
        for start in range(len(marked) - length + 1):
            yield marked[start : start + length]
