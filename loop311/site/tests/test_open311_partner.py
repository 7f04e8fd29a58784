"""A second Loop311 as an Open311 partner, over real sockets: everything arrives here and there, and when it is killed under load
nothing is lost or doubled, the break shows within two minutes, and afterwards both sides agree.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from loop311.kit.clock import now
from loop311.kit.database import place_of, postmaster
from loop311.kit.ports import free_port
from loop311.requests import services as requests
from loop311.workorders import working
from loop311.workorders.models import Link, Mismatch, Order
from loop311.workorders.policies import AGAIN
from loop311.workorders.queries import counted
from loop311.workorders.testing import Linked, linked

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve"), pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).parents[3]
LOAD = int(os.environ.get("LOOP311_PARTNER_LOAD", "24"))
"""Requests that are handed over while the partner is killed; by hand more."""

_CITIES = count(1)
"""The partner keeps what earlier tests have sent; another city's marks are others."""

FOUND = """
import django; django.setup()
from loop311.accounts.testing import a_secret
from loop311.requests.testing import make_city
city = make_city("oakville")
print("\\n" + a_secret(city.jurisdiction))
"""


@dataclass
class Partner:
    """Another Loop311 with a database of its own."""

    home: Path
    port: int
    token: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        own = {"LOOP311_HOME": str(self.home), "LOOP311_PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        return kept | own | {"DJANGO_SETTINGS_MODULE": "loop311.site.settings"}

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, capture_output=True, check=True, timeout=600
        )
        return done.stdout.decode()

    def start(self) -> None:
        log = (self.home.parent / "log").open("ab")
        command = [sys.executable, "-m", "loop311.site", "serve"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        wait_for(self.is_well, 600)

    def is_well(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def kill(self) -> None:
        """Web, worker and who looks after them, at once and without a word."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def api(self, path: str, body: dict[str, object] | None = None) -> Any:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - our own address
            return json.loads(answer.read())

    def does(self, number: str, verb: str, **body: object) -> None:
        """Somebody there does something with their request."""
        version = self.api(f"requests/{number}")["version"]
        self.api(f"requests/{number}/{verb}", {"version": version, **body})


def wait_for(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def partner() -> Iterator[Partner]:
    with tempfile.TemporaryDirectory(prefix="loop311-serve-") as folder:
        Path(folder).chmod(0o711)
        found = Partner(Path(folder) / "home", free_port())
        try:
            found.start()
            found.token = found.run("-c", FOUND).split()[-1]
            yield found
        finally:
            with suppress(OSError, AssertionError):
                found.kill()
            if (left := postmaster.find(place_of(found.home).data)) is not None:
                left.kill()


@pytest.fixture
def here(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> Linked:
    """Our city: what is handed over outside goes to the partner."""
    monkeypatch.setenv("LOOP311_LINK_OAKVILLE", partner.token)
    monkeypatch.setattr(working, "PATIENCE", 60.0)  # a busy machine is no break
    profile = {
        "base": f"http://127.0.0.1:{partner.port}/open311/v2/",
        "jurisdiction_id": "oakville",
        "keeps_keys": True,
    }
    return linked(
        f"city-{next(_CITIES)}",
        connector="open311",
        settings={"profile": profile, "follows": "updates", "unchanged": "unchanged", "cancelled": "cancelled"},
        secret="env:LOOP311_LINK_OAKVILLE",
        call_secret="",
        services={
            "pothole": {"theirs": "pothole", "attributes": {"danger": {"theirs": "danger"}}, "outcome": "filled"}
        },
        priorities={},
        states={},
        statuses={
            "open": {"means": "nothing"},
            "planned": {"means": "nothing"},
            "investigating": {"means": "nothing"},
            "in_progress": {"means": "started"},
            "action_scheduled": {"means": "waiting", "reason": "rain"},
            "fixed": {"means": "done"},
            "closed": {"means": "done"},
            "no_further_action": {"means": "declined", "outcome": "not-ours"},
            "duplicate": {"means": "cancelled"},
            "cancelled": {"means": "cancelled"},
        },
    )


def send(here: Linked, at: datetime | None = None) -> int:
    here.follow()
    return working.send(here.link.pk, at=at)


def test_a_request_goes_there_and_all_that_happens_arrives_on_both_sides(here: Linked, partner: Partner) -> None:
    assert working.beat(here.link.pk) == "up", Link.objects.get().said
    request = here.city.file(description="Very deep.")
    send(here)
    order = here.order(request)
    assert order.state == "acknowledged", order.reason
    theirs = partner.api(f"requests/{order.their_key}")
    assert "Very deep." in theirs["description"]
    assert f"[ref-{order.reference}]" in theirs["description"]

    requests.comment(request, text="Mind the school bus.", by=here.city.system)
    send(here)
    said = json.dumps(partner.api(f"requests/{order.their_key}/comments"))
    assert "Mind the school bus." in said

    partner.does(order.their_key, "assign")
    partner.does(order.their_key, "start")
    partner.does(order.their_key, "comments", text="We come tomorrow.", is_public=True)
    working.beat(here.link.pk)
    request.refresh_from_db()
    assert request.state == "in_progress"
    assert request.comments.filter(text__contains="We come tomorrow.").exists()

    partner.does(order.their_key, "evidence", kind="photo", reference="p1")
    partner.does(order.their_key, "resolve", outcome="filled")
    working.beat(here.link.pk)
    request.refresh_from_db()
    assert request.state == "in_progress", "their word alone is no evidence here"
    assert Mismatch.objects.get(mended_at=None).kind == "unproved"
    requests.add_evidence(request, requests.Proof(kind="inspection"), by=here.city.system)  # type: ignore[arg-type]
    requests.resolve(request, outcome="filled", by=here.city.system)
    send(here)
    assert working.reconcile(here.link.pk).open == 0


def test_killed_under_load_nothing_is_lost_or_doubled_and_the_break_is_seen(here: Linked, partner: Partner) -> None:
    assert working.beat(here.link.pk) == "up"
    before = marks(partner)
    filed = [here.city.file(description=f"Load {n}") for n in range(LOAD)]
    sender = threading.Thread(target=until_it_breaks, args=(here,))
    here.follow()
    sender.start()
    wait_for(lambda: Order.objects.exclude(their_key="").count() >= LOAD // 4)
    partner.kill()
    sender.join(600)
    broken_at = now()
    assert Order.objects.filter(their_key="").exists(), "it was killed before all was said"

    filed += [here.city.file(description="While they are down.") for _ in range(3)]
    assert working.beat(here.link.pk, at=broken_at + timedelta(seconds=60)) == "shaky"
    later = broken_at + timedelta(seconds=60) + AGAIN
    assert working.beat(here.link.pk, at=later) == "down"
    assert counted(here.city.jurisdiction.pk, later)[0].state == "down"
    assert later - broken_at < timedelta(minutes=2)
    assert send(here, later) == 0, "while they are down only the heartbeat asks"

    partner.start()
    at = later + timedelta(seconds=25)
    assert working.beat(here.link.pk, at=at) == "up", Link.objects.get().said
    while Order.objects.filter(next_at__isnull=False).exists():
        at += timedelta(seconds=40)
        assert at < broken_at + timedelta(hours=2), "it never came to rest"
        send(here, at)
        working.beat(here.link.pk, at=at)
    assert set(Order.objects.values_list("state", flat=True)) == {"acknowledged"}
    after = [mark for mark in marks(partner) if mark not in before]
    assert sorted(after) == sorted(here.order(request).reference for request in filed), "each is there once"
    assert working.reconcile(here.link.pk).open == 0


def until_it_breaks(here: Linked) -> None:
    try:
        while send(here):
            pass
    finally:
        connection.close()


def marks(partner: Partner) -> list[str]:
    """The marks on all their records, as often as they are there."""
    found: list[str] = []
    address = f"http://127.0.0.1:{partner.port}/open311/v2/requests.json?jurisdiction_id=oakville&page_size=1000"
    with urllib.request.urlopen(address, timeout=30) as answer:
        for row in json.loads(answer.read()):
            found += [part.split("]")[0] for part in (row["description"] or "").split("[ref-")[1:]]
    return found
