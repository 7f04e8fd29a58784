"""What an import needs of the catalogue: services, departments and teams of the past, published as one new version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import msgspec

from loop311.accounts.models import Team as TeamRow
from loop311.catalog.definitions import (
    Catalogue,
    CompletionRule,
    Department,
    Ending,
    EvidenceKind,
    Group,
    Outcome,
    PlaceNeed,
    RoutingRule,
    Service,
    Team,
    Texts,
)
from loop311.catalog.models import CatalogueVersion
from loop311.catalog.models import Service as ServiceRow
from loop311.catalog.services import current, publish
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.problems import NotFound
from loop311.requests.imports.drafting import DECLINED, DONE, team_code
from loop311.requests.imports.drafts import Naming
from loop311.requests.imports.mapping import ImportedOutcome, Mapping
from loop311.requests.imports.parsing import slug

COMPLETION = "imported"
"""Nothing of ours proves what another system did: its record, or our staff's statement when it is taken up again."""

_DONE_TEXTS = {
    "en": "The city's earlier system says that this was done.",
    "es": "El sistema anterior de la ciudad indica que esto se resolvió.",
}
_DECLINED_TEXTS = {
    "en": "The city's earlier system says that this could not be done.",
    "es": "El sistema anterior de la ciudad indica que esto no se pudo hacer.",
}
_BASE = (
    ImportedOutcome(code=DONE, ending=Ending.DONE, texts=_DONE_TEXTS),
    ImportedOutcome(code=DECLINED, ending=Ending.DECLINED, texts=_DECLINED_TEXTS),
)


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


_T = TypeVar("_T", bound=_Coded)


@dataclass(slots=True)
class Words:
    """Rows for the city's words: which version, service and team a naming stands for."""

    version_id: int
    services: dict[str, int]
    teams: dict[str, int]
    _found: dict[Naming, tuple[int, int]] = field(default_factory=dict)

    def of(self, naming: Naming) -> tuple[int, int]:
        """Ids of service and team."""
        found = self._found.get(naming)
        if found is None:
            found = self._found[naming] = self.services[slug(naming.service)], self.teams[team_code(naming)]
        return found


def additions(old: Catalogue, namings: Counter[Naming], mapping: Mapping) -> Catalogue:
    """The catalogue with everything the namings speak of; the very same one when it knows it all. Pure.

    A service's department and team are those most of its rows have; each request keeps its own row's team.
    """
    known = {service.code for service in old.services}
    ranked = [naming for naming, _ in sorted(namings.items(), key=lambda item: (-item[1], _order(item[0])))]
    new = {slug(naming.service): naming for naming in reversed(ranked) if slug(naming.service) not in known}
    fresh = [new[code] for code in sorted(new)]
    teams = _teams(ranked, old.languages)
    outcomes = [
        Outcome(code=outcome.code, ending=outcome.ending, texts=_in_all(outcome.texts, old.languages))
        for outcome in (*_BASE, *mapping.outcome.known)
    ]
    rule = CompletionRule(code=COMPLETION, all_of=((EvidenceKind.RECORD, EvidenceKind.STATEMENT),))
    departments = [Department(code=slug(n.department), names=_named(n.department, old.languages)) for n in ranked]
    groups = [Group(code=slug(n.group), names=_named(n.group, old.languages)) for n in fresh]
    codes = tuple(outcome.code for outcome in outcomes)
    services = [_service(naming, codes, mapping, old.languages) for naming in fresh]
    return msgspec.structs.replace(
        old,
        departments=merged(old.departments, departments),
        teams=merged(old.teams, teams),
        groups=merged(old.groups, groups),
        outcomes=merged(old.outcomes, outcomes),
        completion_rules=merged(old.completion_rules, [rule]),
        services=merged(old.services, services),
    )


def prepare(
    jurisdiction: Jurisdiction, namings: Counter[Naming], mapping: Mapping, *, by: Actor, publishes: bool
) -> Words:
    """The rows behind the namings, after publishing what is missing (unless only counting: then with ids of none)."""
    version, old = _in_force(jurisdiction)
    wanted = additions(old, namings, mapping)
    if not publishes:
        return Words(0, {s.code: 0 for s in wanted.services}, {t.code: 0 for t in wanted.teams})
    if version is None or wanted != old:
        version = publish(jurisdiction, wanted, by=by, note=f"Words of the import {mapping.source}")
    services = ServiceRow.objects.filter(jurisdiction=jurisdiction).values_list("code", "pk")
    teams = TeamRow.objects.filter(jurisdiction=jurisdiction).values_list("code", "pk")
    return Words(version.pk, dict(services), dict(teams))


def _in_force(jurisdiction: Jurisdiction) -> tuple[CatalogueVersion | None, Catalogue]:
    try:
        version, index = current(jurisdiction.pk)
    except NotFound:
        return None, Catalogue(languages=tuple(jurisdiction.languages), departments=(), teams=())
    return version, index.catalogue


def _order(naming: Naming) -> tuple[str, str, str, str]:
    return naming.service, naming.department, naming.team, naming.group


def _teams(namings: Iterable[Naming], languages: Sequence[str]) -> list[Team]:
    return [Team(code=team_code(n), department=slug(n.department), names=_named(n.team, languages)) for n in namings]


def _service(naming: Naming, outcomes: tuple[str, ...], mapping: Mapping, languages: Sequence[str]) -> Service:
    return Service(
        code=slug(naming.service),
        group=slug(naming.group),
        department=slug(naming.department),
        owner="imported",
        names=_named(naming.service, languages),
        promise=None,
        completion=COMPLETION,
        outcomes=outcomes,
        routing=(RoutingRule(team=team_code(naming)),),
        priority=mapping.priority,
        publicity=mapping.publicity,
        place=PlaceNeed.OPTIONAL,
        historical=True,
    )


def _named(name: str, languages: Sequence[str]) -> Texts:
    """A name is a name: the source's own word, whatever the language."""
    return dict.fromkeys(languages, name)


def _in_all(texts: Texts, languages: Sequence[str]) -> Texts:
    """In every language of the city; where the mapping has no sentence, its English (or first) one."""
    fallback = texts.get("en") or next(iter(texts.values()), "")
    return {language: texts.get(language, fallback) for language in languages}


def merged(old: tuple[_T, ...], new: Iterable[_T]) -> tuple[_T, ...]:
    """The old things, then those of the new whose code is not there yet, in the order of their codes."""
    known = {thing.code for thing in old}
    added: dict[str, _T] = {}
    for thing in new:
        if thing.code not in known:
            added.setdefault(thing.code, thing)
    return (*old, *(added[code] for code in sorted(added)))
