"""What a check reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    ERROR = "error"  # it would do wrong to a resident: never published
    WARNING = "warning"  # it works, and is probably not meant


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    path: str
    """Where, by codes: 'services.pothole.routing[2]'. Positions count from 1."""
    sentence: str


def error(path: str, sentence: str) -> Finding:
    return Finding(Level.ERROR, path, sentence)


def warning(path: str, sentence: str) -> Finding:
    return Finding(Level.WARNING, path, sentence)
