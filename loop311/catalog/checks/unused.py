"""What is defined and never used: usually a code written in two ways."""

from __future__ import annotations

from collections.abc import Iterator

from loop311.catalog.checks.finding import Finding, warning
from loop311.catalog.definitions import Catalogue


def check_unused(catalogue: Catalogue) -> Iterator[Finding]:
    services = catalogue.services
    durations = [d for p in catalogue.promises for d in (p.resolution, p.first_response, p.urgent_resolution) if d]
    used: dict[str, set[str]] = {
        "groups": {service.group for service in services},
        "promises": {service.promise for service in services if service.promise},
        "completion_rules": {service.completion for service in services},
        "outcomes": {code for service in services for code in service.outcomes},
        "stop_reasons": {code for promise in catalogue.promises for code in promise.stop_reasons},
        "calendars": {duration.calendar for duration in durations} | {team.calendar for team in catalogue.teams},
    }
    for noun, codes in used.items():
        for thing in getattr(catalogue, noun):
            if thing.code not in codes:
                yield warning(f"{noun}.{thing.code}", "Nothing uses this.")
