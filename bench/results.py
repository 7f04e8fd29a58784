"""What was measured, and the one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how hard a run measures."""

    seconds: float
    clients: int
    import_rows: int


@dataclass(frozen=True, slots=True)
class Result:
    """One path at one size. `floor` is pgbench's rate for the same SQL; `bar` is what issue 2 asks of ratio or rate."""

    path: str
    size: int | None
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    bar: str = ""
    kept: bool | None = None
    note: str = ""

    def line(self) -> str:
        """For the person who waits."""
        size = f" at {self.size:,}" if self.size else ""
        ratio = f", ratio {self.ratio:.2f}" if self.ratio is not None else ""
        return f"{self.path}{size}: {self.value:,.3g} {self.unit}{ratio}"


def against_floor(path: str, size: int, rate: float, floor: float, at_least: float | None, note: str = "") -> Result:
    """A rate beside pgbench's."""
    ratio = rate / floor
    bar = f"ratio >= {at_least:.2f}" if at_least is not None else ""
    kept = ratio >= at_least if at_least is not None else None
    return Result(path, size, rate, "/s", floor, ratio, bar, kept, note)


def at_least(path: str, size: int | None, rate: float, bar: float | None, unit: str = "/s", note: str = "") -> Result:
    """A rate beside the rate that is asked for; the ratio is to that."""
    if bar is None:
        return Result(path, size, rate, unit, note=note)
    return Result(path, size, rate, unit, None, rate / bar, f">= {bar:,.0f} {unit}", rate >= bar, note)


_HEADS = ("path", "requests", "measured", "floor", "ratio", "asked", "", "note")


def table(results: Sequence[Result]) -> str:
    """Columns as wide as they must be, numbers to the right."""
    rows = [_HEADS, *(_cells(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    lines = ["  ".join(_aligned(cell, width, column) for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
             for row in rows]  # fmt: skip
    return "\n".join([lines[0].rstrip(), "-" * max(map(len, lines)), *(line.rstrip() for line in lines[1:])])


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if 1 <= column <= 4 else cell.ljust(width)


def _cells(result: Result) -> tuple[str, ...]:
    return (
        result.path,
        f"{result.size:,}" if result.size else "",
        f"{_number(result.value)} {result.unit}",
        f"{_number(result.floor)} {result.unit}" if result.floor is not None else "",
        f"{result.ratio:.2f}" if result.ratio is not None else "",
        result.bar,
        {None: "", True: "kept", False: "MISSED"}[result.kept],
        result.note,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
