"""What the concierge waits for, second by second, on the contact screen: one signed-in desk against the web processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from urllib.parse import urlencode

from bench.desks.browser import Browser, Window, concierge
from bench.load import Client, web_server
from bench.people import People, address_of, email_of, name_of, phone_of, position_of
from bench.results import Effort, Result
from bench.timing import percentile
from bench.town import Town
from loop311.catalog.definitions import Answer
from loop311.requests.models import Request

WORDS = (
    "there is a deep pothole in front of my house",
    "my garbage was not collected on tuesday",
    "the street light at the corner is out",
    "dead animal on the road",
    "they painted graffiti on the wall of the school",
    "no pasó el camión de la basura",
    "when is the recycling week on my street",
    "a tree branch hangs over the sidewalk",
)
FEWEST = 40
"""Times each thing is done in a run that means it, however slow the machine is."""


@dataclass(slots=True)
class Taken:
    """Milliseconds by the kind of what was asked."""

    by_kind: dict[str, list[float]] = field(default_factory=dict)

    def time(self, kind: str, what: Callable[[], object]) -> None:
        begun = time.perf_counter()
        what()
        self.by_kind.setdefault(kind, []).append((time.perf_counter() - begun) * 1000)

    def rows(self, path: str, size: int, budget: float, note: str) -> Iterator[Result]:
        """p50, and p99 beside the budget; the note names the slowest kind."""
        whole = sorted(value for values in self.by_kind.values() for value in values)
        kinds = {kind: percentile(sorted(values), 0.99) for kind, values in self.by_kind.items()}
        slowest = max(kinds, key=lambda kind: kinds[kind])
        if len(kinds) > 1:
            note += f"; slowest: {slowest}, p99 {kinds[slowest]:.0f} ms"
        p99 = percentile(whole, 0.99)
        yield Result(f"desk: {path}, p50", size, percentile(whole, 0.5), "ms", note=f"{len(whole)} times")
        yield Result(f"desk: {path}, p99", size, p99, "ms", bar=f"<= {budget:,.0f} ms", kept=p99 <= budget, note=note)


def measure(town: Town, people: People, size: int, effort: Effort) -> Iterator[Result]:
    desk = concierge(town, 0)
    with web_server() as port:
        window = Window.begin(Browser(port, desk))
        for work in (_callers, _proposals, _places, _known, _knowledge, _saving):
            _warm(work, town, people, window)
            yield from work(town, people, window, size, effort.seconds)
        yield from _popped_up(
            town, people, Client(port, f"Authorization: Bearer {town.token}\r\n"), size, effort.seconds
        )


Work = Callable[[Town, People, Window, int, float], Iterator[Result]]


def _warm(work: Work, town: Town, people: People, window: Window) -> None:
    """Once unmeasured, in both web processes as often as not."""
    list(work(town, people, window, 0, 0.0))


def _turns(seconds: float) -> Iterator[int]:
    until, fewest = time.perf_counter() + seconds, min(FEWEST, 3 + int(10 * seconds))
    for turn in count(1):
        if turn > fewest and time.perf_counter() > until:
            return
        yield turn


def _callers(town: Town, people: People, window: Window, size: int, seconds: float) -> Iterator[Result]:
    taken, numbers = Taken(), _numbers(town, people)
    for turn in _turns(seconds):
        n = people.resident(turn)
        for kind, words in _ways_to_say(n, people, numbers[turn % len(numbers)]).items():
            taken.time(kind, partial(window.type, "found", who=words))
    yield from taken.rows("caller found", size, 500, f"{people.residents:,} residents; by {', '.join(taken.by_kind)}")


def _popped_up(town: Town, people: People, client: Client, size: int, seconds: float) -> Iterator[Result]:
    """Everything at once, as a telephone's screen asks for it: who, last contacts, what is open, call-backs."""
    taken, numbers = Taken(), _numbers(town, people)

    def ask(words: str) -> None:
        status, body = client.ask("GET", f"/api/v1/residents/find?{urlencode({'q': words})}")
        if status != 200:
            raise RuntimeError(f"finding answered {status}: {body[:300]!r}")

    for turn in _turns(seconds):
        n = people.resident(turn)
        for kind, words in _ways_to_say(n, people, numbers[turn % len(numbers)]).items():
            taken.time(kind, partial(ask, words))
    note = "GET /api/v1/residents/find: with last contacts, open requests, call-backs"
    yield from taken.rows("caller with all that is open", size, 500, note)


