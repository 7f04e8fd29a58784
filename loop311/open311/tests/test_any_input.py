"""Whatever is asked or sent is answered in the asked format, never with a failure of ours; what is defined can be filed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.test.client import MULTIPART_CONTENT
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loop311.accounts.testing import a_secret
from loop311.catalog import definitions as d
from loop311.catalog.services import publish
from loop311.catalog.testing import edited
from loop311.georeport import reading
from loop311.georeport.model import Attribute
from loop311.georeport.parsing import parse
from loop311.kit.testing import browser
from loop311.open311.testing import V2, get
from loop311.requests.models import Request
from loop311.requests.testing import City, both, small_catalogue

pytestmark = pytest.mark.django_db

_PLAIN: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),  # making an example small takes minutes here
}

# --- Anything ------------------------------------------------------------------------------------------------------------

NAMES = (
    "jurisdiction_id", "service_request_id", "service_code", "start_date", "end_date", "status", "page", "page_size",
    "per_page", "updated_after", "updated_before", "lat", "long", "radius", "bbox", "extensions", "locale", "api_key", "q",
)  # fmt: skip
SENT = (
    "service_code", "lat", "long", "address_string", "address_id", "email", "phone", "first_name", "last_name", "device_id",
    "account_id", "description", "media_url", "media_url[]", "attribute[danger]", "attribute[depth]", "attribute[danger][]",
    "attribute[]", "attribute[x][y]", "locale", "jurisdiction_id", "service_request_id", "update_id", "status",
    "updated_datetime", "title", "external_status_code",
)  # fmt: skip
LIKELY = st.sampled_from([
    "", "springfield", "pothole", "no", "yes", "open", "closed", "fixed", "IN_PROGRESS", "2026-03-01T09:00:00Z", "0001-01-01",
    "9999-12-31T23:59:59-14:00", "2026-03-01T09:00:00 02:00", "1", "0", "-1", "1e400", "41.85", "-87.65", "nan", "inf",
    "99999999999999999999", "1,2,3,4", "-180,-90,180,90", "26-00000001", "true", "es", "data:image/png;base64,AAAA", "data:,",
    "http://127.0.0.1/", "https://example.org/a.jpg", "http://[", "ada@example.org", "+1 512 555 0123", "\u0661\u0662", "%",
])  # fmt: skip
VALUES = LIKELY | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
POSTED = st.sampled_from(["requests", "servicerequestupdates"])
ENDINGS = st.sampled_from([".xml", ".json", "", ".pdf", ".", ".XML"])


def segments() -> st.SearchStrategy[str]:
    return VALUES.filter(lambda text: text not in ("", ".", "..")).map(lambda text: quote(text, safe=""))


PATHS = st.one_of(
    st.sampled_from(["services", "requests", "servicerequestupdates", "discovery"]),
    st.builds("services/{}".format, segments()),
    st.builds("requests/{}".format, segments()),
    st.builds("tokens/{}".format, segments()),
    st.builds("media/{}/{}/{}".format, segments(), segments(), segments()),
    st.builds("../inquiry/v1/services/{}".format, segments()),
    st.builds("../inquiry/v1/facilities/{}".format, segments()),
    st.builds("../inquiry/v1/web_faqs/{}".format, segments()),
    segments(),
)


def check(response: Any, path: str) -> None:
    """Of a status that the standard or HTTP has, and readable in the format its type says."""
    assert response.status_code in (200, 400, 403, 404, 405, 413, 415), (path, response.status_code)
    body = response.getvalue()
    if response["Content-Type"].startswith("image/"):
        return
    assert response["Content-Type"].split(";")[0] == ("application/json" if ".json" in path else "text/xml")
    found = parse(body)
    if response.status_code != 200:
        assert [int(error["code"]) for error in found] == [response.status_code] * len(found)
        assert found


@settings(max_examples=400, **_PLAIN)
@given(path=PATHS, ending=ENDINGS, query=st.lists(st.tuples(st.sampled_from(NAMES) | VALUES, VALUES), max_size=4))
def test_whatever_is_asked_is_answered(city: City, path: str, ending: str, query: list[tuple[str, str]]) -> None:
    address = f"{V2}/{path}{ending}".replace("/v2/../", "/")
    with transaction.atomic():
        response = browser().get(f"{address}?{urlencode(query)}")
        check(response, ending)
        transaction.set_rollback(True)


@settings(max_examples=200, **_PLAIN)
@given(
    path=POSTED,
    ending=st.sampled_from([".json", ".xml"]),
    form=st.lists(st.tuples(st.sampled_from(SENT) | VALUES, VALUES), max_size=8),
    code=st.booleans(),
)
def test_whatever_is_sent_is_answered(
    city: City, path: str, ending: str, form: list[tuple[str, str]], code: bool
) -> None:
    if path.startswith("requests") and code:
        form = [("service_code", "pothole"), ("attribute[danger]", "no"), *form]
    with transaction.atomic():
        key = a_secret(city.jurisdiction)
        body = urlencode([("api_key", key), *form])
        response = browser().post(f"{V2}/{path}{ending}", body, content_type="application/x-www-form-urlencoded")
        check(response, ending)
        transaction.set_rollback(True)


KINDS = st.sampled_from([
    "multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary=" + "y" * 300,
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=iso-8859-1",
    "application/x-www-form-urlencoded; charset=nothing", "application/json", "text/xml", "", "x",
])  # fmt: skip
PARTS = st.sampled_from([
    b"--x\r\n", b"--x--\r\n", b'Content-Disposition: form-data; name="media"; filename="a.jpg"\r\n', b"\r\n", b"\r\n\r\n",
    b'Content-Disposition: form-data; name="service_code"\r\n\r\npothole\r\n', b"Content-Transfer-Encoding: base64\r\n",
    b"\xff\xd8\xff", b"%PDF-1.4", b"service_code=pothole&", b"attribute%5Bdanger%5D=no&", b"%", b"=&=", b"%00", b"%ff=%ff&",
])  # fmt: skip


@settings(max_examples=150, **_PLAIN)
@given(
    kind=KINDS,
    parts=st.lists(PARTS | st.binary(max_size=30), max_size=12),
    path=POSTED,
)
def test_whatever_bytes_are_sent_are_answered(city: City, kind: str, parts: list[bytes], path: str) -> None:
    with transaction.atomic():
        client = browser(headers={"X-API-Key": a_secret(city.jurisdiction)})
        response = client.generic("POST", f"{V2}/{path}.json", b"".join(parts), content_type=kind)
        check(response, ".json")
        transaction.set_rollback(True)


# --- What is defined can be filed ----------------------------------------------------------------------------------------

CODES = st.from_regex(r"[a-z][a-z0-9_-]{0,11}", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp"]), min_size=1, max_size=40)
SAID = TEXT.map(str.strip).filter(bool)


def questions() -> st.SearchStrategy[tuple[d.Question, ...]]:
    one = st.builds(
        _question,
        CODES,
        st.sampled_from(d.Datatype),
        st.booleans(),
        st.lists(CODES, min_size=2, max_size=5, unique=True),
    )
    return st.lists(one, min_size=1, max_size=6, unique_by=lambda question: question.code).map(tuple)


def _question(code: str, datatype: d.Datatype, required: bool, keys: list[str]) -> d.Question:
    has_choices = datatype in (d.Datatype.SINGLEVALUELIST, d.Datatype.MULTIVALUELIST)
    choices = tuple(d.Choice(code=key, texts=both(key.upper())) for key in keys) if has_choices else ()
    return d.Question(code=code, datatype=datatype, texts=both(f"What of {code}?"), required=required, choices=choices)


def answer(data: Any, attribute: Attribute) -> list[str]:
    """What an app would send that knows nothing but the definition."""
    keys = [value.key for value in attribute.values]
    many = {
        "singlevaluelist": st.lists(st.sampled_from(keys or [""]), min_size=1, max_size=1),
        "multivaluelist": st.lists(st.sampled_from(keys or [""]), min_size=1, max_size=5, unique=True),
        "number": st.integers(-(10**9), 10**9).map(str).map(lambda text: [text]),
        "datetime": st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
        .map(lambda at: [at.replace(microsecond=0).isoformat()]),
    }  # fmt: skip
    sent: list[str] = data.draw(many.get(attribute.datatype, SAID.map(lambda text: [text])))
    return sent


def stored(attribute: Attribute, sent: list[str]) -> object:
    if attribute.datatype == "multivaluelist":
        return [value.key for value in attribute.values if value.key in sent]
    if attribute.datatype == "number":
        return int(sent[0])
    if {value.key for value in attribute.values} == {"true", "false"} and sent[0] in ("true", "false"):
        return sent[0]
    return re.sub(r"\s+$", "", sent[0])


@settings(max_examples=40, **_PLAIN)
@given(
    asked=questions(),
    ending=st.sampled_from(["xml", "json"]),
    brackets=st.booleans(),
    parts=st.booleans(),
    data=st.data(),
)
def test_what_is_defined_can_be_filed_and_is_stored_as_it_was_sent(
    city: City, asked: tuple[d.Question, ...], ending: str, brackets: bool, parts: bool, data: Any
) -> None:
    with transaction.atomic():
        catalogue = edited(small_catalogue(), "services.sign", questions=asked)
        publish(city.jurisdiction, catalogue, by=city.system)
        definition = reading.definition(get(f"services/sign.{ending}").content)
        wanted = [each for each in definition.attributes if each.required or data.draw(st.booleans())]
        given_ = {each.code: answer(data, each) for each in wanted}
        suffix = "[]" if brackets else ""
        form: dict[str, Any] = {f"attribute[{code}]{suffix}": values for code, values in given_.items()}
        form |= {"api_key": a_secret(city.jurisdiction, ["requests.file"]), "service_code": "sign", "description": "x"}
        kind = MULTIPART_CONTENT if parts else "application/x-www-form-urlencoded"
        body = form if parts else urlencode(form, doseq=True)
        response = browser().post(f"{V2}/requests.{ending}", body, content_type=kind)
        assert response.status_code == 200, response.content
        created = reading.created(response.content)
        answers = Request.objects.get(number=created.service_request_id).answers
        kept = {code: str(value).lower() if isinstance(value, bool) else value for code, value in answers.items()}
        assert kept == {each.code: stored(each, given_[each.code]) for each in wanted}
        transaction.set_rollback(True)
