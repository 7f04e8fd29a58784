"""For each check that files test requests: the mistake that it, and it alone, finds."""

from __future__ import annotations

from dataclasses import replace

from loop311.georeport import render
from loop311.georeport.conform.target import NOBODY
from loop311.georeport.model import CreateResult
from loop311.georeport.tests.fake_city import FakeCity
from loop311.georeport.tests.fake_parts import Answer, Asked
from loop311.georeport.tests.faulting import (
    PAGE,
    Fault,
    When,
    answers,
    at,
    both,
    changed,
    filing,
    filled,
    has,
    header,
    lacks,
    refuses,
    sends,
    status,
    takes,
    together,
    turned,
    without_key,
)

PLACE = ("lat", "long", "address_string", "address_id")
NEW = at("requests/n-.*")
DANGER, FEATURES, DEPTH = "attribute[danger]", "attribute[features]", "attribute[depth]"
SOON = filing(sends("service_code", "pothole"))


def _long(length: int) -> When:
    return lambda asked: len(asked.sent("description")) == length and "second" not in asked.sent("description")


def _form_of(asked: Asked) -> str:
    return asked.content_type.partition(";")[0]


def _attributes(asked: Asked) -> list[str]:
    return [name for name, _ in asked.form if name.startswith("attribute")]


def _cities(asked: Asked) -> list[list[str]]:
    """Named in the address, and in the form."""
    return [[v for n, v in pairs if n == "jurisdiction_id"] for pairs in (asked.query, asked.form)]


def _numbered(city: FakeCity) -> None:
    city.prefix = "7"
    turned(filing(), r'"service_request_id":"(\d+)"', r'"service_request_id":\1')(city)


def _tells_of_reporter(city: FakeCity) -> None:
    def change(asked: Asked, answer: Answer) -> Answer:
        if filing(filled("email"))(asked):
            told = f"{city.requests[0].description} ({asked.sent('email')})"
            city.requests[0] = changed(city.requests[0], description=told)
        return answer

    city.after.append(change)


def _second_time(city: FakeCity) -> None:
    """An update_id that was heard before is refused."""
    heard: list[str] = []

    def change(asked: Asked, answer: Answer) -> Answer:
        if not filing(path="servicerequestupdates")(asked) or not asked.sent("update_id").endswith("again"):
            return answer
        heard.append(asked.sent("update_id"))
        return Answer(b"", 400, answer.headers) if len(heard) > 1 else answer

    city.after.append(change)


def _first_time(city: FakeCity) -> None:
    """A token that is asked for at once is not known yet."""
    heard: set[str] = set()

    def change(asked: Asked, answer: Answer) -> Answer:
        if not asked.path.startswith("tokens/t-") or asked.path in heard:
            return answer
        heard.add(asked.path)
        return Answer(b"[]", 404, answer.headers)

    city.after.append(change)


def _as_token(asked: Asked, answer: Answer) -> Answer:
    return Answer(answer.body.replace(b"service_request_id", b"token"), answer.status, answer.headers)


def _as_id(asked: Asked, answer: Answer) -> Answer:
    return Answer(answer.body.replace(b"token", b"service_request_id"), answer.status, answer.headers)


def _with_id(asked: Asked, answer: Answer) -> Answer:
    told = render.listed([CreateResult(service_request_id="n-000")], CreateResult, asked.format)
    return Answer(told, answer.status, answer.headers)


def _refuses_all(asked: Asked, answer: Answer) -> Answer:
    return answer if answer.status != 200 else Answer(b"[]", 400, answer.headers)


