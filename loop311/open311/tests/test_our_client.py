"""Our own client against our own server: what it files is what the server has, and what is lost is found again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loop311.accounts.testing import a_secret
from loop311.catalog.definitions import Choice, Datatype, Question
from loop311.catalog.services import current, publish
from loop311.catalog.testing import edited
from loop311.georeport.client import Accepted, Client, NewRequest, NewUpdate, Refused, Sent, Unknown, Waiting
from loop311.georeport.model import Attribute
from loop311.georeport.profile import of
from loop311.georeport.sending import Medium
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.testing import browser
from loop311.kit.tests.pictures import photo
from loop311.open311.testing import V2
from loop311.requests.models import Attachment, Comment, Request
from loop311.requests.services import assign
from loop311.requests.testing import City

pytestmark = pytest.mark.django_db
FORMATS = ["json", "xml"]


@pytest.fixture(autouse=True)
def _files_lie_elsewhere(settings: Any, tmp_path: Any) -> None:
    settings.LOOP311_HOME = tmp_path


class Door(httpx.BaseTransport):
    """No socket, but the same bytes, within the test's own transaction."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        kind = request.headers.get("content-type", "")
        answer = browser().generic(
            request.method, str(request.url), request.read(), content_type=kind, secure=True, headers=headers
        )
        return httpx.Response(answer.status_code, headers=dict(answer.items()), content=answer.getvalue())


def client_of(key: str, format_: str = "json", **switches: object) -> Client:
    base = f"https://localhost{V2}/"
    profile = of({"base": base, "format": format_, "api_key": key, "media_style": "multipart", **switches})
    return Client(profile, transport=Door())


def pothole(**changes: Any) -> NewRequest:
    """As it would go to a neighbour: an answer that is a key, a place, our reference."""
    plain: dict[str, Any] = {"description": "Deep", "address": "1200 Main Street", "attributes": {"danger": "no"}}
    return NewRequest(service_code="pothole", reference="26-00000017", **plain | changes)


def number(sent: Sent) -> str:
    assert isinstance(sent, Accepted), sent
    assert sent.service_request_id is not None
    return sent.service_request_id


@pytest.mark.parametrize("format_", FORMATS)
def test_what_is_filed_is_read_again(city: City, key: str, format_: str) -> None:
    picture = Medium(name="hole.jpg", media_type="image/jpeg", data=photo())
    with client_of(key, format_) as client:
        assert {each.service_code for each in client.services()} == {"pothole", "sign"}
        filed = number(client.file(pothole(media=(picture,), email="demo@example.org", lat=41.85, long=-87.65)))
        found = client.one(filed)
    assert found is not None
    assert (found.status, found.lat, found.address) == ("open", 41.85, "1200 Main Street")
    assert found.description == "Deep\n[ref-26-00000017]"
    assert found.media_url
    assert Attachment.objects.count() == 1
    assert "demo@example.org" not in repr(found)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_filing_whose_answer_was_lost_is_found_by_our_reference(city: City, key: str, format_: str) -> None:
    with client_of(key, format_) as client:
        filed = number(client.file(pothole()))
        assert number(client.file_once(pothole(), tried_at=now() - timedelta(minutes=5))) == filed
        other = NewRequest(
            service_code="pothole", reference="26-0000001", address="1 Elm St", attributes={"danger": "no"}
        )
        assert number(client.file_once(other, tried_at=now())) != filed
    assert Request.objects.count() == 2


def test_the_same_key_again_files_nothing(city: City, key: str) -> None:
    with client_of(key, keeps_keys=True) as client:
        assert number(client.file(pothole())) == number(client.file_once(pothole(), tried_at=now()))
    assert Request.objects.count() == 1


def test_a_token_is_waited_for(city: City) -> None:
    catalogue = edited(current(city.jurisdiction.pk)[1].catalogue, "services.pothole", open311="batch")
    publish(city.jurisdiction, catalogue, by=system(city.jurisdiction.pk))
    with client_of(a_secret(city.jurisdiction, ["requests.file"])) as client:
        sent = client.file(pothole())
        assert isinstance(sent, Waiting)
        assert client.token(sent.token) is None
        request = assign(Request.objects.get(), by=city.system)
        assert client.await_token(sent.token, seconds=60) == request.number
        assert client.token("unknown") is None


@pytest.mark.parametrize("format_", FORMATS)
def test_what_happens_there_is_followed_and_told(city: City, format_: str) -> None:
    key = a_secret(city.jurisdiction, ["requests.file", "requests.comment"])
    with client_of(key, format_) as client:
        filed = number(client.file(pothole()))
        assign(Request.objects.get(), by=city.system)
        (update,) = client.updates(now() - timedelta(days=100), now() + timedelta(seconds=1))
        assert (update.service_request_id, update.status, update.external_status_code) == (filed, "planned", "assigned")
        told = NewUpdate(
            update_id="theirs-1",
            service_request_id=filed,
            status="unchanged",
            updated_datetime=now(),
            description="The part has been ordered.",
        )
        assert number(client.send_update(told)) == number(client.send_update(told)) == filed
    assert [each.text for each in Comment.objects.all()] == ["The part has been ordered."]


