"""Who may do what, tried out: every address and every operation of the API, with every role, against the one table.

New pages and operations are walked without being named here. A page fails that does not say who may use it
(`desk.access.desk_page`, or `accounts.audience.open_to`), or that can be posted to with no more than a permission to read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from loop311.accounts.audience import is_known, permission_of
from loop311.accounts.models import StaffMember
from loop311.accounts.policies import ANYBODY, PERMISSIONS, SIGNED_IN, Role
from loop311.accounts.testing import a_member, a_secret, bearer
from loop311.desk import verbs
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.api import permissions_asked
from loop311.kit.testing import browser
from loop311.site.middleware import CONTENT_SECURITY_POLICY
from loop311.site.tests import test_nothing_crosses as samples
from loop311.site.tests.test_nothing_crosses import Operation, Theirs, operations

pytestmark = pytest.mark.django_db

theirs = samples.theirs
"""A city with one of everything, and the ids of it by the names that parts of addresses have."""

WRITES_OF_ITS_OWN = ("django_session", "usersessions_usersession", "site_cache", "accounts_signinlock")
"""What any visit may leave behind: sessions, counters of attempts."""


@dataclass(frozen=True)
class Address:
    route: str
    parts: tuple[str, ...]
    view: Any

    def path(self, theirs: Theirs) -> str:
        return "/" + samples._filled(self.route, list(self.parts), theirs).lstrip("^").rstrip("$")

    def permission(self, method: str, theirs: Theirs) -> str | None:
        return permission_of(self.view, method, **{part: theirs[part] for part in self.parts})

    def __str__(self) -> str:
        return self.route or "/"


def addresses(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "") -> Iterator[Address]:
    """Every address outside the API, which has its own walk."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif not route.startswith(
            ("api/", "open311/", "hooks/")
        ):  # doors of other systems, with keys and tests of their own
            yield Address(route, tuple(pattern.pattern.converters), pattern.callback)


def guarded(theirs: Theirs) -> list[tuple[Address, str, str]]:
    """Address, method and permission of all that is not open to anybody."""
    found = [(each, method, str(each.permission(method, theirs))) for each in addresses() for method in ("GET", "POST")]
    return [(each, method, permission) for each, method, permission in found if permission != ANYBODY]


def undone(client: Client, method: str, path: str, **more: Any) -> HttpResponse:
    """The answer; whatever the request wrote is taken back, and the browser is as signed in as before."""
    cookies = SimpleCookie({name: morsel.value for name, morsel in client.cookies.items()})
    with transaction.atomic():
        answer: HttpResponse = client.generic(method, path, **more)  # type: ignore[assignment]
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def is_sign_in(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer.headers["Location"].startswith(reverse("account_login"))


def city_of(theirs: Theirs) -> Jurisdiction:
    return StaffMember.objects.get(pk=theirs["staff"]).jurisdiction


def browser_of(theirs: Theirs, role: Role) -> Client:
    client = browser()
    client.force_login(a_member(city_of(theirs), role).user)
    return client


def test_every_address_says_who_may_use_it() -> None:
    assert [str(each) for each in addresses() if not is_known(getattr(each.view, "permission", None))] == []


def test_what_can_be_posted_to_needs_more_than_reading(theirs: Theirs) -> None:
    admin, wrong = browser_of(theirs, Role.ADMINISTRATOR), []
    for each in addresses():
        if str(each.permission("POST", theirs)).endswith(".read"):
            answer = undone(admin, "POST", each.path(theirs))
            wrong += [] if answer.status_code == 405 else [f"{each} can be posted to; say desk_page(..., writing=...)"]
    assert wrong == []


def test_every_page_opens_for_those_in_the_table_and_for_nobody_else(theirs: Theirs) -> None:
    wrong = []
    for role in Role:
        client = browser_of(theirs, role)
        for each, method, permission in guarded(theirs):
            may = permission == SIGNED_IN or role in PERMISSIONS[permission]
            answer = undone(client, method, each.path(theirs))
            if answer.status_code != 405 and not _agrees(answer, may):
                wrong.append(f"{role} {method} {each} ({permission}): {answer.status_code}")
    assert wrong == []


def _agrees(answer: HttpResponse, may: bool) -> bool:
    return answer.status_code not in (403, 500) if may else answer.status_code == 403


def test_every_verb_on_a_request_is_for_those_in_the_table(theirs: Theirs) -> None:
    for role in Role:
        client = browser_of(theirs, role)
        for act in verbs.ACTS:
            answer = undone(client, "POST", f"/desk/requests/{theirs['number']}/{act.name}/")
            assert (answer.status_code == 403) is (role not in PERMISSIONS[f"requests.{act.verb}"]), (role, act.name)


def test_who_is_not_signed_in_is_asked_to(theirs: Theirs) -> None:
    wrong = []
    for each, method, _ in guarded(theirs):
        answer = undone(browser(), method, each.path(theirs))
        if answer.status_code != 405 and not is_sign_in(answer):
            wrong.append(f"{method} {each}: {answer.status_code}")
    assert wrong == []


def test_an_auditor_changes_nothing_anywhere(theirs: Theirs) -> None:
    client, secret = browser_of(theirs, Role.AUDITOR), a_secret(city_of(theirs), staff=_auditor(theirs))
    before, wrong = _contents(), []
    for each in addresses():
        if each.permission("POST", theirs) not in (ANYBODY, SIGNED_IN):
            answer = client.post(each.path(theirs))
            wrong += [] if answer.status_code in (403, 405) else [f"POST {each}: {answer.status_code}"]
    for operation in operations():
        if operation.method != "get" and str(operation) not in ASKING_BY_POST:
            answer = _call(operation, theirs, secret)
            wrong += [] if answer.status_code == 403 else [f"{operation}: {answer.status_code}"]
    assert wrong == []
    assert _contents() == before


def _auditor(theirs: Theirs) -> StaffMember:
    return a_member(city_of(theirs), Role.AUDITOR)


def _contents() -> dict[str, str]:
    """A digest of every table."""
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in WRITES_OF_ITS_OWN]
        found = {}
        for table in tables:
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {name} t")
            found[table] = str(cursor.fetchone()[0])
        return found


