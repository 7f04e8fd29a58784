"""Speaking to the departments' systems, between the steps that `services` writes down. Nothing here holds a transaction open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from loop311.kit.clock import now
from loop311.kit.problems import Problem
from loop311.workorders import services
from loop311.workorders.connectors import kind_of
from loop311.workorders.connectors.base import (
    Answer,
    CannotTell,
    Connector,
    KeepsUntilTaken,
    KnowsNewest,
    Refused,
    Report,
    Setup,
    Tested,
    TryLater,
    Unknown,
)
from loop311.workorders.mapping import meaning_of
from loop311.workorders.models import Link, Order
from loop311.workorders.policies import LinkState, cursor
from loop311.workorders.secrets import secret_at
from loop311.workorders.services import Claim, Compared, Task
from loop311.workorders.services.saying import plain_words, why_cancelled

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 200
"""Orders of one job; when more are due, another follows it, behind whatever else the worker has to do."""
GIVES_UP = 3
"""After so many failures one after the other the rest waits: they are most likely down."""

Make = Callable[[Link], Connector]


def connector_of(link: Link, *, timeout: float = 15.0) -> Connector:
    """Raises Problem when its secret is not there."""
    said = services.mapping(link)
    kind = kind_of(link.connector)
    setup = Setup(
        link=link.code,
        options=msgspec.convert(said.settings, kind.options),
        secret=secret_at(said.secret),
        services=tuple(sorted({mapped.theirs for mapped in said.services.values()})),
        timeout=timeout,
        fetch=lambda proof: services.file_behind(link, proof),
        keys=lambda: services.open_keys(link),
        knows=lambda references: services.known_marks(link, references),
    )
    return kind.make(setup)


@contextmanager
def speaking(link: Link, make: Make | None = None) -> Iterator[Connector]:
    connector = (make or connector_of)(link)
    try:
        yield connector
    finally:
        close = getattr(connector, "close", None)
        if close is not None:
            close()


# --- Saying ------------------------------------------------------------------------------------------------------------


def send(link_id: int, *, at: datetime | None = None, make: Make | None = None) -> int:
    """Say what is due, each order's in order; returns how many things were said. One process at a time works on an order."""
    link = Link.objects.select_related("jurisdiction").get(pk=link_id)
    if not services.speakable(link, at or now()):
        return 0
    try:
        with speaking(link, make) as connector:
            return _say_all(link, connector, at)
    except Problem as problem:
        services.note_failing(link_id, problem.detail, at or now())
        return 0


def _say_all(link: Link, connector: Connector, at: datetime | None) -> int:
    said = failed = 0
    for order_id in services.due(link.pk, at or now(), MOST_AT_ONCE):
        done, failing = _work_on(order_id, link, connector, at)
        said += done
        failed = failed + 1 if failing else 0
        if failed >= GIVES_UP:
            break
    return said


def _work_on(order_id: int, link: Link, connector: Connector, at: datetime | None) -> tuple[int, bool]:
    """Everything that is to be said of one order, until there is nothing more or they fail: how many, and whether they failed."""
    said = 0
    with services.alone_with(order_id) as alone:
        while alone:
            claimed = services.claim(order_id, at or now())
            if claimed is None:
                break
            answered = speak(connector, claimed, at)
            if answered is not None:
                services.note_failing(link.pk, answered, at or now())
                return said, True
            said += 1
    return said, False


def speak(connector: Connector, claimed: Claim, at: datetime | None) -> str | None:
    """Say it and note what was answered; the reason, when they could not be reached."""
    if claimed.task is Task.LOOKUP:
        return _look_up(connector, claimed, at)
    answer = _answer(connector, claimed)
    order = services.note(claimed, answer, at or now())
    if claimed.task is Task.CREATE and order.their_key:
        services.tell_number(order.pk, order.jurisdiction_id, at or now())
    return answer.reason if isinstance(answer, TryLater | Unknown) else None


def _answer(connector: Connector, claimed: Claim) -> Answer:
    """Whatever goes wrong in a connector leaves in doubt whether it was said."""
    try:
        if claimed.task is Task.CREATE:
            return connector.create(claimed.words)
        if claimed.task is Task.CANCEL:
            return connector.cancel(claimed.words, why_cancelled(claimed.said))
        if claimed.change is None:
            return Refused(reason="There is nothing to say.")
        return connector.update(claimed.words, claimed.change)
    except Exception as error:
        log.exception("a connector failed", order=claimed.order.pk, task=claimed.task)
        return Unknown(reason=f"The connector failed ({type(error).__name__}).")


def _look_up(connector: Connector, claimed: Claim, at: datetime | None) -> str | None:
    try:
        report = connector.lookup(claimed.words)
    except CannotTell as error:
        return _cannot_tell(connector, claimed, str(error), at)
    except Exception as error:
        log.exception("a connector failed", order=claimed.order.pk, task=claimed.task)
        return _cannot_tell(connector, claimed, f"The connector failed ({type(error).__name__}).", at)
    order = services.note_found(claimed, report, at or now())
    if report is not None:
        services.tell_number(order.pk, order.jurisdiction_id, at or now())
        services.hear(order.link, report, at or now())
    return None


