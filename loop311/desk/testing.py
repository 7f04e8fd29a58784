"""Builders for tests of the desk: a city, and somebody signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.test import Client

from loop311.accounts.models import StaffMember, Team
from loop311.accounts.policies import Role
from loop311.catalog.files import STARTER, read
from loop311.catalog.services import publish
from loop311.desk.models import SavedFilter
from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.knowledge.files import STARTER as ARTICLES
from loop311.knowledge.files import read_folder
from loop311.knowledge.services.loading import load
from loop311.places.addresses import Address
from loop311.places.services import load_addresses, load_boundaries
from loop311.places.testing import squares
from loop311.requests.models import Request
from loop311.requests.testing import MONDAY, City, acting, employ, make_city


@dataclass
class Sitting:
    """A city and a browser in which a member of its staff is signed in."""

    city: City
    staff: StaffMember
    client: Client

    def act(self, request: Request, name: str, **data: object) -> int:
        """Post a verb's form with the present version unless another is given; the status."""
        request.refresh_from_db()
        sent = {"version": str(request.version), **{key: str(value) for key, value in data.items()}}
        return self.client.post(f"/desk/requests/{request.number}/{name}/", sent).status_code


def a_filter(request: Request, staff: StaffMember) -> SavedFilter:
    """Choices that this person keeps in the queue of the request's team."""
    return SavedFilter.objects.create(
        jurisdiction=staff.jurisdiction, team=request.team, staff=staff, name="late", query="due=late"
    )


def sit(city: City | None = None, role: Role = Role.ADMINISTRATOR, team: str = "north", name: str = "lead") -> Sitting:
    """Signed in as a member of the team with this role."""
    city = city or make_city()
    staff = employ(city.jurisdiction, name, role, Team.objects.get(jurisdiction=city.jurisdiction, code=team))
    client = Client()
    client.force_login(staff.user)
    return Sitting(city, staff, client)


ELM, OAK = (32.05, -96.95), (32.06, -96.94)
"""Where 412 Elm St and 77 Oak Ave are, in `a_call_center`."""


def a_call_center(slug: str = "port-elm") -> Sitting:
    """A city with the whole starter catalogue and its articles, two addresses, and a concierge who is signed in."""
    city = create(slug, name=slug.title(), time_zone="America/Chicago", languages=("en", "es"))
    by = system(city.pk)
    publish(city, read(STARTER).catalogue, by=by, effective_at=MONDAY - timedelta(days=400))
    load(city, read_folder(ARTICLES), by=by)
    load_boundaries(city, "district", squares(2), by=by, is_boundary=True)
    rows = [Address("412 Elm St", *ELM), Address("414 Elm St", 32.05, -96.949), Address("77 Oak Ave", *OAK)]
    load_addresses(city, rows, by=by)
    team = Team.objects.get(jurisdiction=city, code="concierge_desk")
    staff = employ(city, "concierge", Role.CONCIERGE, team)
    client = Client()
    client.force_login(staff.user)
    crew = employ(city, "crew", Role.TEAM_MEMBER)
    return Sitting(City(city, by, acting(staff), acting(crew), by, crew), staff, client)
