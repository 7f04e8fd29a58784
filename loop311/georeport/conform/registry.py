"""What a check is, how it may end, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loop311.georeport.conform.target import Target


class Level(StrEnum):
    SPEC = "spec"
    """GeoReport v2 says so."""
    OURS = "ours"
    """The specification is silent; our rule, or an extension."""


SPEC, OURS = Level.SPEC, Level.OURS


class Failed(Exception):
    """One plain sentence: what was asked, what came, what was expected."""


class NotRun(Exception):
    """The reason why it cannot be known here."""


class NotOffered(Exception):
    """An extension, or a format, that the server does not have."""


@contextmanager
def given(what: str) -> Iterator[None]:
    """What another check is about: when it is broken, that check says so, and this one cannot be run."""
    try:
        yield
    except Failed as failed:
        raise NotRun(f"{what} cannot be had: {failed}") from failed


@dataclass(frozen=True, slots=True)
class Check:
    id: str
    """group.name; stable."""
    level: Level
    says: str
    """What a server should do, in one sentence."""
    run: Callable[[Target], None]
    writes: bool
    """Files test requests, or tries to."""

    @property
    def group(self) -> str:
        return self.id.partition(".")[0]


CHECKS: dict[str, Check] = {}
"""In the order in which they are run."""


def check(
    id_: str, level: Level, says: str, *, writes: bool = False
) -> Callable[[Callable[[Target], None]], Callable[[Target], None]]:
    def register(run: Callable[[Target], None]) -> Callable[[Target], None]:
        if id_ in CHECKS:
            raise ValueError(f"two checks are called {id_}")
        CHECKS[id_] = Check(id_, level, says, run, writes)
        return run

    return register
