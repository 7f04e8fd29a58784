"""One catalogue version, ready for look-ups. Pure; built once per version and kept for as long as the process lives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from loop311.catalog.definitions import (
    OF_CITY,
    Calendar,
    Catalogue,
    CompletionRule,
    Department,
    Group,
    Outcome,
    OutsideOwner,
    PromisePolicy,
    Service,
    StopReason,
    Team,
    Template,
    Texts,
)

ALWAYS = Calendar(code="always", always=True)
"""Every catalogue has this calendar, written or not."""


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


T = TypeVar("T", bound=_Coded)


@dataclass(frozen=True, slots=True)
class CatalogueIndex:
    """The things of one version by their codes. Looking up an unknown code is a KeyError; `.get` where it may be absent."""

    catalogue: Catalogue
    services: dict[str, Service]
    teams: dict[str, Team]
    departments: dict[str, Department]
    groups: dict[str, Group]
    outcomes: dict[str, Outcome]
    promises: dict[str, PromisePolicy]
    calendars: dict[str, Calendar]
    stop_reasons: dict[str, StopReason]
    completion_rules: dict[str, CompletionRule]
    owners: dict[str, OutsideOwner]
    _templates: dict[tuple[str, str], Template]

    @classmethod
    def of(cls, catalogue: Catalogue, country: str = "US") -> CatalogueIndex:
        """`country`: the city's, whose holidays a calendar with `holidays: city` keeps."""
        return cls(
            catalogue=catalogue,
            services=_by_code(catalogue.services),
            teams=_by_code(catalogue.teams),
            departments=_by_code(catalogue.departments),
            groups=_by_code(catalogue.groups),
            outcomes=_by_code(catalogue.outcomes),
            promises=_by_code(catalogue.promises),
            calendars=_by_code((ALWAYS, *(_kept_in(country, calendar) for calendar in catalogue.calendars))),
            stop_reasons=_by_code(catalogue.stop_reasons),
            completion_rules=_by_code(catalogue.completion_rules),
            owners=_by_code(catalogue.outside_owners),
            _templates={(t.event, code): t for t in catalogue.templates for code in t.services or ("",)},
        )

    @property
    def languages(self) -> tuple[str, ...]:
        return self.catalogue.languages

    def template(self, event: str, service_code: str = "") -> Template | None:
        """The template that names the service, else the general one of the event."""
        return self._templates.get((event, service_code)) or self._templates.get((event, ""))

    def promise_of(self, service: Service) -> PromisePolicy | None:
        return self.promises[service.promise] if service.promise is not None else None

    def outcomes_of(self, service: Service) -> list[Outcome]:
        """The closed list of the service's outcomes, in its order."""
        return [self.outcomes[code] for code in service.outcomes]

    def offered(self) -> list[Service]:
        """The services something can be filed under, in the catalogue's order."""
        return [service for service in self.catalogue.services if not service.historical]

    def text(self, texts: Texts, language: str) -> str:
        """The text in `language`, else in the catalogue's first language, else in any; '' when there is none."""
        return text_in(texts, (language, *self.languages))


def text_in(texts: Texts, languages: Sequence[str]) -> str:
    """The text in the first of `languages` that has one, else in any; '' when there is none."""
    found = next((texts[language] for language in languages if texts.get(language)), None)
    return found or next(iter(texts.values()), "")


def _kept_in(country: str, calendar: Calendar) -> Calendar:
    return msgspec.structs.replace(calendar, holidays=country) if calendar.holidays == OF_CITY else calendar


def _by_code(things: Iterable[T]) -> dict[str, T]:
    return {thing.code: thing for thing in things}
