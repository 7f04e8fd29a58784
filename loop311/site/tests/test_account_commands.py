"""loop311 user, loop311 token."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from loop311.accounts import links, services, usage
from loop311.accounts.models import StaffMember, User
from loop311.accounts.policies import PERMISSIONS
from loop311.accounts.testing import a_city, a_member, a_team
from loop311.kit.clock import now
from loop311.ledger.models import Event
from loop311.site.cli import main

pytestmark = pytest.mark.django_db


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=stdin)


def test_a_person_is_taken_on_with_roles_teams_and_a_password() -> None:
    a_team(a_city("san-rio"))
    done = run(
        "user", "create", "san-rio", "lead@example.org", "--role", "team_lead", "--team", "streets", "--password-stdin",
        stdin="a long enough secret\n",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert User.objects.get(email="lead@example.org").check_password("a long enough secret")
    [row] = json.loads(run("user", "list", "san-rio", "--json").stdout)
    assert (row["name"], row["roles"], row["teams"]) == ("lead", ["team_lead"], ["streets"])
    assert "lead@example.org" in run("user", "list", "san-rio").stdout


@pytest.mark.parametrize(
    ("arguments", "stdin", "word"),
    [
        (("nowhere", "a@example.org", "--role", "auditor"), None, "nowhere"),
        (("san-rio", "nobody", "--role", "auditor"), None, "e-mail"),
        (("san-rio", "a@example.org", "--role", "auditor", "--team", "moon"), None, "moon"),
        (("san-rio", "a@example.org", "--role", "auditor", "--password-stdin"), "short\n", "short"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments: tuple[str, ...], stdin: str | None, word: str) -> None:
    a_city("san-rio")
    done = run("user", "create", *arguments, stdin=stdin)
    assert done.exit_code == 1
    assert word in done.stderr
    assert done.stdout == ""
    assert not StaffMember.objects.exists()


def test_people_are_changed_let_go_and_let_in_again() -> None:
    city = a_city("san-rio")
    staff = a_member(city)
    address = staff.user.email
    for arguments, word in (
        (("roles", "san-rio", address, "--role", "auditor", "--role", "coordinator"), "auditor, coordinator"),
        (("deactivate", "san-rio", address), "any more"),
        (("activate", "san-rio", address), "again as auditor, coordinator"),
        (("unlock", "san-rio", address), "may try again"),
        (("reset-second-factor", "san-rio", address), "signed out everywhere"),
    ):
        done = run("user", *arguments)
        assert done.exit_code == 0, done.stderr
        assert word in done.stdout
    kinds = (
        Event.objects.filter(subject_type="staff", subject_id=staff.pk).order_by("pk").values_list("kind", flat=True)
    )
    assert list(kinds) == ["staff.added", "staff.changed", "staff.left", "staff.returned", "staff.factors_reset"]
    assert run("user", "deactivate", "san-rio", "nobody@example.org").exit_code == 1


def test_a_password_is_set_or_a_link_printed_on_which_it_is_chosen() -> None:
    staff = a_member(a_city("san-rio"))
    [link] = run("user", "password", "san-rio", staff.user.email).stdout.split()
    uid, token = link.rstrip("/").rsplit("/", 2)[1:]
    assert links.user_behind(uid, token) == staff.user
    done = run("user", "password", "san-rio", staff.user.email, "--stdin", stdin="a long enough secret\n")
    assert done.exit_code == 0, done.stderr
    staff.user.refresh_from_db()
    assert staff.user.check_password("a long enough secret")
    assert run("user", "password", "san-rio", staff.user.email, "--stdin", stdin="short\n").exit_code == 1


def test_the_token_is_all_that_is_printed_and_it_opens_everything() -> None:
    city = a_city("san-rio")
    done = run("token", "create", "san-rio")
    assert done.exit_code == 0, done.stderr
    [secret] = done.stdout.split()
    actor = services.authenticate(secret)
    assert actor is not None
    assert (actor.jurisdiction_id, actor.permissions) == (city.pk, frozenset(PERMISSIONS))
    assert "every scope" in done.stderr


def test_a_narrow_token_of_a_person_that_expires() -> None:
    city = a_city("san-rio")
    staff = a_member(city)
    done = run(
        "token", "create", "san-rio", "--name", "app", "--scope", "requests.read", "--staff", staff.user.email,
        "--expires-in-days", "30",
    )  # fmt: skip
    actor = services.authenticate(done.stdout.strip())
    assert actor is not None
    assert (actor.ref, actor.permissions) == (staff.pk, frozenset({"requests.read"}))
    [row] = json.loads(run("token", "list", "san-rio", "--json").stdout)
    assert (row["name"], row["staff"], row["state"]) == ("app", staff.user.email, "open")
    assert row["expires_at"]
    assert done.stdout.strip() not in run("token", "list", "san-rio").stdout


def test_an_unknown_scope_and_an_unknown_person_are_refused() -> None:
    a_city("san-rio")
    for arguments in (("--scope", "requests.fly"), ("--staff", "nobody@example.org")):
        done = run("token", "create", "san-rio", *arguments)
        assert (done.exit_code, done.stdout) == (1, "")
    assert run("token", "create", "san-rio", "--scope", "requests.read", "--all-scopes").exit_code == 2


def test_a_revoked_token_opens_nothing_and_another_citys_cannot_be_revoked() -> None:
    a_city("san-rio")
    a_city("other")
    secret = run("token", "create", "san-rio").stdout.strip()
    [row] = json.loads(run("token", "list", "san-rio", "--json").stdout)
    assert run("token", "revoke", "other", str(row["id"])).exit_code == 1
    assert services.authenticate(secret) is not None
    assert run("token", "revoke", "san-rio", str(row["id"])).exit_code == 0
    assert services.authenticate(secret) is None
    assert "revoked" in run("token", "list", "san-rio").stdout


def test_the_list_of_tokens_says_how_often_each_was_used_and_what_was_refused() -> None:
    a_city("san-rio")
    secret = run("token", "create", "san-rio", "--per-minute", "1").stdout.strip()
    usage.count(secret, "open311.file", at=now())
    usage.count(secret, "open311.file", at=now())
    assert "2 calls in 30 days" in run("token", "list", "san-rio").stdout
    [row] = json.loads(run("token", "list", "san-rio", "--json", "--days", "1").stdout)
    assert row["per_minute"] == 1
    assert {(use["call"], use["count"]) for use in row["uses"]} == {("open311.file", 2)}
