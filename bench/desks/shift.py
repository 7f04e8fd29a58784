"""Many desks at once for some minutes: calls as they come in a city, with time to think, and what became of every word of them."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import TypeVar

from django.db import connection

from bench.desks.browser import Browser, Refused, Window, concierge
from bench.desks.budgets import WORDS, prepare
from bench.load import web_server
from bench.people import People, name_of, phone_of
from bench.results import Result
from bench.timing import percentile
from bench.town import Town
from loop311.desk.models import Draft
from loop311.interactions.models import Interaction
from loop311.kit.clock import now
from loop311.requests.models import Request

T = TypeVar("T")

THINKING = (1.0, 5.0)
"""Seconds between two keys that the server hears of: somebody speaks or listens."""
SERVICES = ("pothole", "street_light", "missed_garbage", "dead_animal", "graffiti_public")
INFORMATION, KNOWN, NEW, JOINED, MORE, CALLED_BACK, BROKEN, RELOADED = 0.6, 0.6, 0.15, 0.5, 0.3, 0.1, 0.05, 0.25
"""How often a call is a question only; how the caller stands; what else happens in a call."""
AT_A_BUSY_PLACE, BUSY = 0.5, 40
"""How often a request is about one of so many places, so that much is known there already."""

_CHOICE = 'formaction="[^"]*/{step}/" name="value" value="([^"]+)"'


class TimeIsUp(Exception):
    """The shift ends in the middle of a contact; its draft stays."""


@dataclass(slots=True)
class Desk:
    """One person's shift and what its window believes."""

    town: Town
    people: People
    browser: Browser
    number: int
    until: float
    thinking: float
    taken: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    saved: dict[str, int] = field(default_factory=dict)
    """Number of a request -> the contact it was saved in."""
    ended: list[int] = field(default_factory=list)
    left: dict[int, dict[str, str]] = field(default_factory=dict)
    """Contact that was not wrapped up -> its words."""
    chance: random.Random = field(init=False)
    turn: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)  # noqa: S311 - calls, no secrets
        self.turn = self.number * 1_000

    def work(self) -> None:
        time.sleep(self.chance.random() * self.thinking)
        while time.perf_counter() < self.until:
            try:
                self._call()
            except (Refused, OSError, HTTPException) as error:
                self.errors.append(f"desk {self.number}: {type(error).__name__} {error}")
                self.browser.close()

    def _call(self) -> None:
        self.turn += 1
        window = self._timed("a contact begins", lambda: Window.begin(self.browser))
        try:
            self._think()
            self._caller(window)
            if self.chance.random() < INFORMATION:
                self._inform(window)
            else:
                self._request(window)
            self._perhaps_reload(window)
        except TimeIsUp:
            window.typed.pop("value", None)
            self.left[window.contact] = dict(window.typed)
            return
        self._timed("wrapped up", window.end)
        self.ended.append(window.contact)

    # --- What happens in a call ------------------------------------------------------------------------------------------

    def _caller(self, window: Window) -> None:
        kind = self.chance.random()
        n = self.people.resident(self.turn)
        if kind < KNOWN:
            words = phone_of(n)[2:] if self.turn % 2 else name_of(n)
            self._timed("caller looked for", lambda: window.type("found", who=words[:5]))
            found = self._timed("caller looked for", lambda: window.type("found", who=words))
            if people := _choices(found, "caller"):
                self._timed("caller chosen", lambda: window.do("caller", people[0]))
        elif kind < KNOWN + NEW:
            phone = f"512559{self.turn % 10_000:04d}"
            self._timed("caller written down", lambda: window.do("new-caller", name=name_of(self.turn), phone=phone))
        self._think()

    def _inform(self, window: Window) -> None:
        words = WORDS[self.turn % len(WORDS)]
        self._timed("words typed", lambda: window.type("proposals answer", want=words[:12]))
        found = self._timed("words typed", lambda: window.type("proposals answer", want=words))
        self._think()
        service = (_choices(found, "service") or ["pothole"])[0]
        self._timed("service chosen", lambda: window.do("service", service))
        self._think()
        self._timed("information noted", lambda: window.do("inform", service))
        window.typed.clear()

    def _request(self, window: Window) -> None:
        while True:
            service = self.chance.choice(SERVICES)
            self.turn += 1
            asked = self.chance.randrange(BUSY) if self.chance.random() < AT_A_BUSY_PLACE else self.turn
            place = prepare(self.town, self.people, window, asked, service, self._timed)
            self._perhaps_reload(window)
            self._think()
            if (near := _choices(place, "join")) and self.chance.random() < JOINED:
                self._timed("joined", lambda: window.do("join", near[0]))
            self._file(window)
            self._think()
            if self.chance.random() < CALLED_BACK and window.typed.get("who"):
                self._call_back(window)
            if self.chance.random() > MORE:
                return
            self._timed("another thing", window.next_thing)

    def _file(self, window: Window) -> None:
        """Now and then the line breaks after the key was pressed; pressed again it must be the same request."""
        if self.chance.random() < BROKEN:
            window.do_and_hang_up("file")
        page = self._timed("saved", lambda: window.do("file"))
        number = re.search(r'class="number"><a [^>]*>([^<]+)</a>', page)
        if number is None:
            raise Refused("saved without a number")
        self.saved[number[1]] = window.contact

    def _call_back(self, window: Window) -> None:
        day = (now() + timedelta(days=2)).date().isoformat()
        self._timed(
            "call-back promised",
            lambda: window.do("call-back", day=day, start="10:00", end="12:00", reason="to say how it went"),
        )
        for name in ("day", "start", "end", "reason"):
            window.typed.pop(name, None)

    def _perhaps_reload(self, window: Window) -> None:
        """Everything typed must be on the page that comes back, as after a sign-in that had expired."""
        if self.chance.random() >= RELOADED:
            return
        note = f"beside the gate {self.turn}"
        window.keep(location_note=note)
        page = self._timed("page loaded anew", window.look)
        words = [note, *(window.typed[name] for name in ("want",) if name in window.typed)]
        self.lost += [f"desk {self.number}, contact {window.contact}: {each}" for each in words if each not in page]

    # --- Time ------------------------------------------------------------------------------------------------------------

    def _timed(self, what: str, action: Callable[[], T]) -> T:
        begun = time.perf_counter()
        result = action()
        self.taken.setdefault(what, []).append((time.perf_counter() - begun) * 1000)
        return result

    def _think(self) -> None:
        if time.perf_counter() > self.until:
            raise TimeIsUp
        least, most = (seconds * self.thinking for seconds in THINKING)
        time.sleep(self.chance.uniform(least, most))


