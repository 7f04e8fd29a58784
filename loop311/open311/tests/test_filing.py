"""POST requests: every way in which the arguments of GeoReport v2 are really sent."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from loop311.accounts.testing import a_secret
from loop311.catalog.definitions import Condition, Datatype, Question
from loop311.catalog.services import current, publish
from loop311.catalog.testing import edited
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.testing import browser
from loop311.kit.tests.pictures import from_a_phone, photo
from loop311.open311.models import Filed
from loop311.open311.testing import V2, filed, get, post, said
from loop311.places.models import AddressPoint
from loop311.requests.models import Attachment, Comment, Request
from loop311.requests.services import assign
from loop311.requests.testing import City, make_city
from loop311.residents.services import erase

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files_lie_elsewhere(settings: Any, tmp_path: Path) -> None:
    settings.LOOP311_HOME = tmp_path


def an_address(city: City, text: str = "412 Elm St", **changes: Any) -> AddressPoint:
    row = {"text": text, "search": text.lower(), "latitude": 41.9, "longitude": -87.6, "source_id": "A-1", **changes}
    return AddressPoint.objects.create(jurisdiction=city.jurisdiction, **row)


# --- Attributes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        {"attribute[danger]": "no"},
        {"attribute[danger]": "NO"},
        {"attribute[danger]": ["no", "no"]},
        {"attribute[danger]": "", "attribute[danger][]": "no"},
        {"attribute[danger]": "", "attribute[danger][0]": "no"},
    ],
)
def test_an_answer_is_taken_in_every_bracket_form_and_any_case(city: City, key: str, form: dict[str, Any]) -> None:
    assert filed(post(key, **form)).answers == {"danger": "no"}


def test_encoded_brackets_are_brackets(city: City, key: str) -> None:
    body = f"api_key={key}&service_code=pothole&address_string=1+Main&attribute%5Bdanger%5D=no"
    kind = "application/x-www-form-urlencoded"
    response = browser().post(f"{V2}/requests.json", body, content_type=kind)
    assert response.status_code == 200, response.content


def test_a_name_instead_of_a_key_is_refused_and_the_keys_are_listed(city: City, key: str) -> None:
    complaint = said(post(key, 400, **{"attribute[danger]": "Certainly not"}))
    assert "attribute[danger]" in complaint
    assert "choose one of yes, no" in complaint


def test_a_question_that_follows_from_an_answer_is_said_in_the_definition_and_may_stay_unanswered(
    key: str, city: City
) -> None:
    """An app that obeys the definition must get through: it cannot know that this answer asks for another."""
    follows = {"en": "How many are hurt?", "es": "¿Cuántos?"}
    old = current(city.jurisdiction.pk)[1].catalogue
    asked = next(each for each in old.services if each.code == "pothole").questions
    when = (Condition(question="danger", equals="yes"),)
    more = Question(code="hurt", datatype=Datatype.NUMBER, texts=follows, required=True, when=when)
    publish(city.jurisdiction, edited(old, "services.pothole", questions=(*asked, more)), by=city.system)
    shown = get("services/pothole.json").json()["attributes"][-1]
    assert (shown["code"], shown["required"]) == ("hurt", False)
    assert shown["datatype_description"].startswith("Only if “")
    assert shown["datatype_description"].endswith("” is: Yes.")
    request = filed(post(key, **{"attribute[danger]": "yes"}))
    assert request.answers == {"danger": "yes"}
    assert "How many are hurt?" in Comment.objects.get(request=request, is_public=False).text
    assert "answer with a number" in said(post(key, 400, **{"attribute[danger]": "yes", "attribute[hurt]": "many"}))
    assert not Comment.objects.filter(request=filed(post(key, **{"attribute[danger]": "no"}))).exists()


def test_everything_that_must_be_mended_is_said_at_once(city: City, key: str) -> None:
    errors = post(key, 400, lat="x", email="nobody", description="x" * 4001, **{"attribute[danger]": "perhaps"})
    assert {error["code"] for error in errors} == {400}
    assert [word for word in ("lat", "email", "description", "attribute[danger]") if word not in said(errors)] == []
    assert len(errors) == 4


def test_what_no_question_asks_is_kept_for_the_team_and_not_shown(city: City, key: str) -> None:
    request = filed(post(key, description="Deep", **{"attribute[COLOUR of it?]": ["blue", "red"]}))
    comment = Comment.objects.get(request=request)
    assert "COLOUR of it?: blue, red" in comment.text
    assert not comment.is_public
    assert request.description == "Deep"
    assert b"blue" not in get(f"requests/{request.number}.json").content


def test_control_characters_go_and_4000_characters_after_line_ends_are_one_stay(city: City, key: str) -> None:
    request = filed(post(key, description="a\x00\x07b\r\n" + "x" * 3997))
    assert request.description == "ab\n" + "x" * 3997


# --- Where ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_row", [True, False])
def test_an_address_id_of_ours_says_where(city: City, key: str, by_row: bool) -> None:
    point = an_address(city)
    request = filed(post(key, address_string="", address_id=str(point.pk) if by_row else "A-1"))
    assert (request.address, request.latitude, request.longitude) == ("412 Elm St", 41.9, -87.6)


def test_an_address_of_ours_to_the_letter_has_its_position(city: City, key: str) -> None:
    an_address(city)
    assert filed(post(key, address_string="412 Elm St")).latitude == 41.9
    assert filed(post(key, address_string="41 Elm St")).latitude is None


def test_of_two_such_addresses_none_is_guessed(city: City, key: str) -> None:
    an_address(city)
    an_address(city, source_id="A-2", latitude=41.8)
    assert filed(post(key, address_string="412 Elm St")).latitude is None


def test_lat_and_long_stand_beside_an_address_that_lies_elsewhere(city: City, key: str) -> None:
    an_address(city)
    request = filed(post(key, address_string="", address_id="A-1", lat="41.85", long="-87.65"))
    assert (request.address, request.latitude) == ("412 Elm St", 41.85)


def test_an_unknown_address_id_alone_is_refused_and_beside_words_passed_over(city: City, key: str) -> None:
    assert "address_id" in said(post(key, 400, address_string="", address_id="Z-9"))
    assert "Say where" in said(post(key, 400, address_string="", address_id="#NOTPINPOINTED#"))
    assert filed(post(key, address_id="Z-9")).address == "1200 Main Street"


def test_another_citys_address_id_is_unknown(city: City, key: str) -> None:
    an_address(make_city("shelbyville"))
    post(key, 400, address_string="", address_id="A-1", jurisdiction_id="springfield")


def test_nothing_and_nothing_is_no_place(city: City, key: str) -> None:
    assert "both 0" in said(post(key, 400, lat="0", long="0.0"))


# --- Photos --------------------------------------------------------------------------------------------------------------


def a_photo(name: str = "hole.jpg", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data or photo(), "image/jpeg")


@pytest.mark.parametrize("name", ["media", "photo1", "file_0", "anything"])
def test_any_file_part_is_a_photo_of_the_problem(city: City, key: str, name: str) -> None:
    request = filed(post(key, **{name: a_photo("blob")}))
    row = Attachment.objects.get(request=request)
    assert (row.role, row.evidence_id) == ("photo", None)


def test_a_photo_in_a_data_address_is_a_file_too(city: City, key: str) -> None:
    url = f"data:image/png;base64,{base64.b64encode(photo('PNG')).decode()}"
    assert filed(post(key, media_url=url)).attachments.count() == 1


def test_what_the_camera_wrote_is_not_given_out(city: City, key: str) -> None:
    request = filed(post(key, media=a_photo(data=from_a_phone())))
    (seen,) = get(f"requests/{request.number}.json").json()
    shown = browser().get(seen["media_url"])
    assert shown.status_code == 200
    assert shown["Content-Type"] == "image/jpeg"
    assert b"A phone" not in shown.content


@pytest.mark.parametrize(("publicity", "shown"), [("exact", True), ("block", False)])
def test_a_photo_is_public_only_where_the_exact_place_is(city: City, key: str, publicity: str, shown: bool) -> None:
    request = filed(post(key, media=a_photo()))
    path = get(f"requests/{request.number}.json").json()[0]["media_url"]
    Request.objects.filter(pk=request.pk).update(publicity=publicity, version=9)
    assert bool(get(f"requests/{request.number}.json").json()[0]["media_url"]) == shown
    assert (browser().get(path).status_code == 200) == shown
    (listed,) = get(f"requests.json?service_request_id={request.number}").json()
    assert bool(listed["media_url"]) == shown


def test_an_erased_photo_is_404(city: City, key: str) -> None:
    request = filed(post(key, media=a_photo(), email="ada@example.org"))
    path = get(f"requests/{request.number}.json").json()[0]["media_url"]
    assert request.resident is not None
    Attachment.objects.update(erased_at=now())
    assert browser().get(path).status_code == 404
    assert get(f"requests/{request.number}.json").json()[0]["media_url"] is None


def test_a_file_that_is_none_is_refused_and_nothing_is_filed(city: City, key: str) -> None:
    assert "media" in said(post(key, 400, media=a_photo(data=b"<script>alert(1)</script>")))
    assert not Request.objects.exists()


def test_more_than_ten_files_are_refused(city: City, key: str) -> None:
    assert "At most 10" in said(post(key, 400, **{f"file_{n}": a_photo() for n in range(11)}))


def test_files_of_more_than_all_together_may_have_are_413(
    city: City, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loop311.kit.uploads.MOST_IN_ONE", 100)
    post(key, 413, media=a_photo())


def test_a_form_too_large_is_413(city: City, key: str) -> None:
    response = browser().post(
        f"{V2}/requests.json", "x=" + "y" * 3_000_000, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code == 413
    assert response.json()[0]["code"] == 413


def test_the_same_filing_again_attaches_nothing_again(city: City, key: str) -> None:
    client, data = browser(headers={"Idempotency-Key": "once"}), photo()
    form = {"media": a_photo(data=data), "media_url": "https://example.org/a.jpg", "attribute[other]": "x"}
    first = post(key, client=client, **form)
    form["media"] = a_photo(data=data)
    assert post(key, client=client, **form) == first
    request = filed(first)
    assert (request.attachments.count(), Comment.objects.count()) == (1, 1)


# --- Who, and by which way -----------------------------------------------------------------------------------------------


def test_devices_and_accounts_are_kept_and_never_given_out(city: City, key: str) -> None:
    request = filed(post(key, deviceid="device-77", account_id="account-88", email="ada@example.org"))
    kept = Filed.objects.get()
    assert (kept.device_id, kept.account_id, kept.token) == ("device-77", "account-88", "")
    seen = get(f"requests/{request.number}.json?extensions=true").content
    assert b"device-77" not in seen
    assert b"account-88" not in seen


def test_erasing_the_reporter_erases_what_tells_of_them(city: City, key: str) -> None:
    from loop311.ledger.models import Event  # noqa: PLC0415
    from loop311.open311.services import forget_words  # noqa: PLC0415
    from loop311.requests.services import forget_resident  # noqa: PLC0415

    request = filed(post(key, device_id="device-77", email="ada@example.org", media_url="https://example.org/a.jpg"))
    assert request.resident is not None
    erase(request.resident, by=city.system)
    forget_resident(Event.objects.get(kind="resident.erased").pk)
    forget_words(Event.objects.get(kind="request.words_erased").pk)
    assert Filed.objects.get().device_id == ""


def test_over_plain_http_nothing_is_taken_where_the_city_has_https(city: City, key: str, settings: Any) -> None:
    settings.BASE_URL = "https://311.example.org"
    assert "https" in said(post(key, 403))
    safe = browser(headers={"X-Forwarded-Proto": "https"})
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert post(key, client=safe)


def test_a_key_beyond_its_limit_hears_when_to_come_again(city: City) -> None:
    from loop311.accounts.services import create_token  # noqa: PLC0415

    _, key = create_token(city.jurisdiction, "few", ["requests.file"], by=city.system, per_minute=2)
    post(key), post(key)
    response = browser().post(f"{V2}/requests.xml", {"api_key": key})
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    assert b"<code>429</code>" in response.content
    assert Request.objects.count() == 2


# --- Tokens --------------------------------------------------------------------------------------------------------------


def answered(city: City, how: str) -> str:
    """A key for a city whose potholes are answered like this."""
    catalogue = edited(current(city.jurisdiction.pk)[1].catalogue, "services.pothole", open311=how)
    publish(city.jurisdiction, catalogue, by=system(city.jurisdiction.pk))
    return a_secret(city.jurisdiction, ["requests.file"])


def test_a_batch_service_answers_with_a_token_that_gives_the_number_later(city: City) -> None:
    key = answered(city, "batch")
    assert {each["service_code"]: each["type"] for each in get("services.json").json()}["pothole"] == "batch"
    (answer,) = post(key)
    assert set(answer) == {"token"}
    assert len(answer["token"]) >= 22
    path = f"tokens/{answer['token']}.json"
    assert get(path).json() == [{"service_request_id": None, "token": answer["token"]}]
    request = Request.objects.get()
    assign(request, by=city.system)
    assert get(path).json() == [{"service_request_id": request.number, "token": answer["token"]}]
    assert get(path.replace(".json", ".xml")).content.count(request.number.encode()) == 1


def test_the_same_batch_filing_again_gives_the_same_token(city: City) -> None:
    key, client = answered(city, "batch"), browser(headers={"Idempotency-Key": "once"})
    assert post(key, client=client) == post(key, client=client)


def test_an_unknown_token_and_a_number_are_404(city: City, key: str) -> None:
    get("tokens/nothing.json", 404)
    get(f"tokens/{filed(post(key)).number}.json", 404)


def test_a_blackbox_service_answers_nothing_and_shows_nothing(city: City) -> None:
    key = answered(city, "blackbox")
    assert post(key) == [{}]
    request = Request.objects.get()
    get(f"requests/{request.number}.json", 404)
    assert get("requests.json").json() == []
    assert get(f"requests.json?service_request_id={request.number}").json() == []


def test_another_citys_token_is_404(city: City) -> None:
    token = post(answered(city, "batch"))[0]["token"]
    make_city("shelbyville")
    get(f"tokens/{token}.json?jurisdiction_id=shelbyville", 404)
    get(f"tokens/{token}.json?jurisdiction_id=springfield")


def test_what_is_sent_as_json_is_415(city: City, key: str) -> None:
    response = browser().post(f"{V2}/requests.json", "{}", content_type="application/json")
    assert response.status_code == 415


@pytest.mark.parametrize("place", ["form", "address", "header"])
def test_a_key_stands_in_no_log(city: City, key: str, place: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client = browser(headers={"X-API-Key": key}) if place == "header" else browser()
    query = f"?api_key={key}" if place == "address" else ""
    form = {"api_key": key} if place == "form" else {}
    answer = client.post(f"{V2}/requests.json{query}", {**form, "service_code": "unicorns"})
    assert answer.status_code == 404
    told = [record.getMessage() for record in caplog.records]
    assert any("v2/requests" in line for line in told)
    assert not any(key in line for line in told)
