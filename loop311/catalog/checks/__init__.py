"""Finding the mistakes of a catalogue before a resident does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loop311.catalog.checks.asking import check_questions
from loop311.catalog.checks.endings import check_endings
from loop311.catalog.checks.finding import Finding, Level
from loop311.catalog.checks.messages import check_messages
from loop311.catalog.checks.owners import check_owners
from loop311.catalog.checks.references import check_references
from loop311.catalog.checks.rules import check_rules
from loop311.catalog.checks.texts import check_texts
from loop311.catalog.checks.time import check_time
from loop311.catalog.checks.unused import check_unused
from loop311.catalog.definitions import Catalogue
from loop311.catalog.index import CatalogueIndex

__all__ = ["Finding", "Level", "check", "errors"]


def check(catalogue: Catalogue) -> list[Finding]:
    """Everything wrong with a catalogue, one kind of mistake after the other; without an error it may be published."""
    return list(_findings(catalogue, CatalogueIndex.of(catalogue)))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those for which it may not be published."""
    return [finding for finding in findings if finding.level is Level.ERROR]


def _findings(catalogue: Catalogue, index: CatalogueIndex) -> Iterator[Finding]:
    yield from check_references(catalogue, index)
    yield from check_texts(catalogue)
    yield from check_time(catalogue, index)
    yield from check_owners(catalogue)
    yield from check_endings(catalogue, index)
    for service in catalogue.services:
        yield from check_questions(service)
        yield from check_rules(service)
    yield from check_messages(catalogue)
    yield from check_unused(catalogue)