def _choices(page: str, step: str) -> list[str]:
    return re.findall(_CHOICE.format(step=step), page)


# --- The shift -------------------------------------------------------------------------------------------------------------


def measure(town: Town, people: People, size: int, desks: int, minutes: float) -> Iterator[Result]:
    """All desks at once against web processes and a worker; then what the windows believe beside what is in the database."""
    staff = [concierge(town, 100 + number) for number in range(desks)]
    begun_at = now()
    with web_server() as port, _worker():
        thinking = min(1.0, minutes)
        until = time.perf_counter() + minutes * 60
        crew = [Desk(town, people, Browser(port, each), number, until, thinking) for number, each in enumerate(staff)]
        threads = [threading.Thread(target=desk.work) for desk in crew]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    yield from _table(crew, size, desks, minutes)
    yield from _verdicts(town, crew, size, desks, begun_at)
    connection.close()


@contextmanager
def _worker() -> Iterator[None]:
    """As `loop311 serve` runs it beside the web: what follows from events shares the machine."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loop311.site", "worker"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _table(crew: list[Desk], size: int, desks: int, minutes: float) -> Iterator[Result]:
    actions = sorted({what for desk in crew for what in desk.taken})
    for what in actions:
        values = sorted(value for desk in crew for value in desk.taken.get(what, ()))
        note = f"{len(values):,} times, p50 {percentile(values, 0.5):.0f} ms"
        yield Result(f"{desks} desks: {what}, p99", size, percentile(values, 0.99), "ms", note=note)
    whole = sorted(value for desk in crew for values in desk.taken.values() for value in values)
    contacts = sum(len(desk.ended) + len(desk.left) for desk in crew)
    requests = sum(len(desk.saved) for desk in crew)
    note = f"{contacts:,} contacts in {minutes:g} min, {requests:,} requests; p50 {percentile(whole, 0.5):.0f} ms"
    yield Result(f"{desks} desks: everything, p99", size, percentile(whole, 0.99), "ms", note=note)


def _verdicts(town: Town, crew: list[Desk], size: int, desks: int, begun_at: datetime) -> Iterator[Result]:
    saved = {number: contact for desk in crew for number, contact in desk.saved.items()}
    ended = {contact for desk in crew for contact in desk.ended}
    left = {contact: words for desk in crew for contact, words in desk.left.items()}
    made = dict(
        Request.objects.filter(jurisdiction=town.jurisdiction, received_at__gte=begun_at).values_list(
            "number", "interaction_id"
        )
    )
    known = set(Interaction.objects.filter(pk__in=set(made.values())).values_list("pk", flat=True))
    kept = dict(Draft.objects.filter(interaction_id__in=[*left, *ended]).values_list("interaction_id", "content"))
    unended = Interaction.objects.filter(pk__in=ended).filter(outcome="").count()
    lost = [text for desk in crew for text in desk.lost]
    lost += [f"contact {contact}" for contact, words in left.items() if not _holds(kept.get(contact), words)]
    errors = [text for desk in crew for text in desk.errors]
    wrong = {
        "errors": errors,
        "lost drafts": lost,
        "requests without interaction": [n for n, contact in made.items() if contact not in known],
        "requests in another contact, or twice": [*(n for n in made if n not in saved),
                                                   *(n for n, contact in saved.items() if made.get(n) != contact)],
        "contacts wrapped up and still open": [*(set(kept) & ended), *range(unended)],
    }  # fmt: skip
    for what, found in wrong.items():
        note = "; ".join(str(each)[:200] for each in found[:3])
        yield Result(f"{desks} desks: {what}", size, float(len(found)), "", bar="none", kept=not found, note=note)


def _holds(content: dict[str, object] | None, words: dict[str, str]) -> bool:
    """Whether the draft has every word the window has."""
    if content is None:
        return False
    typed = content.get("typed", {})
    return isinstance(typed, dict) and all(typed.get(name) == [value] for name, value in words.items() if value)
