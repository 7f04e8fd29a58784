"""Finding the mistakes of a catalogue before a resident does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loop311.catalog.checks.finding import Finding, Level
from loop311.catalog.checks.references import check_references
from loop311.catalog.checks.rules import check_rules
from loop311.catalog.definitions import Catalogue
from loop311.catalog.index import CatalogueIndex

__all__ = ["Finding", "Level", "check", "errors"]


def check(catalogue: Catalogue) -> list[Finding]:
    """Everything wrong with a catalogue, in its own order; empty when it may be published."""
    return list(_findings(catalogue))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those for which it may not be published."""
    return [finding for finding in findings if finding.level is Level.ERROR]


def _findings(catalogue: Catalogue) -> Iterator[Finding]:
    yield from check_references(catalogue, CatalogueIndex.of(catalogue))
    for service in catalogue.services:
        yield from check_rules(service)