# --- The API -----------------------------------------------------------------------------------------------------------

ANY_TOKEN = {"GET /api/v1/me"}
"""What every token may ask, whatever its scopes."""

BODIES: dict[str, Any] = {
    "POST /api/v1/notifications/preview": {"event": "request.filed"},
    "POST /api/v1/requests/preview": {"service_code": "pothole"},
    "PUT /api/v1/notifications/quiet-hours": {"start": "21:00", "end": "08:00"},
}
"""Bodies for operations that refuse the plainest one their schema allows before they ask for a scope."""


def _call(operation: Operation, theirs: Theirs, secret: str) -> Any:
    path = operation.path.format(**{name: theirs[name] for name in operation.parameters})
    body = json.dumps(BODIES.get(str(operation)) or samples._body(operation.body, theirs)) if operation.body else ""
    return undone(
        browser(),
        operation.method.upper(),
        path + samples._needed(operation, theirs),
        data=body,
        content_type="application/json",
        headers=bearer(secret),
    )


def test_every_operation_needs_a_token(theirs: Theirs) -> None:
    asked = {str(each): _call(each, theirs, "l311_nobody").status_code for each in operations()}
    assert {what: status for what, status in asked.items() if status != 401} == {}


def test_every_operation_is_for_those_in_the_table_and_for_nobody_else(theirs: Theirs) -> None:
    wrong = []
    for role in Role:
        secret = a_secret(city_of(theirs), staff=a_member(city_of(theirs), role))
        wrong += [f"{role} {fault}" for each in operations() if (fault := _fault(each, theirs, secret, role))]
    assert wrong == []


def _fault(operation: Operation, theirs: Theirs, secret: str, role: Role) -> str:
    """What is wrong with how this role was answered; empty when nothing is."""
    answer = _call(operation, theirs, secret)
    asked = permissions_asked(answer.wsgi_request)
    if not asked:
        return (
            "" if str(operation) in ANY_TOKEN else f"{operation} asked for no scope: {answer.status_code} (see BODIES)"
        )
    may = all(role in PERMISSIONS[permission] for permission in asked)
    if (answer.status_code == 403) is may or answer.status_code >= 500:
        return f"{operation} ({asked}): {answer.status_code}"
    enough = operation.method == "get" or not all(permission.endswith(".read") for permission in asked)
    return "" if enough or str(operation) in ASKING_BY_POST else f"{operation} changes something with {asked} only"


ASKING_BY_POST = {"POST /api/v1/notifications/preview", "POST /api/v1/requests/preview"}
"""Operations that change nothing although they are posted to, because what is asked does not fit into an address."""


# --- What every answer carries -----------------------------------------------------------------------------------------


def is_file(address: Address, answer: HttpResponse) -> bool:
    """What somebody sent: nothing may run in it, and its address never shows another."""
    return address.view.__module__ == "loop311.desk.views.files" and answer.status_code == 200


def is_drawing(answer: HttpResponse) -> bool:
    """Areas and streets of a version that is never edited: the city's shape, nobody's words."""
    return answer.headers["Content-Type"] == "application/geo+json"


def test_every_page_carries_the_policies_of_a_page(theirs: Theirs) -> None:
    admin, wrong = browser_of(theirs, Role.ADMINISTRATOR), []
    for each in addresses():
        for client in (admin, browser()):
            answer = undone(client, "GET", each.path(theirs))
            policy = answer.headers.get("Content-Security-Policy", "")
            if is_file(each, answer):
                wrong += [] if policy == "default-src 'none'; sandbox" else [f"{each}: {policy!r}"]
            elif policy != CONTENT_SECURITY_POLICY or "unsafe" in policy or "default-src 'self'" not in policy:
                wrong.append(f"{each}: {policy!r}")
            if (
                answer.headers.get("X-Frame-Options") != "DENY"
                or answer.headers.get("X-Content-Type-Options") != "nosniff"
            ):
                wrong.append(f"{each}: {answer.headers}")
    assert wrong == []


def test_what_is_shown_to_staff_is_kept_by_no_cache_of_others(theirs: Theirs) -> None:
    admin, wrong = browser_of(theirs, Role.ADMINISTRATOR), []
    for each in addresses():
        if each.permission("GET", theirs) != ANYBODY:
            answer = undone(admin, "GET", each.path(theirs))
            kept = answer.headers.get("Cache-Control", "")
            alone = is_file(each, answer) or is_drawing(answer)
            if answer.status_code == 200 and ("private" if alone else "no-store") not in kept:
                wrong.append(f"{each}: {answer.headers.get('Cache-Control')}")
    assert wrong == []


BY_ITSELF = {"unsubscribe/<str:token>", "digest/<str:token>"}
"""Mail programs post here by themselves (RFC 8058); the signed address is the proof."""


def test_no_form_is_taken_without_its_token(theirs: Theirs) -> None:
    admin = browser_of(theirs, Role.ADMINISTRATOR)
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = admin.cookies
    asked = {
        str(each): undone(careful, "POST", each.path(theirs)) for each in addresses() if str(each) not in BY_ITSELF
    }
    wrong = {
        what: a.status_code for what, a in asked.items() if a.status_code != 403 or b"form had expired" not in a.content
    }
    assert wrong == {}
