"""Residents at the desk: found side by side, written down, everything of one on one page, two made one and two again."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from loop311.accounts.policies import Role
from loop311.callbacks.testing import a_callback
from loop311.desk.testing import Sitting, sit
from loop311.interactions import services as interactions
from loop311.kit.clock import now
from loop311.kit.testing import page, same_number_of_queries
from loop311.ledger.models import Event
from loop311.notifications.services import notify_callback_event
from loop311.requests.testing import City, make_city
from loop311.residents import services as residents
from loop311.residents.models import Consent, ContactPoint, Merge, Resident
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Sitting:
    return sit(role=Role.CONCIERGE)


def ana(desk: Sitting, **more: str) -> Resident:
    return a_resident(desk.city.jurisdiction, "Ana López", **{"mobile": "214-555-0123", "language": "es", **more})


def post(desk: Sitting, path: str, status: int = 302, **data: Any) -> str:
    answer = desk.client.post(f"/desk/residents/{path}", data)
    assert answer.status_code == status, answer.content.decode()[-2000:]
    return answer.headers.get("Location", "") if status == 302 else answer.content.decode()


# --- Finding and writing down ------------------------------------------------------------------------------------------


def test_several_who_may_be_meant_stand_side_by_side(desk: Sitting) -> None:
    first = ana(desk)
    desk.city.file(resident=first, at=now())
    a_resident(desk.city.jurisdiction, "Ana Lopes", email="ana@example.org")
    text = page(desk.client, "/desk/residents/?q=ana+lopez").text
    for part in (
        "2 may be meant",
        "Ana López",
        "Nearly this name",
        "Ana Lopes",
        "Pothole",
        "Spanish",
        "(214) 555-0123",
    ):
        assert part in text
    assert "Nobody is known" in page(desk.client, "/desk/residents/?q=zzzyq").text
    page(desk.client, "/desk/residents/")
    page(desk.client, "/desk/residents/?q=%00%25'--")


def test_somebody_new_is_written_down_in_one_small_form(desk: Sitting) -> None:
    assert 'value="555-0199"' in page(desk.client, "/desk/residents/new/?q=555-0199").html
    assert 'value="Ana López"' in page(desk.client, "/desk/residents/new/?q=Ana+L%C3%B3pez").html
    post(desk, "new/", name="Ana López", phone="(214) 555-0123", email="", language="es", address="412 Elm St")
    person = Resident.objects.get(name="Ana López")
    assert (person.language, person.address, person.contact_points.get().address) == (
        "es",
        "412 Elm St",
        "+12145550123",
    )


def test_what_is_missing_or_wrong_is_said_at_its_field_and_the_rest_is_kept(desk: Sitting) -> None:
    path, sent = "/desk/residents/new/", {"name": "Ana", "phone": "12", "email": "", "language": "en", "address": ""}
    text = page(desk.client, path, status=422, data=sent, post=True).html
    assert "This is not a telephone number." in text
    assert 'value="Ana"' in text
    wrong = page(desk.client, path, status=422, data={**sent, "phone": "", "email": "a@b"}, post=True).html
    assert "This is not an e-mail address." in wrong
    assert "Give a name" in page(desk.client, path, status=422, data={"language": "en"}, post=True).text
    assert not Resident.objects.exists()


def test_a_number_that_is_known_shows_whose_it_is_before_a_second_one_is_made(desk: Sitting) -> None:
    known = ana(desk)
    sent: dict[str, Any] = {"name": "Bernardo", "phone": "2145550123", "email": "", "language": "es", "address": ""}
    shown = page(desk.client, "/desk/residents/new/", status=409, data=sent, post=True)
    assert "known already" in shown.text
    assert f"/desk/residents/{known.pk}/" in shown.html
    post(desk, "new/", **sent, anyway="on")
    assert Resident.objects.filter(name="Bernardo").exists()


# --- One resident ------------------------------------------------------------------------------------------------------


def everything(city: City, person: Resident) -> None:
    request = city.file(resident=person, at=now())
    callback = a_callback(city.jurisdiction, resident=person, request=request, reason="the crew's answer")
    interactions.record_information(city.jurisdiction, "phone", topic="recycling", resident=person, by=city.system)
    residents.set_consent(person, "surveys", given=True, how="phone-1", by=city.system)
    promised = Event.objects.filter(kind="callback.promised", subject_id=callback.pk)
    notify_callback_event(promised.get().pk)


def test_everything_of_one_resident_stands_on_one_page(desk: Sitting) -> None:
    person = ana(desk)
    everything(desk.city, person)
    text = page(desk.client, f"/desk/residents/{person.pk}/").text
    for part in ("Spanish", "(214) 555-0123", "Surveys: yes", "Pothole", "Recycling", "Information given", "Messages sent",
                 "A call-back is promised", "Open", "Chicago"):  # fmt: skip
        assert part in text


def test_what_a_role_may_not_do_is_not_offered(desk: Sitting) -> None:
    person = ana(desk)
    auditor = sit(desk.city, Role.AUDITOR, name="reader")
    text = page(auditor.client, f"/desk/residents/{person.pk}/").text
    for word in ("Remove", "Add one", "Promise a call-back", "File a request", "Change name"):
        assert word not in text
    for path in (f"{person.pk}/edit/", f"{person.pk}/points/", f"{person.pk}/consents/", "new/"):
        assert auditor.client.post(f"/desk/residents/{path}").status_code == 403


def test_what_is_known_is_changed_and_a_stale_change_is_explained(desk: Sitting) -> None:
    person = ana(desk)
    path = f"/desk/residents/{person.pk}/edit/"
    page(desk.client, path)
    sent: dict[str, Any] = {
        "name": "Ana María",
        "language": "en",
        "time_zone": "America/New_York",
        "address": "",
        "note": "",
        "version": "1",
    }
    post(desk, f"{person.pk}/edit/", **sent)
    person.refresh_from_db()
    assert (person.name, person.language, person.time_zone) == ("Ana María", "en", "America/New_York")
    assert "New York" in page(desk.client, f"/desk/residents/{person.pk}/").text
    stale = page(desk.client, path, status=409, data={**sent, "name": "Anita"}, post=True)
    assert "Somebody has changed this resident meanwhile" in stale.text
    assert "Name is now: Ana María" in stale.text
    assert 'value="Anita"' in stale.html
    page(desk.client, path, status=422, data={**sent, "time_zone": "Mars/Base"}, post=True)


def test_contact_points_are_added_silenced_preferred_and_removed(desk: Sitting) -> None:
    person = ana(desk)
    post(desk, f"{person.pk}/points/", kind="email", address="ana@example.org")
    assert "not an e-mail" in post(desk, f"{person.pk}/points/", 422, kind="email", address="ana")
    mail = ContactPoint.objects.get(kind="email")
    for name in ("prefer", "silence", "verify"):
        post(desk, f"{person.pk}/points/{mail.pk}/{name}/")
    mail.refresh_from_db()
    assert mail.is_preferred
    assert mail.unsubscribed_at
    assert mail.verified_at
    assert "unsubscribed" in page(desk.client, f"/desk/residents/{person.pk}/").text
    post(desk, f"{person.pk}/points/{mail.pk}/allow/")
    post(desk, f"{person.pk}/points/{mail.pk}/remove/")
    post(desk, f"{person.pk}/points/{mail.pk}/remove/", 404)
    post(desk, f"{person.pk}/points/{mail.pk}/explode/", 404)
    assert "ana@example.org" not in page(desk.client, f"/desk/residents/{person.pk}/").text


def test_what_is_said_of_an_address_is_said_for_all_who_were_made_one(desk: Sitting) -> None:
    kept, gone = ana(desk), ana(desk)
    residents.merge(kept, gone, by=desk.city.system)
    post(desk, f"{kept.pk}/points/{ContactPoint.objects.earliest('pk').pk}/silence/")
    assert ContactPoint.objects.filter(unsubscribed_at__isnull=False).count() == 2


def test_a_yes_or_no_goes_on_the_record(desk: Sitting) -> None:
    person = ana(desk)
    post(desk, f"{person.pk}/consents/", purpose="surveys", given="no")
    assert [(row.purpose, row.given) for row in Consent.objects.all()] == [("surveys", False)]
    post(desk, f"{person.pk}/consents/", 422, purpose="surveys")
    post(desk, f"{person.pk}/consents/", 422, purpose="world-domination", given="yes")


def test_an_erased_resident_s_page_says_so_and_offers_nothing(desk: Sitting) -> None:
    person = ana(desk)
    everything(desk.city, person)
    residents.erase(person, by=desk.city.system)
    text = page(desk.client, f"/desk/residents/{person.pk}/").text
    assert "was erased on" in text
    assert "Add one" not in text
    assert "0123" not in text


def test_another_citys_residents_are_not_there(desk: Sitting) -> None:
    there = make_city("otherville")
    theirs, mine = a_resident(there.jurisdiction, "Stranger", mobile="972-555-0123"), ana(desk)
    point = theirs.contact_points.get().pk
    for path in (
        f"{theirs.pk}/",
        f"{theirs.pk}/edit/",
        f"{theirs.pk}/merge/{mine.pk}/",
        f"{mine.pk}/merge/{theirs.pk}/",
    ):
        page(desk.client, f"/desk/residents/{path}", status=404)
    for path in (f"{theirs.pk}/points/", f"{mine.pk}/points/{point}/remove/", f"{theirs.pk}/undo-merge/"):
        post(desk, path, 404)
    assert "Nobody is known" in page(desk.client, "/desk/residents/?q=Stranger").text


# --- Two made one ------------------------------------------------------------------------------------------------------


def merge_form(kept: Resident, gone: Resident) -> dict[str, Any]:
    kept.refresh_from_db()
    gone.refresh_from_db()
    return {"reason": "same number", "kept_version": str(kept.version), "gone_version": str(gone.version)}


def test_two_are_compared_made_one_and_two_again(desk: Sitting) -> None:
    kept = ana(desk)
    gone = a_resident(desk.city.jurisdiction, "A. Lopez", email="ana@example.org", mobile="972-555-0123", language="en")
    everything(desk.city, gone)
    residents.set_consent(kept, "surveys", given=False, how="phone-1", by=desk.city.system)
    picked = desk.client.get(f"/desk/residents/compare/?pick={gone.pk}&pick={kept.pk}").headers["Location"]
    assert picked == f"/desk/residents/{kept.pk}/merge/{gone.pk}/"
    shown = page(desk.client, picked).text
    for part in (
        "Their languages differ",
        "they said different things",
        "ana@example.org",
        "(214) 555-0123",
        "1, 1 of them open",
        "(972) 555-0123",
    ):
        assert part in shown
    assert not Merge.objects.exists()
    post(desk, f"{kept.pk}/merge/{gone.pk}/", **merge_form(kept, gone))
    text = page(desk.client, f"/desk/residents/{kept.pk}/").text
    for part in ("Made one of", "A. Lopez", "same number", "ana@example.org", "Pothole", "Undo"):
        assert part in text
    assert desk.client.get(f"/desk/residents/{gone.pk}/").headers["Location"] == f"/desk/residents/{kept.pk}/"
    post(desk, f"{gone.pk}/undo-merge/")
    text = page(desk.client, f"/desk/residents/{kept.pk}/").text
    assert "ana@example.org" not in text
    assert "Undo" not in text
    assert "Pothole" in page(desk.client, f"/desk/residents/{gone.pk}/").text
    post(desk, f"{gone.pk}/undo-merge/", 409)


def test_a_merge_of_what_has_changed_since_it_was_looked_at_is_refused(desk: Sitting) -> None:
    kept, gone = ana(desk), a_resident(desk.city.jurisdiction, "Ana Lopez")
    sent = merge_form(kept, gone)
    residents.update(gone, name="Analisa Lopez", by=desk.city.system)
    refused = page(desk.client, f"/desk/residents/{kept.pk}/merge/{gone.pk}/", status=409, data=sent, post=True)
    assert "look at both again" in refused.text
    assert "Analisa Lopez" in refused.text
    assert "same number" in refused.html
    assert not Merge.objects.exists()


def test_what_cannot_be_one_says_why_and_has_no_button(desk: Sitting) -> None:
    person = ana(desk)
    firm = residents.create(desk.city.jurisdiction, name="Ana & Co", kind="organisation", by=desk.city.system)
    shown = page(desk.client, f"/desk/residents/{person.pk}/merge/{firm.pk}/").text
    assert "never the same" in shown
    assert "Make them one" not in shown
    page(
        desk.client,
        f"/desk/residents/{person.pk}/merge/{firm.pk}/",
        status=409,
        data=merge_form(person, firm),
        post=True,
    )
    page(desk.client, f"/desk/residents/{person.pk}/merge/{person.pk}/")
    for chosen in ("", "?pick=1", "?pick=x&pick=y", "?pick=1&pick=2&pick=3"):
        page(desk.client, f"/desk/residents/compare/{chosen}", status=404)


def test_the_pages_ask_the_same_number_of_times_however_much_there_is(desk: Sitting) -> None:
    person, other = ana(desk), a_resident(desk.city.jurisdiction, "Ana Lopez")

    def more() -> None:
        for _ in range(3):
            gone = a_resident(desk.city.jurisdiction, "Ana Lopez", mobile="972-555-0123")
            everything(desk.city, gone)
            residents.merge(person, gone, by=desk.city.system)
            desk.city.file(resident=other, at=now() - timedelta(minutes=1))

    more()
    for path in (f"{person.pk}/", f"{person.pk}/merge/{other.pk}/", "?q=ana+lopez"):
        assert same_number_of_queries(partial(desk.client.get, f"/desk/residents/{path}"), more) <= 32
