"""Taking people on, changing what they do, and letting them go."""

from __future__ import annotations

from typing import Any

import pytest

from loop311.accounts import services
from loop311.accounts.models import StaffMember, User
from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, a_member, a_team, actor_of
from loop311.kit.actor import system
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.ledger.models import Event

pytestmark = pytest.mark.django_db


def test_one_sign_in_serves_two_cities_with_different_roles() -> None:
    here, there = a_city(), a_city()
    lead = services.create_staff(here, "Lead@Example.org", name="Lead", roles=["team_lead"], by=system(here.pk))
    guest = services.create_staff(there, "lead@example.org", name="Guest", roles=["auditor"], by=system(there.pk))
    assert lead.user_id == guest.user_id
    assert services.actor_for_staff(lead).may("requests.assign")
    assert not services.actor_for_staff(guest).may("requests.assign")


def test_nobody_works_twice_for_the_same_city() -> None:
    city = a_city()
    services.create_staff(city, "lead@example.org", name="Lead", roles=["team_lead"], by=system(city.pk))
    with pytest.raises(Conflict):
        services.create_staff(city, "lead@example.org", name="Lead", roles=["team_lead"], by=system(city.pk))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"roles": ["king"]}, "roles"),
        ({"roles": []}, "roles"),
        ({"teams": ["nowhere"]}, "teams"),
        ({"name": " "}, "name"),
        ({"department": "nowhere"}, "department"),
        ({"password": "short"}, "password"),
    ],
)
def test_a_wrong_field_is_named_and_nobody_is_taken_on(change: dict[str, Any], field: str) -> None:
    city = a_city()
    wanted: dict[str, Any] = {"email": "lead@example.org", "name": "Lead", "roles": ["team_lead"], **change}
    with pytest.raises(Invalid) as caught:
        services.create_staff(city, by=system(city.pk), **wanted)
    assert [f.field for f in caught.value.fields] == [field]
    assert not User.objects.exists()
    assert not StaffMember.objects.exists()


def test_a_change_replaces_teams_and_roles() -> None:
    city = a_city()
    a_team(city, "parks")
    staff = a_member(city, Role.TEAM_MEMBER, teams=["streets"])
    services.change_staff(staff, roles=["team_lead"], teams=["parks"], by=system(city.pk))
    staff.refresh_from_db()
    assert staff.roles == ["team_lead"]
    assert [team.code for team in staff.teams.all()] == ["parks"]


def test_the_diary_of_a_person_holds_no_name() -> None:
    city = a_city()
    staff = services.create_staff(city, "lead@example.org", name="Lead", roles=["team_lead"], by=system(city.pk))
    services.change_staff(staff, name="Somebody", by=system(city.pk))
    services.deactivate_staff(staff, by=system(city.pk))
    events = Event.objects.filter(subject_type="staff", subject_id=staff.pk).order_by("sequence")
    assert [e.kind for e in events] == ["staff.added", "staff.changed", "staff.left"]
    told = "".join(e.body for e in events)
    assert "Lead" not in told
    assert "Somebody" not in told
    assert "example.org" not in told


def test_another_citys_people_are_not_found_even_by_an_administrator() -> None:
    here, there = a_city(), a_city()
    staff = a_member(there)
    administrator = actor_of(here, Role.ADMINISTRATOR)
    with pytest.raises(NotFound):
        services.get_staff(staff.pk, by=administrator)
    with pytest.raises(NotFound):
        services.deactivate_staff(staff, by=administrator)
    staff.refresh_from_db()
    assert staff.is_active


def test_a_supervisor_cannot_make_herself_administrator() -> None:
    city = a_city()
    supervisor = a_member(city, Role.SUPERVISOR)
    with pytest.raises(Forbidden):
        services.change_staff(supervisor, roles=["administrator"], by=services.actor_for_staff(supervisor))
