"""Contacts that were left open: noticed once, shown to those it concerns, taken over or wrapped up with a reason."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from loop311.accounts.policies import Role
from loop311.desk.contact import noticing
from loop311.desk.models import Draft
from loop311.desk.tasks import note_contacts_left_open
from loop311.desk.testing import Sitting, sit
from loop311.desk.tests.test_contact import Window, begin
from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction
from loop311.kit.clock import now
from loop311.kit.problems import Forbidden
from loop311.kit.testing import page, same_number_of_queries
from loop311.ledger.models import Event
from loop311.requests.models import Request
from loop311.requests.testing import make_city

pytestmark = pytest.mark.django_db

LIST = "/desk/contacts/open/"


@pytest.fixture
def desk() -> Sitting:
    return sit(role=Role.CONCIERGE, name="first")


@pytest.fixture
def boss(desk: Sitting) -> Sitting:
    return sit(desk.city, Role.SUPERVISOR, name="boss")


def forgotten(desk: Sitting, hours: float = 3, **typed: str) -> Window:
    """A contact that nobody has touched for so long."""
    window = begin(desk)
    window.step("service", "pothole", want="a hole nobody wrote down", **typed)
    Draft.objects.filter(interaction_id=window.number).update(updated_at=now() - timedelta(hours=hours))
    return window


def told(kind: str) -> list[dict[str, object]]:
    return [json.loads(event.body) for event in Event.objects.filter(kind=kind)]


def test_what_nobody_has_touched_for_hours_is_noticed_once(desk: Sitting) -> None:
    forgotten(desk)
    forgotten(desk, hours=1)
    note_contacts_left_open(0)
    note_contacts_left_open(0)
    assert told("interaction.left_open") == [{"staff": desk.staff.pk}]
    assert Interaction.objects.filter(ended_at__isnull=True).count() == 2


def test_the_hours_are_a_setting(desk: Sitting, settings: object) -> None:
    settings.CONTACT_LEFT_OPEN_HOURS = 5  # type: ignore[attr-defined]
    forgotten(desk)
    assert noticing.sweep() == 0


def test_its_owner_is_told_and_going_on_with_it_ends_that(desk: Sitting) -> None:
    window = forgotten(desk)
    noticing.sweep()
    assert "Left open: go on with it or wrap it up" in page(desk.client, "/desk/contact/").check().text
    window.look()
    window.step("go", want="a hole, and more")
    assert "Left open" not in page(desk.client, "/desk/contact/").text
    assert noticing.sweep() == 0


def test_the_supervisor_is_told_and_sees_everybodys_contacts(desk: Sitting, boss: Sitting) -> None:
    forgotten(desk)
    noticing.sweep()
    assert "1 contact was left open" in page(boss.client, "/desk/contact/").check().text
    text = page(boss.client, LIST).check().text
    for words in ("first", "Left open", "a hole nobody wrote down"):
        assert words in text


def test_colleagues_see_that_but_not_what(desk: Sitting) -> None:
    forgotten(desk)
    other = sit(desk.city, Role.CONCIERGE, name="other")
    text = page(other.client, LIST).check().text
    assert "first" in text
    assert "a hole nobody wrote down" not in text
    assert "left open" not in page(other.client, "/desk/contact/").text


def test_one_of_another_city_is_not_there(desk: Sitting) -> None:
    window = forgotten(desk)
    stranger = sit(make_city("other"), Role.SUPERVISOR, name="stranger")
    for verb in ("", "take/", "end/"):
        address = f"{LIST}{window.number}/{verb}"
        assert (stranger.client.post(address) if verb else stranger.client.get(address)).status_code == 404
    assert "None. Every contact has been wrapped up." in page(stranger.client, LIST).text


def test_a_supervisor_goes_on_with_everything_typed(desk: Sitting, boss: Sitting) -> None:
    window = forgotten(desk)
    shown = page(boss.client, f"{LIST}{window.number}/").check().text
    assert "a hole nobody wrote down" in shown
    assert boss.client.post(f"{LIST}{window.number}/take/").headers["Location"] == window.address
    taken = Window(boss.client, window.address)
    assert "a hole nobody wrote down" in taken.page.text
    taken.step("file", address="somewhere", **{"q-danger": "no"})
    taken.step("end")
    assert told("interaction.taken_over") == [{"from": desk.staff.pk, "to": boss.staff.pk}]
    assert Request.objects.get().description == "a hole nobody wrote down"
    assert Interaction.objects.get().staff == desk.staff


def test_whoever_had_it_is_told_by_whom_and_loses_no_word(desk: Sitting, boss: Sitting) -> None:
    window = forgotten(desk)
    boss.client.post(f"{LIST}{window.number}/take/")
    shown = window.step("go", "", 409, want="words that came too late").check()
    assert "boss goes on with this contact" in shown.text
    assert "words that came too late" in shown.text
    htmx = window.client.post(
        f"{window.address}go/", {**window.state, "want": "late again"}, headers={"HX-Request": "true"}
    )
    assert (htmx.status_code, htmx.headers["X-Contact-Taken"]) == (409, "1")
    assert "late again" in htmx.content.decode()
    keeper = window.client.post(f"{window.address}go/", window.state, headers={"Accept": "application/json"})
    assert "boss" in keeper.json()["detail"]
    assert "boss goes on" in page(desk.client, window.address, status=409).check().text
    assert Draft.objects.get().content["typed"]["want"] == ["a hole nobody wrote down"]
    Window(boss.client, window.address).step("end")
    assert "it is wrapped up" in page(desk.client, window.address, status=409).text


def test_it_is_wrapped_up_for_somebody_else_with_a_reason(desk: Sitting, boss: Sitting) -> None:
    window = forgotten(desk)
    address = f"{LIST}{window.number}/end/"
    version = Draft.objects.get().version
    refused = boss.client.post(address, {"version": version})
    assert refused.status_code == 422
    assert "Say why it is wrapped up" in refused.content.decode()
    assert boss.client.post(address, {"version": version, "reason": "forgotten"}).status_code == 302
    assert told("interaction.ended") == [{"outcome": "abandoned", "topic": "pothole", "reason": "forgotten"}]
    assert told("interaction.taken_over") == [{"from": desk.staff.pk, "to": boss.staff.pk}]
    assert not Draft.objects.exists()


def test_what_was_typed_meanwhile_is_not_wrapped_up_unseen(desk: Sitting, boss: Sitting) -> None:
    window = forgotten(desk)
    shown = page(boss.client, f"{LIST}{window.number}/").html
    version = re.search(r'name="version" value="(\d+)"', shown)
    assert version
    window.look()
    window.step("go", want="I am back")
    sent = {"version": version[1], "reason": "forgotten"}
    again = boss.client.post(f"{LIST}{window.number}/end/", sent)
    assert again.status_code == 409
    assert "I am back" in again.content.decode()
    assert Draft.objects.get().staff == desk.staff


def test_only_a_supervisor_or_administrator_takes_over(desk: Sitting) -> None:
    window = forgotten(desk)
    for role in set(Role) - {Role.SUPERVISOR, Role.ADMINISTRATOR}:
        other = sit(desk.city, role, name=f"some-{role}")
        assert other.client.post(f"{LIST}{window.number}/take/").status_code in (302, 403)
        assert Draft.objects.get().staff == desk.staff
    with pytest.raises(Forbidden):
        interactions.take_over(Interaction.objects.get(), desk.staff.pk, by=desk.city.concierge)


def test_the_list_asks_the_database_no_more_for_many(desk: Sitting, boss: Sitting) -> None:
    forgotten(desk)
    same_number_of_queries(lambda: page(boss.client, LIST), lambda: [forgotten(desk) for _ in range(4)])
