"""The demo city: the same seed the same content, a ledger that verifies, and never in a real city or deployment."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client, override_settings

from loop311.accounts.models import StaffMember, User
from loop311.accounts.policies import Role
from loop311.jurisdictions import services as jurisdictions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.problems import Conflict, Forbidden, Invalid
from loop311.ledger.services import handlers_of
from loop311.ledger.verification import verify
from loop311.requests.models import Evidence, Request
from loop311.site.demo import people
from loop311.site.demo.building import Built, Plan, build, sign_ins
from loop311.site.demo.commands import demo
from loop311.site.demo.exporting import content_digest

pytestmark = pytest.mark.django_db
UNTIL = date(2026, 6, 1)
CITIES = [("one", 311), ("two", 311), ("three", 312)]


def make(slug: str = "demo", *, seed: int = 311, requests: int = 40, in_memory: bool = True) -> Built:
    return build(Plan(slug=slug, seed=seed, requests=requests, until=UNTIL, days=30, in_memory=in_memory))


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(demo, [*arguments, "--json"], catch_exceptions=False)
    return json.loads(result.stdout)


def test_the_same_seed_gives_the_same_city_and_another_seed_another() -> None:
    first, second, other = (make(slug, seed=seed) for slug, seed in CITIES)
    assert content_digest(first.jurisdiction) == content_digest(second.jurisdiction)
    assert content_digest(first.jurisdiction) != content_digest(other.jurisdiction)


@pytest.mark.slow
def test_what_is_played_in_memory_is_what_the_services_would_have_written() -> None:
    quick = make("quick", requests=60)
    slow = make("slow", requests=60, in_memory=False)
    assert quick.acts == slow.acts
    assert content_digest(quick.jurisdiction) == content_digest(slow.jurisdiction)


def test_the_city_holds_together() -> None:
    built = make(requests=400)
    rows = Request.objects.filter(jurisdiction=built.jurisdiction)
    assert built.requests == rows.count() == 400
    assert verify(built.jurisdiction.pk) == []
    assert built.acts.get("refused", 0) < 0.05 * sum(built.acts.values())
    assert {"assign", "start", "evidence", "resolve", "close", "dispute", "decline"} <= set(built.acts)
    ended = rows.filter(state="closed", leading__isnull=True)
    assert ended.count() > 200
    assert all(Evidence.objects.filter(request=request).exists() for request in ended)
    assert rows.filter(areas__has_key="council_district").count() > 300
    assert not rows.filter(latitude__isnull=False, areas={}).exists()


def test_every_role_has_a_sign_in_that_works_and_nobody_else_has_one() -> None:
    built = make(requests=1)
    listed = {row["role"]: row["email"] for row in sign_ins("demo")}
    assert set(listed) == set(Role)
    for email in listed.values():
        assert User.objects.get(email=email).check_password(people.PASSWORD)
    staff = StaffMember.objects.filter(jurisdiction=built.jurisdiction).select_related("user")
    assert sum(member.user.has_usable_password() for member in staff) == len(Role)


def test_a_demo_sign_in_opens_the_desk_but_not_in_production() -> None:
    make(requests=1)
    client = Client()
    client.force_login(User.objects.get(email=sign_ins("demo")[0]["email"]))
    assert client.get("/desk/", follow=True).status_code == 200
    with override_settings(PRODUCTION=True):
        assert client.get("/desk/", follow=True).status_code == 403


def test_nobody_is_written_to_about_what_never_happened() -> None:
    before = handlers_of("resident.erased")
    make(requests=1)
    assert handlers_of("resident.erased") == before != ()


def test_a_real_city_is_left_alone() -> None:
    jurisdictions.create("elmville", name="Elmville", time_zone="America/Chicago")
    with pytest.raises(Conflict, match="real city"):
        make("elmville")


@override_settings(PRODUCTION=True)
def test_production_has_no_demo_city() -> None:
    with pytest.raises(Forbidden, match="real one"):
        make()
    assert not Jurisdiction.objects.exists()
    assert not User.objects.exists()


def test_a_city_that_has_requests_is_not_made_again() -> None:
    make(requests=1)
    with pytest.raises(Conflict, match="has requests already"):
        make(requests=1)
    report = run("--if-empty")
    assert report["made"] is False
    assert len(report["sign_ins"]) == len(Role)


@pytest.mark.parametrize("requests", [0, -1, 10_000_000])
def test_impossible_sizes_are_refused(requests: int) -> None:
    with pytest.raises(Invalid, match="number of requests"):
        make(requests=requests)


def test_the_command_reports_what_it_made() -> None:
    report = run("--requests", "3", "--days", "20", "--until", "2026-06-01", "--digest")
    assert report["requests"] == 3
    assert sum(report["states"].values()) == 3
    assert len(report["digest"]) == 64
