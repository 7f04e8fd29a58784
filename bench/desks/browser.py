"""A signed-in browser and its window with one contact: what it shows is what it sends."""

from __future__ import annotations

import http.client
import json
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db import connection
from django.test import Client as InProcess

from bench.town import Town
from loop311.accounts.models import StaffMember
from loop311.accounts.policies import Role
from loop311.accounts.services import create_staff

PATIENCE = 30.0


def concierge(town: Town, number: int) -> StaffMember:
    return create_staff(
        town.jurisdiction,
        f"desk{number}@bench.example",
        name=f"Desk {number}",
        roles=[Role.CONCIERGE.value],
        by=town.by,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


class Refused(Exception):
    """An answer that no desk should get."""


class Browser:
    """One kept-open connection with a session and a CSRF token. Signing in itself is not what is measured."""

    def __init__(self, port: int, staff: StaffMember) -> None:
        client = InProcess()
        client.force_login(staff.user)
        connection.close()
        self._port = port
        self._token = secrets.token_hex(16)
        session = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        self._headers = {"Cookie": f"{session}; csrftoken={self._token}", "X-CSRFToken": self._token}
        self._connection = self._open()

    def _open(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, "", {})

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        kind = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._ask("POST", path, urlencode(fields), kind)

    def post_and_hang_up(self, path: str, fields: Mapping[str, str]) -> None:
        """Sent, and the line breaks before an answer is read."""
        kind = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        self._connection.request("POST", path, urlencode(fields), {**self._headers, **kind})
        self.close()

    def _ask(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> Answer:
        self._connection.request(method, path, body or None, {**self._headers, **headers})
        found = self._connection.getresponse()
        text = found.read().decode()
        return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, text)

    def close(self) -> None:
        with suppress(OSError):
            self._connection.close()
        self._connection = self._open()


_STATE = re.compile(r'name="(tab|version|part)" value="([^"]*)"')
_AFTER = "hx-trigger-after-settle"


@dataclass(slots=True)
class Window:
    """One contact on the screen."""

    browser: Browser
    address: str
    state: dict[str, str] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def begin(cls, browser: Browser) -> Window:
        answer = browser.post("/desk/contact/", {"channel": "phone"})
        if answer.status != 302:
            raise Refused(f"a contact could not begin: {answer.status} {answer.text[:300]}")
        window = cls(browser, answer.headers["location"])
        window.look()
        return window

    @property
    def contact(self) -> int:
        """Id of the interaction."""
        return int(self.address.rstrip("/").rsplit("/", 1)[1])

    def look(self) -> str:
        """The whole page anew, as after a reload; its words are kept in `state` only."""
        answer = self.browser.get(self.address)
        if answer.status != 200:
            raise Refused(f"{self.address}: {answer.status} {answer.text[:300]}")
        self.state.update(_STATE.findall(answer.text))
        return answer.text

    def type(self, show: str, **typed: str) -> str:
        """Words are typed; the sections that follow from them come back."""
        self.typed.update(_fields(typed))
        return self._step("go", {"show": show})

    def keep(self, **typed: str) -> None:
        """Words are typed that nothing follows from: only the draft is kept."""
        self.typed.update(_fields(typed))
        answer = self.browser.post(self._at("go"), self._sent({}), Accept="application/json")
        if answer.status != 200:
            raise Refused(f"keeping: {answer.status} {answer.text[:300]}")
        self.state["version"] = str(json.loads(answer.text)["version"])

    def do(self, step: str, value: str = "", **typed: str) -> str:
        self.typed.update(_fields(typed))
        return self._step(step, {"value": value})

    def do_and_hang_up(self, step: str) -> None:
        self.browser.post_and_hang_up(self._at(step), self._sent({}))

    def next_thing(self) -> None:
        """What the step `another` empties on the screen."""
        self.do("another")
        self.typed = {name: value for name, value in self.typed.items() if name in ("who", "name", "phone", "language")}

    def end(self) -> None:
        answer = self.browser.post(self._at("end"), self._sent({}), **{"HX-Request": "true"})
        if answer.status != 204:
            raise Refused(f"wrapping up: {answer.status} {answer.text[:300]}")

    def _at(self, step: str) -> str:
        return f"{self.address}{step}/"

    def _sent(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**self.state, **self.typed, **more}

    def _step(self, step: str, more: Mapping[str, str]) -> str:
        answer = self.browser.post(self._at(step), self._sent(more), **{"HX-Request": "true"})
        if answer.status != 200:
            raise Refused(f"{step}: {answer.status} {answer.text[:600]}")
        self.state.update(_STATE.findall(answer.text))
        self.state["version"] = str(json.loads(answer.headers[_AFTER])["contact:after"]["version"])
        return answer.text


def _fields(typed: Mapping[str, str]) -> dict[str, str]:
    """Questions are written q_size here and q-size on the screen."""
    return {name.replace("q_", "q-", 1) if name.startswith("q_") else name: value for name, value in typed.items()}