def _numbers(town: Town, people: People) -> list[str]:
    rows = Request.objects.filter(jurisdiction=town.jurisdiction).order_by("pk")
    return list(rows.values_list("number", flat=True)[:50])


def _ways_to_say(n: int, people: People, number: str) -> dict[str, str]:
    name, phone = name_of(n), phone_of(n)
    return {
        "phone": f"{phone[2:5]}-{phone[5:8]}-{phone[8:]}",
        "last digits": phone[-6:],
        "name": name,
        "begun name": name[:-2],
        "mistyped name": f"{name[:-3]}{name[-2]}{name[-3]}{name[-1]}",
        "e-mail": email_of(n),
        "address": address_of(n % people.addresses),
        "request": number,
    }


def _proposals(town: Town, people: People, window: Window, size: int, seconds: float) -> Iterator[Result]:
    taken = Taken()
    for turn in _turns(seconds):
        words = WORDS[turn % len(WORDS)][: 8 + turn % 40]
        taken.time("words", partial(window.type, "proposals", want=words))
    yield from taken.rows("service proposed, a key", size, 300, "from the caller's words so far")


def _places(town: Town, people: People, window: Window, size: int, seconds: float) -> Iterator[Result]:
    """An address typed letter by letter, every third one with a slip."""
    taken = Taken()
    for turn in _turns(seconds / 4):
        text = address_of(people.address(turn)).lower()
        if turn % 3 == 0:
            text = f"{text[:6]}{text[7:]}"
        for length in range(3, len(text) + 1, 2):
            kind = "whole" if length >= len(text) - 1 else "begun"
            kind = "mistyped" if turn % 3 == 0 and length > 6 else kind
            taken.time(kind, partial(window.type, "places", address=text[:length]))
    yield from taken.rows("address suggested, a key", size, 300, f"{people.addresses:,} addresses")


def _known(town: Town, people: People, window: Window, size: int, seconds: float) -> Iterator[Result]:
    taken = Taken()
    window.do("service", "pothole")
    for turn in _turns(seconds):
        value = place(people.address(turn), people)
        taken.time("place", partial(window.do, "place", value))
    yield from taken.rows(
        "known there, whose, promised", size, 1000, "an address is chosen; potholes and what is like them"
    )


def place(a: int, people: People) -> str:
    """As the screen's list of addresses sends it."""
    latitude, longitude = position_of(a, people)
    return f"{latitude:.6f},{longitude:.6f},{address_of(a)}"


def _knowledge(town: Town, people: People, window: Window, size: int, seconds: float) -> Iterator[Result]:
    taken = Taken()
    window.do("other-service")
    for turn in _turns(seconds):
        words = WORDS[turn % len(WORDS)]
        taken.time("words", partial(window.type, "answer", want=words))
    yield from taken.rows("answer found", size, 500, "the section of answers for the caller's words")


def _saving(town: Town, people: People, window: Window, size: int, seconds: float) -> Iterator[Result]:
    """One contact with very many things in it; the resident stays the same."""
    taken = Taken()
    for turn in _turns(seconds):
        prepare(town, people, window, turn)
        taken.time("file", lambda: window.do("file"))
        window.next_thing()
    yield from taken.rows("saved, with number", size, 1000, "a pothole with its answers, place and promise")


Timed = Callable[[str, Callable[[], str]], str]


def _untimed(what: str, action: Callable[[], str]) -> str:
    return action()


def prepare(
    town: Town, people: People, window: Window, turn: int, service: str = "pothole", timed: Timed = _untimed
) -> str:
    """Everything of a request but the last key; what the screen shows then."""
    a, words = people.address(turn), WORDS[turn % len(WORDS)]
    answers = {f"q_{code}": _said(value) for code, value in town.answers[service].items()}
    timed("words typed", lambda: window.type("proposals answer", want=words))
    timed("service chosen", lambda: window.do("service", service))
    timed("questions answered", lambda: window.type("questions advice", **answers))
    timed("address typed", lambda: window.type("places", address=address_of(a)))
    return timed("place chosen", lambda: window.do("place", place(a, people)))


def _said(answer: Answer) -> str:
    """As a form sends it; the services asked for here have no question with several answers."""
    return str(answer).lower() if isinstance(answer, bool) else str(answer)
