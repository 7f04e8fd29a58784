"""Builders for tests of every room: a city, its staff by role, its tokens."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from loop311.accounts import services
from loop311.accounts.models import Department, StaffMember, Team
from loop311.accounts.policies import PERMISSIONS, Role
from loop311.jurisdictions import services as jurisdictions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, system

_numbers = count(1)


def a_city(slug: str = "", **options: object) -> Jurisdiction:
    """A city of its own; Chicago time, English and Spanish unless said."""
    wanted = {"name": "Testville", "time_zone": "America/Chicago", "languages": ["en", "es"], **options}
    return jurisdictions.create(slug or f"city-{next(_numbers)}", **wanted)  # type: ignore[arg-type]


def a_team(city: Jurisdiction, code: str = "streets") -> Team:
    department, _ = Department.objects.get_or_create(
        jurisdiction=city, code="public-works", defaults={"names": {"en": "Public Works", "es": "Obras Públicas"}}
    )
    team, _ = Team.objects.get_or_create(
        jurisdiction=city, code=code, defaults={"department": department, "names": {"en": code.title()}}
    )
    return team


def a_member(city: Jurisdiction, role: Role = Role.CONCIERGE, *, teams: Iterable[str] = ()) -> StaffMember:
    """Somebody of this role; the teams are made when missing."""
    codes = [a_team(city, code).code for code in teams]
    number = next(_numbers)
    return services.create_staff(
        city,
        f"{role}-{number}@example.org",
        name=f"{role.replace('_', ' ').title()} {number}",
        roles=[role],
        teams=codes,
        by=system(city.pk),
    )


def actor_of(city: Jurisdiction, role: Role = Role.CONCIERGE, *, teams: Iterable[str] = ()) -> Actor:
    return services.actor_for_staff(a_member(city, role, teams=teams))


def a_secret(city: Jurisdiction, scopes: Iterable[str] = PERMISSIONS, *, staff: StaffMember | None = None) -> str:
    """The bearer token of an application (or person) with these scopes; all of them unless said."""
    return services.create_token(city, "test", scopes, staff=staff, by=system(city.pk))[1]


def bearer(secret: str) -> dict[str, str]:
    """Headers for Django's test client: client.get(url, headers=bearer(secret))."""
    return {"Authorization": f"Bearer {secret}"}
