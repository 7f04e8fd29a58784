"""What came out, as a table, as plain values, and as JUnit XML for a build server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from loop311.georeport.conform.run import Result, Verdict

_SIGNS = {
    Verdict.PASSED: "ok",
    Verdict.FAILED: "FAILED",
    Verdict.WARNED: "warning",
    Verdict.NOT_RUN: "not run",
    Verdict.NOT_OFFERED: "not offered",
}
_WIDTH = max(map(len, _SIGNS.values()))


def line(result: Result) -> str:
    told = f"  {_SIGNS[result.verdict]:<{_WIDTH}}  {result.check.id}"
    if result.verdict in (Verdict.NOT_RUN, Verdict.NOT_OFFERED):
        return f"{told}: {result.sentence}"
    return f"{told}\n  {'':<{_WIDTH}}    {result.sentence}" if result.sentence else told


def table(results: Sequence[Result]) -> str:
    lines = []
    for group, members in groupby(results, key=lambda result: result.check.group):
        lines += [group, *map(line, members)]
    return "\n".join([*lines, "", summary(results)])


def summary(results: Sequence[Result]) -> str:
    counts = Counter(result.verdict for result in results)
    parts = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    return f"{len(results)} checks: {', '.join(parts)}"


def plain(results: Sequence[Result], url: str) -> dict[str, Any]:
    counts = Counter(result.verdict.value for result in results)
    return {
        "url": url,
        "counts": {verdict.value: counts[verdict.value] for verdict in Verdict},
        "checks": [
            {
                "id": result.check.id,
                "group": result.check.group,
                "level": result.check.level.value,
                "says": result.check.says,
                "verdict": result.verdict.value,
                "sentence": result.sentence,
            }
            for result in results
        ],
    }


def junit(results: Sequence[Result], url: str) -> bytes:
    """A suite for each group; what was not run or is not offered is skipped with its reason; a warning is told and passes."""
    root = Element("testsuites", {"name": f"Open311 GeoReport v2: {url}", **_counted(results)})
    for group in dict.fromkeys(result.check.group for result in results):
        found = [result for result in results if result.check.group == group]
        suite = SubElement(root, "testsuite", {"name": group, **_counted(found)})
        for result in found:
            _case(suite, result)
    indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root) + b"\n"


def _counted(results: Sequence[Result]) -> dict[str, str]:
    skipped = sum(result.verdict in (Verdict.NOT_RUN, Verdict.NOT_OFFERED) for result in results)
    return {
        "tests": str(len(results)),
        "failures": str(sum(result.verdict is Verdict.FAILED for result in results)),
        "errors": "0",
        "skipped": str(skipped),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _case(suite: Element, result: Result) -> None:
    check = result.check
    case = SubElement(suite, "testcase", classname=check.group, name=check.id, time=f"{result.seconds:.3f}")
    sentence = _printable(result.sentence)
    if result.verdict is Verdict.FAILED:
        SubElement(case, "failure", type=check.level.value, message=sentence).text = check.says
    elif result.verdict in (Verdict.NOT_RUN, Verdict.NOT_OFFERED):
        SubElement(case, "skipped", message=f"{result.verdict.value}: {sentence}")
    elif result.verdict is Verdict.WARNED:
        SubElement(case, "system-out").text = f"warning: {sentence} ({check.says})"


def _printable(sentence: str) -> str:
    """XML holds no control characters, in whatever answer they came."""
    return "".join(each if each.isprintable() else " " for each in sentence)
