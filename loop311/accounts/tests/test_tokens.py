"""Bearer tokens: shown once, checked in one query, never more than their giver has."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from loop311.accounts import services
from loop311.accounts.models import Token
from loop311.accounts.policies import PERMISSIONS, TOKEN_PREFIX, Role
from loop311.accounts.testing import a_city, a_member, a_secret, actor_of
from loop311.kit.actor import Actor, ActorKind, system
from loop311.kit.clock import now
from loop311.kit.problems import Forbidden, Invalid, NotFound
from loop311.ledger.models import Event

pytestmark = pytest.mark.django_db


def test_a_token_names_its_city_and_scopes() -> None:
    city = a_city()
    token, secret = services.create_token(city, "app", ["requests.read"], by=system(city.pk))
    actor = services.authenticate(secret)
    assert actor == Actor(ActorKind.APPLICATION, city.pk, token.pk, frozenset({"requests.read"}))


def test_only_the_digest_is_kept() -> None:
    city = a_city()
    secret = a_secret(city)
    assert secret.startswith(TOKEN_PREFIX)
    assert len(secret) > 40
    row = Token.objects.values().get()
    assert secret not in str(row)
    assert secret not in "".join(Event.objects.values_list("body", flat=True))


def test_authenticating_takes_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    city = a_city()
    staff = a_member(city, Role.TEAM_LEAD, teams=["streets", "parks"])
    secret = a_secret(city, staff=staff)
    with django_assert_num_queries(1):
        actor = services.authenticate(secret)
    assert actor is not None
    assert actor.teams == frozenset(staff.teams.values_list("pk", flat=True))


def test_a_staff_token_has_no_more_than_the_person() -> None:
    city = a_city()
    auditor = a_member(city, Role.AUDITOR)
    actor = services.authenticate(a_secret(city, staff=auditor))
    assert actor is not None
    assert actor.permissions == services.actor_for_staff(auditor).permissions
    assert not actor.may("requests.assign")


def test_a_staff_token_has_no_more_than_its_scopes() -> None:
    city = a_city()
    actor = services.authenticate(a_secret(city, ["requests.read"], staff=a_member(city, Role.ADMINISTRATOR)))
    assert actor is not None
    assert actor.permissions == {"requests.read"}


def test_an_expired_a_revoked_and_an_unknown_token_open_nothing() -> None:
    city = a_city()
    token, secret = services.create_token(
        city, "app", ["requests.read"], by=system(city.pk), expires_at=now() + timedelta(hours=1)
    )
    assert services.authenticate(secret) is not None
    assert services.authenticate(secret, at=now() + timedelta(hours=2)) is None
    services.revoke_token(token, by=system(city.pk))
    assert services.authenticate(secret) is None
    assert services.authenticate("l311_nothing") is None
    assert services.authenticate("") is None


def test_the_token_of_somebody_who_left_opens_nothing() -> None:
    city = a_city()
    staff = a_member(city)
    secret = a_secret(city, staff=staff)
    services.deactivate_staff(staff, by=system(city.pk))
    assert services.authenticate(secret) is None
    staff.refresh_from_db()
    assert services.actor_for_staff(staff).permissions == frozenset()


def test_an_unknown_scope_is_refused_by_name() -> None:
    city = a_city()
    with pytest.raises(Invalid, match=r"requests\.fly"):
        services.create_token(city, "app", ["requests.fly"], by=system(city.pk))


def test_nobody_gives_a_scope_they_do_not_have() -> None:
    city = a_city()
    narrow = Actor(ActorKind.APPLICATION, city.pk, 1, frozenset({"accounts.manage", "requests.read"}))
    services.create_token(city, "app", ["requests.read"], by=narrow)
    with pytest.raises(Forbidden, match=r"requests\.assign"):
        services.create_token(city, "app", ["requests.assign"], by=narrow)


def test_only_an_administrator_makes_tokens_and_only_in_the_own_city() -> None:
    here, there = a_city(), a_city()
    with pytest.raises(Forbidden):
        services.create_token(here, "app", ["requests.read"], by=actor_of(here, Role.SUPERVISOR))
    with pytest.raises(NotFound):
        services.create_token(there, "app", ["requests.read"], by=actor_of(here, Role.ADMINISTRATOR))


def test_another_citys_token_cannot_be_revoked() -> None:
    here, there = a_city(), a_city()
    token, secret = services.create_token(there, "app", ["requests.read"], by=system(there.pk))
    with pytest.raises(NotFound):
        services.revoke_token(token, by=system(here.pk))
    assert services.authenticate(secret) is not None


def test_every_permission_is_a_scope_and_every_role_can_do_something() -> None:
    city = a_city()
    actor = services.authenticate(a_secret(city))
    assert actor is not None
    assert actor.permissions == frozenset(PERMISSIONS)
    for role in Role:
        assert actor_of(city, role).permissions
