"""Builders for tests of the desk: a city, and somebody signed in."""

from __future__ import annotations

from dataclasses import dataclass

from django.test import Client

from loop311.accounts.models import StaffMember, Team
from loop311.accounts.policies import Role
from loop311.desk.models import SavedFilter
from loop311.requests.models import Request
from loop311.requests.testing import City, employ, make_city


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
