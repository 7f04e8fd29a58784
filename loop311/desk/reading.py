"""What the pages show, read with a fixed number of queries whatever the length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from loop311.accounts.models import StaffMember, Team
from loop311.catalog.models import Service
from loop311.desk.access import Desk
from loop311.kit.problems import NotFound
from loop311.places.index import versions_in_force
from loop311.places.models import Area
from loop311.requests.models import Request
from loop311.requests.queries import LIST_COLUMNS, Wanted, cursor_after, newest
from loop311.requests.sentences import say

PAGE = 50


def find(desk: Desk, number: str) -> Request:
    """The request of this number in the desk's city; NotFound also for another city's."""
    found = (
        Request.objects.select_related(
            "jurisdiction", "service", "team", "assignee", "resident", "leading", "catalogue_version", "interaction"
        )
        .filter(jurisdiction=desk.city, number=number)
        .first()
    )
    if found is None:
        raise NotFound(_("There is no request with this number in this city."))
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """A request in a list."""

    number: str
    state: str
    priority: str
    service: str
    team: str
    address: str
    received_at: datetime
    due_at: datetime | None
    joined_count: int


@dataclass(frozen=True, slots=True)
class Listing:
    rows: tuple[Row, ...]
    older: str
    """Cursor of the next page; empty on the last."""


def listing(desk: Desk, wanted: Wanted) -> Listing:
    """Newest first; three queries."""
    teams, services = team_names(desk), service_names(desk)
    found = newest(desk.city.pk, wanted)
    rows = [dict(zip((*LIST_COLUMNS, "id"), row, strict=True)) for row in found]
    shown = tuple(_row(row, teams, services) for row in rows)
    last = rows[-1] if len(rows) == wanted.limit else None
    return Listing(shown, cursor_after(last["received_at"], last["id"]) if last else "")  # type: ignore[arg-type]


def _row(row: Mapping[str, object], teams: Mapping[str, str], services: Mapping[str, str]) -> Row:
    fields = ("number", "state", "priority", "address", "received_at", "due_at", "joined_count")
    return Row(
        service=services.get(str(row["service_code"]), str(row["service_code"])),
        team=teams.get(str(row["team"]), str(row["team"])),
        **{field: row[field] for field in fields},  # type: ignore[arg-type]  # LIST_COLUMNS says what they are
    )


def team_names(desk: Desk) -> dict[str, str]:
    rows = Team.objects.filter(jurisdiction=desk.city).order_by("code")
    return {code: say(names, desk.language, code) for code, names in rows.values_list("code", "names")}


def service_names(desk: Desk) -> dict[str, str]:
    rows = Service.objects.filter(jurisdiction=desk.city)
    named = {code: say(names, desk.language, code) for code, names in rows.values_list("code", "names")}
    return dict(sorted(named.items(), key=lambda entry: entry[1].lower()))


def area_choices(desk: Desk) -> list[tuple[str, list[tuple[str, str]]]]:
    """(layer, [("layer:key", name)]) of today; two queries."""
    layers = {version.id: version.layer for version in versions_in_force(desk.city.pk)}
    rows = Area.objects.filter(jurisdiction=desk.city, version_id__in=list(layers))
    grouped: dict[str, list[tuple[str, str]]] = {layer: [] for layer in layers.values()}
    for version_id, key, name in rows.values_list("version_id", "key", "name"):
        grouped[layers[version_id]].append((f"{layers[version_id]}:{key}", name))
    return [
        (layer.replace("_", " ").capitalize(), sorted(areas, key=lambda area: natural(area[1])))
        for layer, areas in grouped.items()
    ]


def natural(text: str) -> tuple[int, int, str]:
    """'2' before '10', numbers before words."""
    return (0, int(text), text) if text.isdigit() and len(text) < 10 else (1, 0, text.lower())


Areas = Mapping[str, str]
"""Layer code -> area key, as a request keeps where it lies."""


def named_areas(desk: Desk, lying: Iterable[Areas]) -> list[list[tuple[str, str]]]:
    """For each: (layer, area) as people call them, by their newest names; one query whatever the number."""
    asked = list(lying)
    pairs = {pair for each in asked for pair in each.items()}
    names: dict[tuple[str, str], tuple[str, str]] = {}
    if pairs:
        rows = Area.objects.filter(
            jurisdiction=desk.city, version__layer__code__in={p[0] for p in pairs}, key__in={p[1] for p in pairs}
        ).order_by("version__effective_on", "version_id")
        for code, key, *name in rows.values_list("version__layer__code", "key", "version__layer__name", "name"):
            names[code, key] = (name[0], name[1])
    return [[_area_named(names.get(pair, ("", "")), pair) for pair in each.items()] for each in asked]


def _area_named(known: tuple[str, str], pair: tuple[str, str]) -> tuple[str, str]:
    return known[0] or pair[0].replace("_", " ").capitalize(), known[1] or pair[1]


def topic_names(desk: Desk, topics: Iterable[str]) -> dict[str, str]:
    """A contact's topic is a service's code or an article's topic; one query."""
    codes = {topic for topic in topics if topic}
    rows = Service.objects.filter(jurisdiction=desk.city, code__in=codes) if codes else Service.objects.none()
    names = {code: say(named, desk.language, code) for code, named in rows.values_list("code", "names")}
    return {code: names.get(code) or code.replace("_", " ").replace("-", " ").capitalize() for code in codes}


# --- Teams and people ----------------------------------------------------------------------------------------------------


def team(desk: Desk, code: str) -> Team:
    found = Team.objects.filter(jurisdiction=desk.city, code=code).first()
    if found is None:
        raise NotFound(_("There is no such team in this city."))
    return found


def own_teams(desk: Desk) -> list[Team]:
    return list(desk.staff.teams.filter(jurisdiction=desk.city).order_by("code"))


def members(whose: Team) -> list[StaffMember]:
    return list(whose.members.filter(is_active=True, jurisdiction_id=whose.jurisdiction_id).order_by("name"))


def staff_names(desk: Desk, ids: Iterable[int]) -> dict[int, str]:
    """One query."""
    rows = StaffMember.objects.filter(jurisdiction=desk.city, pk__in=set(ids))
    return dict(rows.values_list("pk", "name"))
