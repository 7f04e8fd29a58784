"""The administrators' page: taking on, changing, letting go, letting in again."""

from __future__ import annotations

import pytest

from loop311.accounts import factors, lockout
from loop311.accounts.models import StaffMember
from loop311.accounts.policies import Role
from loop311.accounts.testing import a_member
from loop311.desk.testing import Sitting, sit
from loop311.kit.clock import now
from loop311.kit.testing import page, same_number_of_queries
from loop311.ledger.models import Event
from loop311.requests.testing import make_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Sitting:
    return sit()


NEW = {
    "email": "New@Example.org",
    "name": "Demo Newcomer",
    "roles": ["concierge", "team_lead"],
    "teams": ["north"],
    "department": "",
}


def kinds(staff: StaffMember) -> list[str]:
    return list(
        Event.objects.filter(subject_type="staff", subject_id=staff.pk).order_by("pk").values_list("kind", flat=True)
    )


def test_somebody_is_taken_on_and_gets_a_link(admin: Sitting) -> None:
    page(admin.client, "/desk/staff/new/")
    answer = admin.client.post("/desk/staff/new/", NEW)
    staff = StaffMember.objects.get(user__email="new@example.org")
    assert answer.headers["Location"] == f"/desk/staff/{staff.pk}/"
    assert (staff.roles, [team.code for team in staff.teams.all()]) == (["concierge", "team_lead"], ["north"])
    assert kinds(staff) == ["staff.added", "staff.link_asked"]
    assert not staff.user.has_usable_password()
    body = Event.objects.filter(kind="staff.added", subject_id=staff.pk).get().body
    assert "Newcomer" not in body
    assert "example" not in body
    assert "Demo Newcomer" in page(admin.client, "/desk/staff/?q=newc").text


def test_what_is_wrong_is_said_and_kept(admin: Sitting) -> None:
    shown = page(admin.client, "/desk/staff/new/", data={"email": "x", "name": "Demo Kept"}, post=True, status=422)
    assert any(field.get("value") == "Demo Kept" for field in shown.fields)
    admin.client.post("/desk/staff/new/", NEW)
    answer = admin.client.post("/desk/staff/new/", NEW)
    assert answer.status_code == 409
    assert b"works for the city already" in answer.content
    assert (
        admin.client.post("/desk/staff/new/", {**NEW, "email": "b@example.org", "roles": ["king"]}).status_code == 422
    )


def test_roles_teams_and_name_are_changed(admin: Sitting) -> None:
    staff = a_member(admin.city.jurisdiction, Role.CONCIERGE)
    page(admin.client, f"/desk/staff/{staff.pk}/")
    sent = {"name": "Demo Other", "roles": ["auditor"], "teams": ["south"], "department": staff.department_id or ""}
    assert admin.client.post(f"/desk/staff/{staff.pk}/", sent).status_code == 302
    staff.refresh_from_db()
    assert (staff.name, staff.roles, [team.code for team in staff.teams.all()]) == (
        "Demo Other",
        ["auditor"],
        ["south"],
    )
    assert admin.client.post(f"/desk/staff/{staff.pk}/", {**sent, "roles": []}).status_code == 422


def test_each_thing_to_do_is_done_and_told(admin: Sitting) -> None:
    staff = a_member(admin.city.jurisdiction)
    for _ in range(lockout.ACCOUNT.tries + 1):
        try:
            lockout.admit(staff.user.email, "192.0.2.1", at=now())
        except lockout.Locked:
            assert "Locked out until" in page(admin.client, f"/desk/staff/{staff.pk}/").text
    assert "locked out" in page(admin.client, "/desk/staff/").text
    for name in ("unlock", "invite", "reset-factors", "leave", "return"):
        assert admin.client.post(f"/desk/staff/{staff.pk}/{name}/").status_code == 302, name
        page(admin.client, f"/desk/staff/{staff.pk}/")
    told = ["staff.unlocked", "staff.link_asked", "staff.factors_reset", "staff.left", "staff.returned"]
    assert kinds(staff)[-5:] == told
    assert admin.client.post(f"/desk/staff/{staff.pk}/nonsense/").status_code == 404


def test_a_city_keeps_an_administrator(admin: Sitting) -> None:
    path = f"/desk/staff/{admin.staff.pk}/"
    assert admin.client.post(f"{path}leave/").status_code == 409
    sent = {"name": "Demo Only", "roles": ["concierge"]}
    assert "no administrator left" in page(admin.client, path, data=sent, post=True, status=409).text  # type: ignore[arg-type]
    a_member(admin.city.jurisdiction, Role.ADMINISTRATOR)
    assert admin.client.post(f"{path}leave/").status_code == 302


def test_an_auditor_reads_it_and_finds_no_button() -> None:
    city = make_city()
    auditor, other = sit(city, Role.AUDITOR, name="auditor-2"), a_member(city.jurisdiction)
    for path in ("/desk/staff/", f"/desk/staff/{other.pk}/"):
        content = auditor.client.get(path).content.decode()
        assert page(auditor.client, path)
        assert 'method="post"' not in content.partition("<main")[2]


def test_which_roles_need_a_second_factor_is_chosen_among_roles(admin: Sitting) -> None:
    assert admin.client.post("/desk/staff/second-factors/", {"roles": ["king"]}).status_code == 422
    admin.client.post("/desk/staff/second-factors/", {"roles": ["supervisor", "concierge"]})
    admin.city.jurisdiction.refresh_from_db()
    assert admin.city.jurisdiction.second_factor_roles == ["concierge", "supervisor"]
    before = Event.objects.count()
    factors.require_second_factor(admin.city.jurisdiction, ["supervisor", "concierge"], by=admin.city.system)
    assert Event.objects.count() == before


def test_the_list_asks_the_same_number_of_times_whatever_its_length(admin: Sitting) -> None:
    def more() -> None:
        for _ in range(4):
            a_member(admin.city.jurisdiction, teams=["north"])

    more()
    assert same_number_of_queries(lambda: admin.client.get("/desk/staff/"), more) <= 14
