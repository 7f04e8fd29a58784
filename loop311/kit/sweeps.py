"""Work that the clock starts: each run is noted, so that a sweep that stopped working is seen. Nobody waits for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Greatest

from loop311.kit.clock import now
from loop311.kit.models import Sweep

P = ParamSpec("P")
R = TypeVar("R")

MISSED = 5
"""So many runs in a row without a success make a sweep late."""

WATCHED: dict[str, timedelta] = {}
"""Every sweep and how often it runs; filled as the rooms' tasks are loaded."""

_left_over: ContextVar[list[int] | None] = ContextVar("left_over", default=None)


def watched(name: str, *, every: timedelta) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates the function of a periodic task, below the task's own decorators."""
    WATCHED[name] = every

    def around(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def noted(*args: P.args, **kwargs: P.kwargs) -> R:
            with _noting(name):
                return function(*args, **kwargs)

        return noted

    return around


def pass_over(rows: int = 1) -> None:
    """Called inside a sweep by whatever logs a row that cannot be taken and goes on with the next."""
    counted = _left_over.get()
    if counted is not None:
        counted.append(rows)


@contextmanager
def _noting(name: str) -> Iterator[None]:
    _note(name, begun_at=now())
    token = _left_over.set([])
    try:
        yield
    except Exception as error:
        _note(name, error=type(error).__name__)
        raise
    else:
        _note(name, succeeded_at=now(), error="", left_over=sum(_left_over.get() or ()))
        _forget_failed_runs(name)
    finally:
        _left_over.reset(token)


def _note(name: str, **fields: object) -> None:
    Sweep.objects.update_or_create(name=name, defaults=fields, create_defaults={"watched_since": now(), **fields})


def _forget_failed_runs(name: str) -> None:
    """What an earlier run could not do this one has done."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = %s AND status = 'failed'", [name])


def watch() -> None:
    """A worker begins. Where no sweep was even begun for long nobody was there: the time without a worker does not count."""
    at = now()
    for name, every in WATCHED.items():
        Sweep.objects.get_or_create(name=name, defaults={"watched_since": at})
        unattended = Q(begun_at=None) | Q(begun_at__lt=at - every * MISSED)
        Sweep.objects.filter(unattended, name=name, watched_since__lt=at - every * MISSED).update(watched_since=at)


@dataclass(frozen=True, slots=True)
class Run:
    """How a sweep stands. `silence`: since it last worked, or should have begun to."""

    name: str
    succeeded_at: datetime | None
    error: str
    left_over: int
    silence: timedelta
    is_late: bool


def standing(at: datetime | None = None) -> list[Run]:
    """Every sweep that was ever watched and still exists, by name; one query."""
    at = at or now()
    rows = Sweep.objects.filter(name__in=WATCHED).annotate(since=Greatest("watched_since", F("succeeded_at")))
    return [_run(row, row.since, at) for row in rows.order_by("name")]


def _run(row: Sweep, since: datetime, at: datetime) -> Run:
    silence = at - since
    is_late = silence > WATCHED[row.name] * MISSED
    return Run(row.name, row.succeeded_at, row.error, row.left_over, silence, is_late)
