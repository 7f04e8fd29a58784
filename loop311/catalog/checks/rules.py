"""Routing and priority: every ask reaches a team, and every rule can fire."""

from __future__ import annotations

from collections.abc import Iterator

from loop311.catalog.checks.finding import Finding, error
from loop311.catalog.definitions import Service


def check_rules(service: Service) -> Iterator[Finding]:
    path = f"services.{service.code}.routing"
    if not service.routing:
        yield error(path, "No team receives this service: give it at least one routing rule.")
    elif service.routing[-1].when or service.routing[-1].areas:
        yield error(path, "The last rule has conditions, so an ask could reach no team: end with a rule without any.")