answered: dict[str, Fault] = {
    "post.accepted": answers(filing(), _refuses_all),
    "post.both-formats": answers(filing(ending="xml"), _refuses_all),
    "post.status-200": answers(
        filing(), lambda _, answer: replace(answer, status=201 if answer.status == 200 else answer.status)
    ),
    "post.id-xor-token": turned(SOON, r'("service_request_id":"[^"]*")', r'\1,"token":"t-1"'),
    "post.no-empty-fields": turned(SOON, r'("service_request_id":"[^"]*")', r'\1,"token":null'),
    "post.id-is-text": _numbered,
    "post.realtime": answers(SOON, _as_token),
    "post.batch": answers(filing(sends("service_code", "graffiti")), _as_id),
    "post.blackbox": answers(filing(sends("service_code", "tip")), _with_id),
    "post.found-again": turned(NEW, '([>"])open([<"])', r"\1closed\2"),
    "post.lat-long": refuses(both(has("lat", "long"), lacks("address_string", "address_id"))),
    "post.address-string": refuses(both(has("address_string"), lacks("lat", "long"))),
    "post.address-id": refuses(has("address_id")),
    "post.lone-lat": takes(both(has("lat", DANGER), lacks("long", "address_string"))),
    "post.lone-long": takes(both(has("long", DANGER), lacks("lat", "address_string"))),
    "post.no-place": takes(both(has("service_code"), lacks(*PLACE))),
    "post.beyond-the-globe": takes(sends("lat", "90.5")),
    "post.no-degrees": takes(sends("lat", "41,85")),
    "post.empty-argument": refuses(sends("lat", "")),
    "post.urlencoded": refuses(lambda asked: asked.content_type == "application/x-www-form-urlencoded"),
    "post.multipart": refuses(lambda asked: _form_of(asked) == "multipart/form-data" and b"filename" not in asked.body),
    "post.media-file": refuses(lambda asked: b"filename" in asked.body),
    "post.media-url": refuses(filled("media_url")),
    "post.other-media-type": takes(lambda asked: _form_of(asked) == "application/json"),
    "post.idempotency-key": takes(
        lambda asked: "idempotency-key" in asked.headers and ": another" in asked.sent("description")
    ),
    "post.no-key": takes(without_key),
    "post.wrong-key": takes(sends("api_key", NOBODY)),
    "post.key-in-query": refuses(lambda asked: bool(asked.one("api_key")), 403),
    "post.key-in-header": refuses(lambda asked: "authorization" in asked.headers, 403),
    "post.unknown-service": takes(sends("service_code", NOBODY)),
    "post.no-service": takes(sends("service_code", "")),
    "post.unknown-jurisdiction": takes(lambda asked: NOBODY in "".join(_cities(asked)[1])),
    "post.jurisdiction-in-query": refuses(lambda asked: bool(_cities(asked)[0]) and not _cities(asked)[1]),
    "post.jurisdiction-conflict": takes(lambda asked: NOBODY in "".join(_cities(asked)[0])),
}

words: dict[str, Fault] = {
    "post.attribute": refuses(sends(DANGER, "no")),
    "post.attribute-other-types": refuses(has("attribute[history]")),
    "post.attribute-list": refuses(sends(f"{FEATURES}[]", "yes", "no")),
    "post.attribute-repeated": refuses(sends(FEATURES, "yes", "no")),
    "post.attribute-indexed": refuses(has(f"{DANGER}[0]")),
    "post.attribute-brackets": refuses(lambda asked: b"&attribute[" in asked.body),
    "post.attribute-any-case": refuses(sends(DANGER, "YES")),
    "post.attribute-name": takes(sends(DANGER, f"{NOBODY} answer")),
    "post.attribute-missing": takes(
        both(has(DEPTH, "long"), lambda asked: not any("danger" in name for name in _attributes(asked)))
    ),
    "post.attribute-missing-each": turned(
        filing(lambda asked: asked.sent("service_code") == "pothole" and not _attributes(asked)),
        "danger",
        "something",
    ),
    "post.attribute-empty": takes(sends(DANGER, "")),
    "post.attribute-unknown": refuses(has(f"attribute[{NOBODY}]")),
    "post.description-4000": refuses(_long(4000)),
    "post.description-4001": takes(_long(4001)),
    "post.line-ends": refuses(lambda asked: "second" in asked.sent("description")),
    "post.any-letters": turned(NEW, "東京", "??"),
    "post.markup": together(turned(NEW, "1 < 2", "1 &lt; 2"), turned(NEW, "1 &lt; 2", "1 &amp;lt; 2")),
    "post.control-characters": refuses(lambda asked: "\x08" in asked.sent("description")),
}

TOKEN = at("tokens/t-.*")

others: dict[str, Fault] = {
    "tokens.pending": _first_time,
    "tokens.ready": turned(TOKEN, r'^\[(\{"service_request_id":"n-.*\})\]$', r"\1"),
    "tokens.echo": turned(TOKEN, '("service_request_id":"n-.*"token":)"[^"]*"', r'\1"t-other"'),
    "tokens.leads-to-request": turned(TOKEN, '"n-[^"]*"', '"r-nowhere"'),
    "fields.reporter-not-told": _tells_of_reporter,
    "errors.403-in-both": status(filing(sends("api_key", f"{NOBODY}-key")), 403, PAGE),
    "errors.several": turned(filing(both(has("lat"), lacks("long", "address_string", DANGER))), "long", "something"),
    "errors.413": takes(lambda asked: len(asked.body) > 1_000_000),
    "errors.429": header(filing(lacks("service_code")), "Retry-After"),
    "updates.post": status(filing(path="servicerequestupdates", ending="xml"), 400),
    "updates.post-again": _second_time,
    "updates.post-statuses": status(filing(sends("status", "DUPLICATE"), "servicerequestupdates"), 500),
    "updates.post-unknown-status": takes(sends("status", "colourful"), "servicerequestupdates"),
    "updates.post-unknown-request": takes(sends("service_request_id", NOBODY), "servicerequestupdates"),
    "updates.post-incomplete": takes(sends("update_id", ""), "servicerequestupdates"),
    "updates.post-no-key": takes(without_key, "servicerequestupdates"),
    "agreement.random-words": turned(NEW, "日", "?"),
}

WRITING = answered | words | others
