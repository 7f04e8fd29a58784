"""Signing in at the city's identity provider, against a real one that runs on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client

from loop311.accounts import services
from loop311.accounts.models import StaffMember, User
from loop311.accounts.policies import Role
from loop311.accounts.providers import providers
from loop311.accounts.testing import a_city, a_member
from loop311.kit.actor import system
from loop311.kit.testing import browser, page
from loop311.ledger.models import Event

NODE = shutil.which("node") or str(Path(django_settings.ROOT) / ".venv" / "bin" / "node")
BEGIN, BACK = "/desk/sign-in/with/city/", "http://testserver/desk/sign-in/with/city/back/"

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    script = Path(__file__).parent / "identity_provider.mjs"
    process = subprocess.Popen([NODE, str(script), BACK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()


@pytest.fixture(autouse=True)
def _provider(issuer: str, settings: Any) -> None:
    cache.clear()
    environment = {
        "LOOP311_OIDC_URL": issuer,
        "LOOP311_OIDC_CLIENT_ID": "loop311",
        "LOOP311_OIDC_SECRET": "known-to-both",
        "LOOP311_OIDC_NAME": "Elmville",
    }
    settings.IDENTITY_PROVIDERS = providers(environment)
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": settings.IDENTITY_PROVIDERS}}


@pytest.fixture
def staff() -> StaffMember:
    return a_member(a_city(), Role.CONCIERGE)


def go(client: Client, who: str, begin: str = BEGIN) -> str:
    """Signs in at the provider as a browser would; the address, here, that it leads back to."""
    there = client.get(begin).headers["Location"]
    with httpx.Client(follow_redirects=False) as web:
        answer = web.get(there)
        while True:
            if answer.is_redirect:
                onward = str(answer.next_request.url) if answer.next_request else ""
                if onward.startswith(BACK):
                    return onward.removeprefix("http://testserver")
                answer = web.get(onward)
            else:
                action = re.findall(r'action="([^"]+)"', answer.text)[0]
                fields = dict(re.findall(r'name="(prompt)" value="([^"]+)"', answer.text))
                answer = web.post(action, data={**fields, "login": who, "password": "any"})


def test_who_works_here_comes_in_and_is_known_from_then_on(staff: StaffMember) -> None:
    assert "Continue with Elmville" in page(browser(), "/desk/sign-in/").text
    client = browser()
    answer = client.get(go(client, staff.user.email, f"{BEGIN}?next=/desk/callbacks/"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk/callbacks/")
    page(client, "/desk/callbacks/")
    assert "Elmville" in page(client, "/desk/me/").text
    bound = SocialAccount.objects.get()
    assert (bound.user, bound.provider, bound.extra_data) == (staff.user, "city", {})
    User.objects.filter(pk=staff.user_id).update(email="renamed@example.org")
    again = browser()
    assert again.get(go(again, bound.uid)).status_code == 302
    page(again, "/desk/me/")
    assert SocialAccount.objects.get().extra_data == {}
    assert Event.objects.filter(kind="staff.signed_in").count() == 2
    assert "socialaccount" in Event.objects.filter(kind="staff.signed_in").latest("pk").body


def test_nobody_signs_up_and_an_unverified_address_is_nobodys(staff: StaffMember) -> None:
    gone = a_member(staff.jurisdiction)
    services.deactivate_staff(gone, by=system(staff.jurisdiction_id))
    people = User.objects.count()
    for who in ("stranger@example.org", f"unverified.{staff.user.email}", gone.user.email):
        client = browser()
        assert "You cannot come in with this" in page(client, go(client, who), status=403).text
        assert client.get("/desk/me/").status_code == 302
    assert User.objects.count() == people
    assert not SocialAccount.objects.exists()


def test_a_second_identity_with_the_same_address_is_refused(staff: StaffMember) -> None:
    first, second = browser(), browser()
    assert first.get(go(first, staff.user.email)).status_code == 302
    assert "Another identity" in page(second, go(second, f"second.{staff.user.email}"), status=403).text


def test_an_address_of_a_domain_the_deployment_trusts_needs_no_claim(staff: StaffMember, settings: Any) -> None:
    settings.IDENTITY_PROVIDERS[0]["settings"]["verified_domains"] = ["example.org"]
    client = browser()
    assert client.get(go(client, f"unverified.{staff.user.email}")).status_code == 302
    page(client, "/desk/me/")


def test_the_answer_belongs_to_the_browser_that_asked_and_works_once(staff: StaffMember) -> None:
    victim, attacker = browser(), browser()
    answer = go(attacker, staff.user.email)
    page(victim, answer, status=401)
    assert victim.get("/desk/me/").status_code == 302
    attacker.get(answer)
    page(browser(), answer, status=401)
    forged = answer.replace("code=", "code=x")
    other = browser()
    go(other, staff.user.email)
    page(other, forged, status=401)


def test_a_provider_that_asks_for_a_second_factor_itself_is_enough(staff: StaffMember, settings: Any) -> None:
    settings.PRODUCTION = True
    admin = a_member(staff.jurisdiction, Role.ADMINISTRATOR)
    client = browser()
    client.get(go(client, admin.user.email))
    assert client.get("/desk/").headers["Location"] == "/desk/me/"
    settings.IDENTITY_PROVIDERS[0]["settings"]["second_factor"] = True
    page(client, "/desk/")


def test_a_provider_that_is_away_is_one_sentence(settings: Any) -> None:
    settings.IDENTITY_PROVIDERS[0]["settings"]["server_url"] = "http://127.0.0.1:9"
    page(browser(), BEGIN, status=503)
    page(browser(), "/desk/sign-in/with/unknown/", status=404)
