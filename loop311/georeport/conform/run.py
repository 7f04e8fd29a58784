"""Run the checks, one after the other, and say how each ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from loop311.georeport.conform import checks as checks
from loop311.georeport.conform.filer import filer
from loop311.georeport.conform.registry import CHECKS, Check, Failed, Level, NotOffered, NotRun
from loop311.georeport.conform.target import Options, Target
from loop311.georeport.conform.wire import Wire


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    """Not as we think right, but the specification does not say so."""
    NOT_RUN = "not run"
    NOT_OFFERED = "not offered"


@dataclass(frozen=True, slots=True)
class Result:
    check: Check
    verdict: Verdict
    sentence: str = ""
    seconds: float = 0.0


class Unreachable(Exception):
    """Nothing answers at that address."""


def chosen(only: Iterable[str]) -> list[Check]:
    """Checks of these ids and groups; all without any. Raises KeyError with the one that does not exist."""
    wanted = list(only)
    for name in wanted:
        if name not in CHECKS and not any(check.group == name for check in CHECKS.values()):
            raise KeyError(name)
    return [check for check in CHECKS.values() if not wanted or check.id in wanted or check.group in wanted]


def run(
    options: Options,
    wire: Wire,
    wanted: Iterable[Check],
    *,
    strict: bool = False,
    each: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """`strict` makes our own rules failures too. Raises Unreachable before the first check."""
    at = Target(options, wire)
    try:
        at.get("services", "xml")
    except Failed as failed:
        raise Unreachable(str(failed)) from failed
    results = []
    for check in wanted:
        began = time.monotonic()
        verdict, sentence = _ended(check, at, strict=strict)
        results.append(Result(check, verdict, sentence, time.monotonic() - began))
        each(results[-1])
    return results


def _ended(check: Check, at: Target, *, strict: bool) -> tuple[Verdict, str]:
    try:
        if check.writes:
            filer(at)
        check.run(at)
    except Failed as failed:
        is_failure = strict or check.level is Level.SPEC
        return (Verdict.FAILED if is_failure else Verdict.WARNED), str(failed)
    except NotRun as reason:
        return Verdict.NOT_RUN, str(reason)
    except NotOffered as reason:
        return Verdict.NOT_OFFERED, str(reason)
    return Verdict.PASSED, ""


def exit_code(results: list[Result]) -> int:
    """0 all well, 1 something failed, 2 nothing could be told."""
    verdicts = {result.verdict for result in results}
    if Verdict.FAILED in verdicts:
        return 1
    return 0 if verdicts & {Verdict.PASSED, Verdict.WARNED} else 2
