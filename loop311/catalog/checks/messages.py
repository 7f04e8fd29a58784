"""Templates say only what can be filled in."""

from __future__ import annotations

from collections.abc import Iterator

from loop311.catalog.checks.finding import Finding, error
from loop311.catalog.definitions import Catalogue, Template
from loop311.catalog.placeholders import EVENTS, unknown_placeholders


def check_messages(catalogue: Catalogue) -> Iterator[Finding]:
    for number, template in enumerate(catalogue.templates, start=1):
        path = f"templates[{number}]"
        if template.event not in EVENTS:
            yield error(f"{path}.event", f"Residents are told of no event {template.event!r}.")
        yield from _placeholders(path, template)


def _placeholders(path: str, template: Template) -> Iterator[Finding]:
    for part in ("subject", "body", "sms"):
        for language, text in getattr(template, part).items():
            for written in dict.fromkeys(unknown_placeholders(text)):
                sentence = f"{written} cannot be filled in; docs/reference/placeholders.md lists what can."
                yield error(f"{path}.{part}.{language}", sentence)
