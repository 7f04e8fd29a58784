"""The web process is killed (kill -9) in the middle of a contact: what was kept is there afterwards, and nothing is doubled."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from loop311.desk.contact.content import read
from loop311.desk.models import Draft
from loop311.desk.testing import ELM, Sitting, a_call_center
from loop311.interactions.models import Interaction
from loop311.kit.ports import free_port
from loop311.ledger.models import Event
from loop311.requests.models import Request

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ANSWERS = {"q-danger": "no", "q-size": "tire", "q-edge": "round", "q-bottom_visible": "yes"}


class Served:
    """The web processes alone, on the database of the test, in a process group of their own."""

    def __init__(self, home: Path, session: str) -> None:
        self.port = free_port()
        known = connection.settings_dict
        url = make_conninfo(
            host=known["HOST"] or None, port=known["PORT"] or None, user=known["USER"] or None,
            password=known["PASSWORD"] or None, dbname=known["NAME"],
        )  # fmt: skip
        self.environment = os.environ | {
            "DATABASE_URL": url,
            "LOOP311_HOME": str(home),
            "LOOP311_PORT": str(self.port),
            "LOOP311_SECRET_KEY": settings.SECRET_KEY,
        }
        cookies = {settings.SESSION_COOKIE_NAME: session}
        self.browser = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", cookies=cookies, timeout=120)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "loop311.site.web"]
        self.process = subprocess.Popen(command, cwd=settings.ROOT, env=self.environment, start_new_session=True)
        deadline = time.monotonic() + 300
        while not self._answers():
            assert time.monotonic() < deadline, "the web never came up"
            assert self.process.poll() is None, "the web has ended"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return self.browser.get("/desk/contact/").status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """Every process of the web at once, without a word."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def desk() -> Sitting:
    return a_call_center()


@pytest.fixture
def served(desk: Sitting, tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path, desk.client.cookies["sessionid"].value)
    yield found
    found.kill()
    found.browser.close()


class Window:
    """A browser with one contact: it knows what its page says, and sends that."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.hidden = self._hidden("/desk/contact/")
        begun = self._post("/desk/contact/", channel="phone")
        self.address = begun.headers["Location"]
        self.look()

    def look(self) -> str:
        self.hidden = self._hidden(self.address)
        return self.html

    def step(self, name: str, value: str = "", /, **typed: Any) -> httpx.Response:
        return self._post(f"{self.address}{name}/", value=value, **typed)

    def keep(self, **typed: str) -> int:
        """As the page does while somebody types."""
        sent = {**self.hidden, **typed}
        answer = self.served.browser.post(f"{self.address}go/", data=sent, headers={"Accept": "application/json"})
        return answer.status_code

    def _post(self, path: str, /, **sent: Any) -> httpx.Response:
        return self.served.browser.post(path, data={**self.hidden, **sent})

    def _hidden(self, address: str) -> dict[str, str]:
        self.html = self.served.browser.get(address).text
        return dict(re.findall(r'name="(tab|version|part|csrfmiddlewaretoken)" value="([^"]*)"', self.html))


def test_what_was_kept_outlives_the_web_process_and_nothing_is_doubled(desk: Sitting, served: Served) -> None:
    window = Window(served)
    window.step("service", "pothole", want="a deep one")
    window.look()
    place = f"{ELM[0]:.6f},{ELM[1]:.6f},412 Elm St"
    assert window.step("place", place, address="412 Elm St", **ANSWERS).status_code == 302
    window.look()
    assert window.keep(want="a deep one, by the school", location_note="behind the shed") == 200

    served.kill()
    with pytest.raises(httpx.HTTPError):
        window.step("file")
    served.start()

    assert (Draft.objects.count(), Interaction.objects.count(), Request.objects.count()) == (1, 1, 0)
    shown = window.look()
    assert "a deep one, by the school" in shown
    assert "behind the shed" in shown
    assert "412 Elm St" in shown


@pytest.mark.parametrize("after", [0.0, 0.05, 0.2])
def test_killed_while_it_saves_the_same_key_again_makes_one_request(
    desk: Sitting, served: Served, after: float
) -> None:
    window = Window(served)
    window.step("service", "pothole", want="a deep one")
    window.look()
    window.step("place", f"{ELM[0]:.6f},{ELM[1]:.6f},412 Elm St", address="412 Elm St", **ANSWERS)
    window.look()

    def save() -> None:
        with suppress(httpx.HTTPError):
            window.step("file")

    pressed = threading.Thread(target=save)
    pressed.start()
    time.sleep(after)
    served.kill()
    pressed.join()
    served.start()

    assert read(Draft.objects.get().content).word("want") == "a deep one"
    window.step("file")
    number = Request.objects.get().number
    assert number in window.look()
    assert Event.objects.filter(kind="request.filed").count() == 1
    assert Interaction.objects.count() == 1