def test_a_refusal_names_the_arguments(city: City, key: str) -> None:
    with client_of(key) as client:
        sent = client.file(pothole(attributes={"danger": "perhaps"}, lat=89.0, long=0.5))
        assert isinstance(sent, Refused)
        assert sent.status == 400
        assert "attribute[danger]" in sent.fields
        assert not sent.may_pass
    wrong = client_of("wrong").file(pothole())
    assert isinstance(wrong, Refused)
    assert wrong.status == 403


def test_a_server_that_breaks_is_unknown(city: City, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from loop311.kit.problems import Unavailable  # noqa: PLC0415
    from loop311.open311 import views  # noqa: PLC0415

    def fail(*_: object) -> None:
        raise Unavailable("Not now.")

    monkeypatch.setattr(views, "city_of", fail)
    assert isinstance(client_of(key).file(pothole()), Unknown)


# --- Random definitions through POST and back ----------------------------------------------------------------------------

_words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
_codes = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,6}", fullmatch=True) | st.sampled_from(["none", "null", "true", "001"])
_texts = st.fixed_dictionaries({"en": _words, "es": _words})


@st.composite
def questions(draw: Any) -> tuple[Question, ...]:
    found = []
    for place in range(draw(st.integers(0, 5))):
        datatype = draw(st.sampled_from(list(Datatype)))
        is_list = datatype in (Datatype.SINGLEVALUELIST, Datatype.MULTIVALUELIST)
        codes = draw(st.lists(_codes, min_size=1, max_size=4, unique=True))
        choices = tuple(Choice(code=code, texts=draw(_texts)) for code in codes if is_list)
        found.append(
            Question(
                code=f"q{place}",
                datatype=datatype,
                texts=draw(_texts),
                help=draw(st.just({}) | _texts),
                required=draw(st.booleans()),
                choices=choices,
            )
        )
    return tuple(found)


def answer_to(draw: Any, attribute: Attribute) -> str | list[str]:
    """As an app would give it that knows nothing but the definition."""
    keys = [value.key for value in attribute.values]
    if attribute.datatype == "multivaluelist":
        return list(draw(st.lists(st.sampled_from(keys), min_size=1, unique=True)))
    if keys:
        return str(draw(st.sampled_from(keys)))
    if attribute.datatype == "number":
        return str(draw(st.integers(-(10**6), 10**6)))
    if attribute.datatype == "datetime":
        return f"{draw(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))).isoformat(timespec='seconds')}Z"  # noqa: DTZ001
    lines = draw(st.lists(_words, min_size=1, max_size=3))
    return "\n".join(lines) if attribute.datatype == "text" else str(lines[0])


def stored(answer: str | list[str], question: Question) -> object:
    if question.datatype is Datatype.BOOLEAN:
        return answer == "true"
    if question.datatype is Datatype.MULTIVALUELIST:
        return [choice.code for choice in question.choices if choice.code in answer]
    if question.datatype is Datatype.DATETIME:
        return str(answer).replace("Z", "+00:00")
    return int(str(answer)) if question.datatype is Datatype.NUMBER else answer


@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # each example publishes a catalogue: shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), asked=questions())
def test_any_definition_can_be_answered_by_who_knows_only_what_it_says(
    city: City, key: str, data: Any, asked: tuple[Question, ...]
) -> None:
    jurisdiction = city.jurisdiction
    catalogue = edited(current(jurisdiction.pk)[1].catalogue, "services.sign", questions=asked)
    publish(jurisdiction, catalogue, by=system(jurisdiction.pk))
    xml, told = (client_of(key, format_).definition("sign") for format_ in FORMATS)
    assert xml == told
    assert [each.code for each in told.attributes] == [question.code for question in asked]
    assert [each.required for each in told.attributes] == [question.required for question in asked]
    given_ = {
        each.code: answer_to(data.draw, each) for each in told.attributes if each.required or data.draw(st.booleans())
    }
    new = NewRequest(service_code="sign", reference="r", address="1200 Main Street", attributes=given_)
    for format_, style in (("json", "brackets"), ("xml", "repeat")):
        filed = number(client_of(key, format_, attribute_style=style).file(new))
        expected = {
            each.code: stored(given_[each.code], question)
            for each, question in zip(told.attributes, asked, strict=True)
            if each.code in given_
        }
        assert Request.objects.get(number=filed).answers == expected
