"""What every room's commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])

_WITHOUT = "works_without_database"


def without_database(function: F) -> F:
    """Mark a command's function (below @click.command) that must work when no database can be had."""
    setattr(function, _WITHOUT, True)
    return function


def needs_database(function: Callable[..., object]) -> bool:
    return not getattr(function, _WITHOUT, False)


def print_json(report: object) -> None:
    """One JSON document on standard output: what --json promises."""
    click.echo(json.dumps(report, indent=2, ensure_ascii=False, default=str))


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error when that is a terminal; called with the steps done and the steps in all."""
    stream = sys.stderr
    if not stream.isatty():
        yield lambda _steps, _total: None
        return
    with click.progressbar(range(0), length=1, label=label, file=stream) as bar:

        def tick(steps: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(steps)

        yield tick
        bar.update(max((bar.length or 0) - bar.pos, 0))
