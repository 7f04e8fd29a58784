"""Coming in: passwords, codes, lock-out, sessions, links, and what nobody may learn or get past on the way."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client

from loop311.accounts import factors, links, lockout, services
from loop311.accounts.models import SignInLock, StaffMember
from loop311.accounts.policies import Role
from loop311.accounts.sessions import device, end_all_sessions
from loop311.accounts.testing import a_city, a_member
from loop311.desk.adapter import FactorsAdapter
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, NotFound
from loop311.kit.testing import browser, page
from loop311.ledger.models import Event

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
DOOR = "/desk/sign-in/"
HOME = "/desk/home/"


@pytest.fixture(autouse=True)
def _quick_and_fresh(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture
def city() -> Jurisdiction:
    return a_city()


@pytest.fixture
def staff(city: Jurisdiction) -> StaffMember:
    return employed(city)


def employed(city: Jurisdiction, role: Role = Role.CONCIERGE) -> StaffMember:
    staff = a_member(city, role)
    staff.user.set_password(PASSWORD)
    staff.user.save()
    return staff


def sent(staff: StaffMember, password: str = PASSWORD, **more: str) -> dict[str, str]:
    return {"login": staff.user.email, "password": password, **more}


def signed_in(staff: StaffMember) -> Client:
    client = browser()
    assert client.post(DOOR, sent(staff)).headers["Location"] == HOME
    return client


def with_app(staff: StaffMember) -> tuple[Client, str]:
    """Signed in, with an authenticator app set up through the pages; its secret."""
    client = signed_in(staff)
    answer = client.get("/desk/me/app/")
    assert answer.headers["Location"].startswith("/desk/me/confirm/")
    assert client.post(answer.headers["Location"], {"password": PASSWORD}).headers["Location"] == "/desk/me/app/"
    shown = page(client, "/desk/me/app/")
    secret = re.search(r"\b[A-Z2-7]{32}\b", shown.text)
    assert secret is not None
    page(client, "/desk/me/app/", data={"code": "000000"}, post=True, status=422)
    assert client.post("/desk/me/app/", {"code": code(secret[0])}).headers["Location"] == "/desk/me/codes/"
    return client, secret[0]


def code(secret: str, later: int = 0) -> str:
    """What the app shows now, or in the window after it."""
    return str(format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1] + later)))


def kinds(staff: StaffMember) -> list[str]:
    return list(
        Event.objects.filter(subject_type="staff", subject_id=staff.pk).order_by("pk").values_list("kind", flat=True)
    )


# --- Passwords ---------------------------------------------------------------------------------------------------------


def test_the_password_lets_in_and_the_diary_says_so(staff: StaffMember) -> None:
    page(signed_in(staff), "/desk/me/")
    assert kinds(staff) == ["staff.added", "staff.signed_in"]


def test_a_wrong_password_an_unknown_address_and_somebody_who_left_are_told_the_same(
    staff: StaffMember, city: Jurisdiction
) -> None:
    gone = employed(city)
    services.deactivate_staff(gone, by=system(city.pk))
    said = {
        page(browser(), DOOR, data=each, post=True, status=422).text.replace(each["login"], "")
        for each in (sent(staff, "wrong"), {"login": "nobody@example.org", "password": "wrong"}, sent(gone))
    }
    assert len(said) == 1


def test_signing_in_makes_a_session_of_its_own(staff: StaffMember) -> None:
    client = browser()
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies["sessionid"] = session.session_key or ""
    before = client.cookies["sessionid"].value
    client.post(DOOR, sent(staff))
    assert client.cookies["sessionid"].value != before


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:evil.example"]
)
def test_nobody_is_led_off_the_site(staff: StaffMember, where: str) -> None:
    client = browser()
    assert client.post(f"{DOOR}?next={where}", sent(staff, next=where)).headers["Location"] == HOME
    assert client.get(f"{DOOR}?next={where}").headers["Location"] == HOME
    assert "evil" not in client.post("/desk/sign-out/", {"next": where}).headers["Location"]


def test_the_password_is_changed_with_the_old_one_and_ends_other_sessions(staff: StaffMember) -> None:
    here, there = signed_in(staff), signed_in(staff)
    new = "another horse battery"
    wrong = {"oldpassword": "no", "password1": new, "password2": new}
    page(here, "/desk/me/password/", data=wrong, post=True, status=422)
    assert here.post("/desk/me/password/", {**wrong, "oldpassword": PASSWORD}).headers["Location"] == "/desk/me/"
    page(here, "/desk/me/")
    assert there.get("/desk/me/").status_code == 302
    assert "staff.password_changed" in kinds(staff)


# --- Lock-out ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exists", [True, False])
def test_after_five_wrong_passwords_the_door_is_closed_for_a_while(staff: StaffMember, exists: bool) -> None:
    address = staff.user.email if exists else "nobody@example.org"
    for _ in range(lockout.ACCOUNT.tries):
        page(browser(), DOOR, data={"login": address, "password": "wrong"}, post=True, status=422)
    said = page(browser(), DOOR, data={"login": address.upper(), "password": PASSWORD}, post=True, status=422).text
    assert "Try again in 15 minutes, or ask an administrator" in said
    assert ("staff.locked_out" in kinds(staff)) is exists


def test_it_opens_with_time(staff: StaffMember) -> None:
    at = now()
    for _ in range(lockout.ACCOUNT.tries):
        lockout.admit(staff.user.email, "192.0.2.1", at=at)
    with pytest.raises(lockout.Locked) as caught:
        lockout.admit(staff.user.email, "192.0.2.1", at=at)
    assert caught.value.minutes == 15
    with pytest.raises(lockout.Locked):
        lockout.admit(staff.user.email, "192.0.2.1", at=at + timedelta(minutes=14))
    lockout.admit(staff.user.email, "192.0.2.1", at=at + timedelta(minutes=16))


def test_an_administrator_lets_in_sooner(staff: StaffMember, city: Jurisdiction) -> None:
    for _ in range(lockout.ACCOUNT.tries):
        lockout.admit(staff.user.email, "192.0.2.1")
    with pytest.raises(lockout.Locked):
        lockout.admit(staff.user.email, "192.0.2.1")
    assert lockout.locked_until(staff) is not None
    assert lockout.locked_among([staff]) == {staff.pk}
    lockout.unlock(staff, by=system(city.pk))
    lockout.admit(staff.user.email, "192.0.2.1")
    assert kinds(staff)[-1] == "staff.unlocked"


def test_old_failures_are_forgotten_and_a_right_password_begins_anew(staff: StaffMember) -> None:
    at = now()
    for minute in range(0, 100, 16):
        lockout.admit(staff.user.email, "192.0.2.1", at=at + timedelta(minutes=minute))
    for _ in range(20):
        lockout.admit(staff.user.email, "192.0.2.1", at=at)
        lockout.passed(staff.user.email, "192.0.2.1")


def test_one_address_cannot_try_many_accounts(city: Jurisdiction) -> None:
    for number in range(lockout.ADDRESS.tries):
        lockout.admit(f"{number}@example.org", "192.0.2.9")
    with pytest.raises(lockout.Locked):
        lockout.admit("another@example.org", "192.0.2.9")
    lockout.admit("another@example.org", "192.0.2.10")


def test_what_was_tried_is_not_to_be_read_in_the_table(staff: StaffMember) -> None:
    lockout.admit(staff.user.email, "192.0.2.1")
    assert all(len(bytes(row.digest)) == 32 for row in SignInLock.objects.all())


# --- Second factors ----------------------------------------------------------------------------------------------------


def test_with_an_app_the_password_alone_lets_nobody_in(staff: StaffMember) -> None:
    _, secret = with_app(staff)
    client = browser()
    assert client.post(DOOR, sent(staff, next="/desk/callbacks/")).headers["Location"].startswith("/desk/sign-in/code/")
    assert client.get("/desk/").status_code == 302
    page(client, "/desk/sign-in/code/")
    assert "not accepted" in page(client, "/desk/sign-in/code/", data={"code": "000000"}, post=True, status=422).text
    assert client.post("/desk/sign-in/code/", {"code": code(secret, 1)}).headers["Location"] == "/desk/callbacks/"
    page(client, "/desk/callbacks/")
    assert "totp" in str(Event.objects.filter(kind="staff.signed_in").latest("pk").body)


def test_a_code_is_taken_once(staff: StaffMember) -> None:
    _, secret = with_app(staff)
    first, second = browser(), browser()
    for client in (first, second):
        client.post(DOOR, sent(staff))
    seen = code(secret, 1)
    assert first.post("/desk/sign-in/code/", {"code": seen}).status_code == 302
    page(second, "/desk/sign-in/code/", data={"code": f"{seen[:3]} {seen[3:]}"}, post=True, status=422)


def test_codes_cannot_be_guessed_at_leisure(staff: StaffMember) -> None:
    with_app(staff)
    client = browser()
    client.post(DOOR, sent(staff))
    for number in range(5):
        client.post("/desk/sign-in/code/", {"code": f"00000{number}"})
    said = page(client, "/desk/sign-in/code/", data={"code": "999999"}, post=True, status=422).text
    assert "Too many wrong tries" in said


def test_a_recovery_code_lets_in_once(staff: StaffMember) -> None:
    client, _ = with_app(staff)
    shown = page(client, "/desk/me/codes/").text
    recovery = re.findall(r"\b\d{4}\s?-?\d{4}\b", shown)
    assert len(recovery) == 10
    first, second = browser(), browser()
    for each in (first, second):
        each.post(DOOR, sent(staff))
    assert first.post("/desk/sign-in/code/", {"code": recovery[0]}).status_code == 302
    page(second, "/desk/sign-in/code/", data={"code": recovery[0]}, post=True, status=422)
    page(client, "/desk/me/codes/new/")
    client.post("/desk/me/codes/new/")
    assert recovery[1] not in page(client, "/desk/me/codes/").text
    assert len(re.findall(rb"\d{4}\s?-?\d{4}", client.get("/desk/me/codes/file/").content)) == 10


def test_secrets_of_factors_are_sealed_in_the_database(staff: StaffMember) -> None:
    _, secret = with_app(staff)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert "gAAAA" in stored


def test_factors_are_changed_only_by_who_has_just_proved_themselves(staff: StaffMember) -> None:
    client, _ = with_app(staff)
    page(client, "/desk/me/app/remove/")
    later = signed_in_with_code(staff)
    for path in ("app/remove/", "codes/", "codes/new/", "passkeys/add/"):
        assert later.get(f"/desk/me/{path}").headers["Location"].startswith("/desk/me/confirm/"), path
    assert later.post("/desk/me/app/remove/").headers["Location"].startswith("/desk/me/confirm/")
    assert factors.has_second_factor(staff.user)
    page(later, "/desk/me/confirm/?next=/desk/me/", data={"password": "wrong"}, post=True, status=422)
    page(later, "/desk/me/confirm/code/?next=/desk/me/")
    client.post("/desk/me/app/remove/")
    assert not Authenticator.objects.filter(user=staff.user).exists()
    assert kinds(staff)[-1] == "staff.factor_removed"


def signed_in_with_code(staff: StaffMember) -> Client:
    client = browser()
    client.post(DOOR, sent(staff))
    sealed = Authenticator.objects.get(user=staff.user, type="totp").data["secret"]
    client.post("/desk/sign-in/code/", {"code": code(FactorsAdapter().decrypt(sealed), 1)})
    return client


# --- Who must have one -------------------------------------------------------------------------------------------------


@pytest.fixture
def production(settings: Any) -> None:
    settings.PRODUCTION = True


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("role", Role)
def test_in_a_real_city_some_roles_open_nothing_without_a_second_factor(city: Jurisdiction, role: Role) -> None:
    client = signed_in(employed(city, role))
    must = role in {Role.ADMINISTRATOR, Role.CONFIGURATION_MANAGER, Role.AUDITOR}
    answer = client.get("/desk/")
    assert (answer.status_code, answer.headers.get("Location")) == ((302, "/desk/me/") if must else (200, None))
    assert ("Set up a second factor first" in page(client, "/desk/me/").text) is must


@pytest.mark.usefixtures("production")
def test_with_one_they_open_everything_and_the_city_may_ask_more_roles(city: Jurisdiction) -> None:
    admin = employed(city, Role.ADMINISTRATOR)
    client, _ = with_app(admin)
    page(client, "/desk/")
    concierge = signed_in(employed(city))
    page(concierge, "/desk/")
    client.post("/desk/staff/second-factors/", {"roles": ["concierge"]})
    assert concierge.get("/desk/").headers["Location"] == "/desk/me/"
    city.refresh_from_db()
    assert city.second_factor_roles == ["concierge"]
    assert Event.objects.get(kind="city.second_factor_required").subject_id == city.pk


@pytest.mark.usefixtures("production")
def test_demo_sign_ins_open_nothing_in_production() -> None:
    staff = employed(a_city(is_demo=True), Role.ADMINISTRATOR)
    page(browser(), DOOR, data=sent(staff), post=True, status=422)
    client = browser()
    client.force_login(staff.user)
    page(client, "/desk/me/", status=403)


def test_a_demo_city_asks_for_no_second_factor() -> None:
    page(signed_in(employed(a_city(is_demo=True), Role.ADMINISTRATOR)), "/desk/")


# --- Sessions ----------------------------------------------------------------------------------------------------------


def test_people_see_where_they_are_signed_in_and_sign_out_there(staff: StaffMember) -> None:
    here, there, third = signed_in(staff), signed_in(staff), signed_in(staff)
    content = here.get("/desk/me/").content.decode()
    found = re.findall(r"/desk/me/sessions/(\d+)/end/", content)
    assert len(found) == 2
    assert here.post(f"/desk/me/sessions/{found[0]}/end/").status_code == 302
    assert sorted([there.get("/desk/me/").status_code, third.get("/desk/me/").status_code]) == [200, 302]
    here.post("/desk/me/sessions/end/")
    assert there.get("/desk/me/").status_code == third.get("/desk/me/").status_code == 302
    page(here, "/desk/me/")


def test_nobody_ends_somebody_elses_session(staff: StaffMember, city: Jurisdiction) -> None:
    other, mine = employed(city), signed_in(staff)
    theirs = signed_in(other)
    number = UserSession.objects.get(user=other.user).pk
    page(mine, f"/desk/me/sessions/{number}/end/", post=True, status=404)
    page(theirs, "/desk/me/")


def test_who_leaves_is_signed_out_at_once(staff: StaffMember, city: Jurisdiction) -> None:
    client = signed_in(staff)
    page(client, "/desk/")
    services.deactivate_staff(staff, by=system(city.pk))
    assert client.get("/desk/").headers["Location"].startswith(DOOR)
    assert end_all_sessions(staff.user) == 0


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0",
            "Edge, Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) AppleWebKit/605 Version/19 Mobile Safari/604.1", "Safari, iOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("curl/8", ""),
    ],
)
def test_a_device_is_named_as_people_know_it(agent: str, said: str) -> None:
    assert device(agent) == said


# --- Links -------------------------------------------------------------------------------------------------------------


def path_of(link: str) -> str:
    return link[link.index("/desk/") :]


def test_a_link_lets_choose_a_password_once(staff: StaffMember) -> None:
    elsewhere = signed_in(staff)
    staff.user.refresh_from_db()
    link = path_of(links.password_link(staff))
    client, new = browser(), "a quite new sentence"
    assert staff.user.email in page(client, link).text
    page(client, link, data={"password": "short"}, post=True, status=422)
    assert client.post(link, {"password": new}).headers["Location"] == DOOR
    page(client, link, status=404)
    page(client, link, data={"password": "taken over again"}, post=True, status=404)
    assert elsewhere.get("/desk/me/").status_code == 302
    assert browser().post(DOOR, sent(staff, new)).status_code == 302


def test_a_link_of_somebody_who_left_or_a_made_up_one_opens_nothing(staff: StaffMember, city: Jurisdiction) -> None:
    link = path_of(links.password_link(staff))
    services.deactivate_staff(staff, by=system(city.pk))
    for path in (link, "/desk/password/1/abc-def/", "/desk/password/zzzzzzzzzzzzzzzzzzzzzzzzzzz/x/"):
        page(browser(), path, status=404)
    with pytest.raises(NotFound):
        links.user_behind("~", "x")


def test_forgetting_is_answered_the_same_for_every_address(staff: StaffMember) -> None:
    said = {
        page(browser(), "/desk/forgot/", data={"email": each}, post=True).text
        for each in (staff.user.email, "no@example.org")
    }
    assert len(said) == 1
    assert Event.objects.filter(kind="staff.link_asked").count() == 1
    page(browser(), "/desk/forgot/", data={"email": "x"}, post=True, status=422)


# --- Taking away -------------------------------------------------------------------------------------------------------


def test_an_administrator_takes_factors_away_and_the_person_is_signed_out(
    staff: StaffMember, city: Jurisdiction
) -> None:
    client, _ = with_app(staff)
    admin = services.actor_for_staff(employed(city, Role.ADMINISTRATOR))
    factors.reset_factors(staff, by=admin)
    assert client.get("/desk/me/").status_code == 302
    signed_in(staff)
    assert "staff.factors_reset" in kinds(staff)


def test_factors_of_somebody_who_also_works_elsewhere_are_not_one_citys_to_take(
    staff: StaffMember, city: Jurisdiction
) -> None:
    other = a_city()
    services.create_staff(other, staff.user.email, name="Both", roles=["concierge"], by=system(other.pk))
    with pytest.raises(Conflict, match="another city"):
        factors.reset_factors(staff, by=services.actor_for_staff(employed(city, Role.ADMINISTRATOR)))
    factors.reset_factors(staff, by=system(city.pk))