def _cannot_tell(connector: Connector, claimed: Claim, reason: str, at: datetime | None) -> str | None:
    if connector.repeats_safely:
        services.note_found(claimed, None, at or now())
        return None
    services.note(claimed, Unknown(reason=reason), at or now())
    return reason


# --- Hearing -----------------------------------------------------------------------------------------------------------


def beat(link_id: int, *, at: datetime | None = None, make: Make | None = None) -> LinkState:
    """One heartbeat: are they there, and what happened since? Both must work for the link to be up."""
    link = Link.objects.select_related("jurisdiction").get(pk=link_id)
    began = at or now()
    heard = _ask(link, began, make, at)
    tested, newest = heard.tested, heard.newest
    return services.note_beat(link_id, ok=tested.ok, said=tested.words, at=at or now(), newest=newest)


@dataclass(frozen=True, slots=True)
class Heard:
    """`newest`: up to when, by their clock, everything was heard."""

    tested: Tested
    newest: datetime | None = None


def _ask(link: Link, began: datetime, make: Make | None, at: datetime | None) -> Heard:
    try:
        with speaking(link, make) as connector:
            tested = connector.test()
            return _listen(link, connector, tested, began, at) if tested.ok else Heard(tested)
    except CannotTell as error:
        return Heard(Tested(ok=False, words=str(error)))
    except Problem as problem:
        return Heard(Tested(ok=False, words=problem.detail))
    except Exception as error:
        log.exception("a connector failed", link=link.pk)
        return Heard(Tested(ok=False, words=f"The connector failed ({type(error).__name__})."))


def _listen(link: Link, connector: Connector, tested: Tested, began: datetime, at: datetime | None) -> Heard:
    reports = list(connector.poll(cursor(link.newest_there, link.since, began)))
    taken = [_hear(link, report, at) for report in services.unheard(link, reports)]
    if not all(taken):
        return Heard(tested)  # what could not be taken is asked for again
    if isinstance(connector, KeepsUntilTaken):
        connector.took()
    seen = connector.newest if isinstance(connector, KnowsNewest) else None
    return Heard(tested, max(filter(None, [seen, *(report.at for report in reports)]), default=None))


def _hear(link: Link, report: Report, at: datetime | None) -> bool:
    """One that cannot be taken holds up no other; it comes again with the next poll."""
    try:
        services.hear(link, report, at or now())
    except Exception:
        log.exception("a report was not taken", link=link.pk)
        return False
    return True


# --- Comparing ---------------------------------------------------------------------------------------------------------


def reconcile(link_id: int, *, at: datetime | None = None, make: Make | None = None) -> Compared:
    """Hold both sides against each other. Raises CannotTell when they could not be asked; then nothing is concluded."""
    link = Link.objects.select_related("jurisdiction").get(pk=link_id)
    keys = services.keys_of(link, at or now())
    try:
        with speaking(link, make) as connector:
            states = list(connector.reconcile(keys))
    except Problem as problem:
        raise CannotTell(problem.detail) from problem
    return services.compare(link, keys, states, at or now())


# --- For a person who waits for the answer ------------------------------------------------------------------------------

PATIENCE = 5.0


def try_out(link: Link, *, at: datetime | None = None, make: Make | None = None) -> tuple[Tested, LinkState]:
    """The connection, tried now; it counts as a heartbeat when it works."""
    try:
        with speaking(link, make or _quickly) as connector:
            tested = connector.test()
    except Problem as problem:
        tested = Tested(ok=False, words=problem.detail)
    except Exception as error:
        log.exception("a connector failed", link=link.pk)
        tested = Tested(ok=False, words=f"The connector failed ({type(error).__name__}).")
    tested = _with_gaps(link, tested)
    return tested, services.note_beat(link.pk, ok=tested.ok, said=tested.words, at=at or now())


def _with_gaps(link: Link, tested: Tested) -> Tested:
    """Their statuses that nobody gave a meaning are said at once, not when the first record has one."""
    said = services.mapping(link)
    unknown = [status for status in tested.statuses if meaning_of(said, status) is None]
    if not unknown:
        return tested
    words = f"{tested.words} Nothing in links.yaml says what {', '.join(unknown[:10])} means."
    return Tested(ok=tested.ok, words=words, statuses=tested.statuses)


def look_up(order: Order, *, make: Make | None = None) -> Report | None:
    """How it stands there now, or None: they certainly have no such record. Raises CannotTell."""
    with speaking(order.link, make or _quickly) as connector:
        return connector.lookup(plain_words(order))


def _quickly(link: Link) -> Connector:
    return connector_of(link, timeout=PATIENCE)
