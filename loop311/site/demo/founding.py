"""Port Alder before its first request: the city, its layers and addresses, catalogue, staff and residents, through the services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loop311.accounts import services as accounts
from loop311.accounts.models import Team
from loop311.accounts.policies import Role
from loop311.catalog import services as catalogue
from loop311.catalog.files import STARTER, read
from loop311.catalog.index import CatalogueIndex
from loop311.jurisdictions import services as jurisdictions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, system
from loop311.places.addresses import Address
from loop311.places.services import load_addresses, load_boundaries, load_streets
from loop311.residents import services as residents
from loop311.residents.models import Resident
from loop311.residents.services import PointInput
from loop311.site.demo import areas, people
from loop311.site.demo.crew import Crew, Member
from loop311.site.demo.hands import Hands, ThroughServices
from loop311.site.demo.memory_working import InMemory
from loop311.site.demo.streets import CENTER, Point, Town, plan_town, street_lines

NAME = "Port Alder (demo)"
ZONE = "America/Los_Angeles"
_LAYER_NAMES = {
    "city": "City limits",
    "service_area": "Service areas",
    "council_district": "Council districts",
    "state_road": "State roads",
}


@dataclass(frozen=True, slots=True)
class Founded:
    """The city with all that a request needs."""

    jurisdiction: Jurisdiction
    index: CatalogueIndex
    town: Town
    crew: Crew
    residents: Sequence[Resident]
    homes: Sequence[Point]
    """Where each resident lives, in the same order."""
    with_phone: frozenset[Resident]
    hands: Hands


def found(slug: str, *, seed: int, residents_count: int, begins_at: datetime, in_memory: bool) -> Founded:
    """Everything but the requests; `begins_at` is when the catalogue takes effect and people begin to write."""
    jurisdiction = Jurisdiction.objects.filter(slug=slug).first() or jurisdictions.create(
        slug, name=NAME, time_zone=ZONE, languages=("en", "es"), is_demo=True, center=CENTER
    )
    by = system(jurisdiction.pk)
    town = plan_town(seed)
    _places(jurisdiction, town, seed, by)
    catalogue.publish(
        jurisdiction, read(STARTER).catalogue, by=by, effective_at=begins_at, note="The starter catalogue"
    )
    _, index = catalogue.at(jurisdiction, begins_at)
    crew = _staff(jurisdiction, index, by)
    planned = people.neighbors(seed, residents_count, town.addresses)
    neighbors = [_resident(jurisdiction, neighbor, begins_at, by) for neighbor in planned]
    return Founded(
        jurisdiction=jurisdiction,
        index=index,
        town=town,
        crew=crew,
        residents=neighbors,
        homes=[neighbor.home for neighbor in planned],
        with_phone=frozenset(row for row, neighbor in zip(neighbors, planned, strict=True) if neighbor.phone),
        hands=InMemory(jurisdiction, begins_at) if in_memory else ThroughServices(jurisdiction),
    )


def _places(jurisdiction: Jurisdiction, town: Town, seed: int, by: Actor) -> None:
    for code, collection in areas.layers(town, seed).items():
        load_boundaries(
            jurisdiction,
            code,
            collection,
            by=by,
            key_property="key",
            name_property="name",
            exclusive=True,
            is_boundary=code == "city",
            name=_LAYER_NAMES[code],
            source="demo city",
        )
    load_streets(jurisdiction, street_lines(town), by=by, source="demo city")
    points = [(point, "address") for point in town.addresses] + [(point, "intersection") for point in town.crossings]
    load_addresses(jurisdiction, (_address(point, kind) for point, kind in points), by=by)


def _address(point: Point, kind: str) -> Address:
    return Address(
        text=point.text,
        latitude=point.latitude,
        longitude=point.longitude,
        kind=kind,
        house_number=point.number,
        street=point.street,
        source_id=f"demo:{point.text}",
    )


def _staff(jurisdiction: Jurisdiction, index: CatalogueIndex, by: Actor) -> Crew:
    """Only one of each role gets the password; the others cannot sign in."""
    members: dict[str, list[Member]] = defaultdict(list)
    for worker in people.workers(index.catalogue):
        staff = accounts.create_staff(
            jurisdiction,
            worker.email,
            name=worker.name,
            roles=[worker.role.value],
            by=by,
            teams=worker.teams,
            department=worker.department,
            password=people.PASSWORD if worker.signs_in else None,
        )
        member = Member(staff, accounts.actor_for_staff(staff))
        if worker.role is Role.CONCIERGE:
            members[""].append(member)
        for team in worker.teams:
            members[team].append(member)
    teams = {team.code: team for team in Team.objects.filter(jurisdiction=jurisdiction).select_related("department")}
    return Crew(system=by, concierges=members.pop(""), members=dict(members), teams=teams)


def _resident(jurisdiction: Jurisdiction, neighbor: people.Neighbor, at: datetime, by: Actor) -> Resident:
    points = [PointInput("email", neighbor.email, is_preferred=True)]
    if neighbor.phone:
        points.append(PointInput("mobile", neighbor.phone))
    return residents.create(
        jurisdiction,
        by=by,
        name=neighbor.name,
        language=neighbor.language,
        address=neighbor.home.text,
        contact_points=points,
        at=at,
    )
