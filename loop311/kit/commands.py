"""What every room's commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
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
