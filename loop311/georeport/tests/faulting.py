"""Ways of making the fake city wrong: in what it hears, in what it answers, in what it holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from loop311.georeport import render
from loop311.georeport.conform.target import NOBODY
from loop311.georeport.model import CreateResult, RequestItem, ServiceDefinition
from loop311.georeport.render import Format
from loop311.georeport.tests.fake_city import JURISDICTION, KEY, FakeCity
from loop311.georeport.tests.fake_parts import Answer, Asked

Fault = Callable[[FakeCity], None]
When = Callable[[Asked], bool]
PAGE = b"<html><body>Something went wrong</body></html>"


def always(asked: Asked) -> bool:
    return True


def at(path: str, ending: str = "", method: str = "GET", also: When = always) -> When:
    """Questions of this address (a whole regular expression)."""

    def when(asked: Asked) -> bool:
        is_it = re.fullmatch(path, asked.path) is not None and asked.method == method
        return is_it and (not ending or asked.ending == ending) and also(asked)

    return when


def plain(ending: str = "") -> When:
    """The list of requests without any argument."""
    return at("requests", ending, also=lambda asked: asked.query == [("jurisdiction_id", JURISDICTION)])


def filing(condition: When = always, path: str = "requests", ending: str = "") -> When:
    return at(path, ending, "POST", condition)


def query(name: str, value: str | None = None) -> When:
    """The list of requests with this argument (a regular expression)."""
    wanted = re.compile(".*" if value is None else value)
    return at("requests", also=lambda asked: any(n == name and wanted.fullmatch(v) for n, v in asked.query))


def both(*conditions: When) -> When:
    return lambda asked: all(condition(asked) for condition in conditions)


def no(condition: When) -> When:
    return lambda asked: not condition(asked)


def has(*names: str) -> When:
    """Arguments that stand in the form, empty or not."""
    return lambda asked: set(names) <= {name for name, _ in asked.form}


def lacks(*names: str) -> When:
    return lambda asked: not set(names) & {name for name, _ in asked.form}


def sends(name: str, *values: str) -> When:
    return lambda asked: [v for n, v in asked.form if n == name] == list(values)


def filled(name: str) -> When:
    return lambda asked: bool(asked.sent(name))


# --- What is answered ----------------------------------------------------------------------------------------------------


def answers(when: When, change: Callable[[Asked, Answer], Answer]) -> Fault:
    def fault(city: FakeCity) -> None:
        city.after.append(lambda asked, answer: change(asked, answer) if when(asked) else answer)

    return fault


def status(when: When, code: int, body: bytes | None = None) -> Fault:
    return answers(when, lambda asked, answer: replace(answer, status=code, body=answer.body if body is None else body))


def body(when: When, told: str) -> Fault:
    return answers(when, lambda asked, answer: replace(answer, status=200, body=told.encode()))


def turned(when: When, old: str, new: str, count: int = 0) -> Fault:
    """In the bytes of the answer: a regular expression."""
    pattern = re.compile(old.encode(), re.DOTALL)
    return answers(when, lambda _, answer: replace(answer, body=pattern.sub(new.encode(), answer.body, count=count)))


def header(when: When, name: str, value: str | None = None) -> Fault:
    def change(asked: Asked, answer: Answer) -> Answer:
        others = {n: v for n, v in answer.headers.items() if n != name}
        return replace(answer, headers=others | ({name: value} if value is not None else {}))

    return answers(when, change)


def refuses(when: When, code: int = 400) -> Fault:
    """A filing that should be accepted."""
    return answers(filing(when), lambda asked, _: _told(asked, code, "That does not go."))


def _told(asked: Asked, code: int, sentence: str) -> Answer:
    if asked.format is Format.JSON:
        return Answer(f'[{{"code":{code},"description":"{sentence}"}}]'.encode(), code, _kind(asked))
    told = f"<errors><error><code>{code}</code><description>{sentence}</description></error></errors>"
    return Answer(told.encode(), code, _kind(asked))


def _kind(asked: Asked) -> dict[str, str]:
    return {"Content-Type": f"{asked.format.media_type}; charset=utf-8"}


def takes(when: When, path: str = "requests") -> Fault:
    """A filing that should be refused."""

    def change(asked: Asked, _: Answer) -> Answer:
        told = render.listed([CreateResult(service_request_id="n-000")], CreateResult, asked.format)
        return Answer(told, 200, _kind(asked))

    return answers(filing(when, path), change)


def fails(when: When, code: int, sentence: str = "That does not go.") -> Fault:
    """A question that should be answered."""
    return answers(when, lambda asked, _: _told(asked, code, sentence))


# --- What is heard -------------------------------------------------------------------------------------------------------


def hears(when: When, change: Callable[[Asked], Asked]) -> Fault:
    def fault(city: FakeCity) -> None:
        city.before.append(lambda asked: change(asked) if when(asked) else asked)

    return fault


def overlooks(when: When, *names: str) -> Fault:
    """Arguments of the query."""
    return hears(when, lambda asked: replace(asked, query=[pair for pair in asked.query if pair[0] not in names]))


def reads(when: When, name: str, change: Callable[[list[str]], list[str]]) -> Fault:
    """An argument of the query differently."""

    def other(asked: Asked) -> Asked:
        values = change([value for key, value in asked.query if key == name])
        rest = [pair for pair in asked.query if pair[0] != name]
        return replace(asked, query=[*rest, *((name, value) for value in values)])

    return hears(when, other)


def takes_any_city(path: str) -> Fault:
    return reads(at(path), "jurisdiction_id", lambda values: [JURISDICTION] if NOBODY in "".join(values) else values)


# --- What it holds -------------------------------------------------------------------------------------------------------


def changed(item: Any, /, **fields: object) -> Any:
    """The same with other values, be they of another type."""
    return msgspec.structs.replace(item, **fields)


def service(code: str, /, **fields: object) -> Fault:
    def fault(city: FakeCity) -> None:
        city.services = [changed(item, **fields) if item.service_code == code else item for item in city.services]

    return fault


def attribute(code: str, /, **fields: object) -> Fault:
    """Of the service pothole."""

    def fault(city: FakeCity) -> None:
        found = city.definitions["pothole"].attributes
        attributes = tuple(changed(item, **fields) if item.code == code else item for item in found)
        city.definitions["pothole"] = ServiceDefinition(service_code="pothole", attributes=attributes)

    return fault


def row(id_: str = "r-004", /, **fields: object) -> Fault:
    """A request is shown with other values."""

    def shown(item: RequestItem) -> RequestItem:
        found: RequestItem = changed(item, **fields) if item.service_request_id == id_ else item
        return found

    def fault(city: FakeCity) -> None:
        city.row = shown

    return fault


def update(id_: str, /, **fields: object) -> Fault:
    def fault(city: FakeCity) -> None:
        city.updates = [changed(item, **fields) if item.update_id == id_ else item for item in city.updates]

    return fault


def together(*faults: Fault) -> Fault:
    """One mistake that shows in several places."""

    def fault(city: FakeCity) -> None:
        for each in faults:
            each(city)

    return fault


def without_key(asked: Asked) -> bool:
    told = f"{asked.body!r}{asked.query}{asked.headers.get('x-api-key')}{asked.headers.get('authorization')}"
    return KEY not in told and "api_key" not in told and asked.content_type.startswith("application/x-www-form")
