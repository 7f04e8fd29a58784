"""Afterwards: is everything that was acknowledged there, is nothing there twice, was every resident told?"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from loop311.notifications.testing import MailServer, TextGateway
from loop311.site.torture.driving import Journal
from loop311.site.torture.house import CITY, House

TOLD = ("request.filed", "request.assigned", "request.started", "request.done", "request.closed")
"""What happens to every request here and is told to its resident."""

SHOWN = 5
"""Examples of what is wrong."""


@dataclass(frozen=True, slots=True)
class Result:
    what: str
    looked_at: int
    wrong: list[str]


@dataclass(frozen=True)
class Scene:
    """All that is looked at."""

    house: House
    journal: Journal
    mail: MailServer
    texts: TextGateway
    model: list[str]
    """The kinds of events of a request that travelled undisturbed."""
    database: psycopg.Connection[tuple[Any, ...]]

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        return self.database.execute(sql.encode(), params).fetchall()


def remaining(scene: Scene) -> int:
    """Jobs that follow from events, and messages, that have not ended yet."""
    [(jobs, messages)] = scene.rows(
        "SELECT (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        "        AND task_name IN ('ledger.deliver', 'notifications.send')),"
        " (SELECT count(*) FROM notifications_message WHERE state IN ('queued', 'held', 'sending'))"
    )
    return int(jobs + messages)


def results(scene: Scene) -> Iterator[Result]:
    for check in CHECKS:
        yield check(scene)


def kinds_of(scene: Scene, number: str) -> list[str]:
    rows = scene.rows(
        "SELECT e.kind FROM ledger_event e JOIN requests_request r ON r.id = e.subject_id AND e.subject_type = 'request'"
        " WHERE r.number = %s ORDER BY e.sequence",
        number,
    )
    return [kind for (kind,) in rows]


def _troubles(scene: Scene) -> Result:
    return Result("no client got an answer that makes no sense", scene.journal.tries, scene.journal.troubles)


def _acknowledged(scene: Scene) -> Result:
    """The ledger has, for each answer seen, that version of that request in that state."""
    there = {
        (number, body["version"], body["state"])
        for number, body in (
            (number, json.loads(body))
            for number, body in scene.rows(
                "SELECT r.number, e.body FROM ledger_event e JOIN requests_request r"
                " ON r.id = e.subject_id AND e.subject_type = 'request'"
            )
        )
    }
    seen = scene.journal.acknowledged
    lost = [f"{a.step} of {a.number}: version {a.version} {a.state}" for a in seen
            if (a.number, a.version, a.state) not in there]  # fmt: skip
    return Result("nothing acknowledged is lost", len(seen), lost)


def _filings(scene: Scene) -> Result:
    """However often a filing was repeated, its key has one request, and there are no others."""
    keys = scene.journal.numbers
    wrong = [f"key {key} was answered with {sorted(numbers)}" for key, numbers in keys.items() if len(numbers) != 1]
    [(requests, filed)] = scene.rows(
        "SELECT (SELECT count(*) FROM requests_request), (SELECT count(*) FROM requests_filingkey WHERE sender LIKE '%%:file')"
    )
    if requests != filed:
        wrong.append(f"{requests} requests for {filed} keys")
    return Result("one request for each idempotency key", len(keys), wrong)


def _histories(scene: Scene) -> Result:
    """A finished request has the history of an undisturbed one: no event missing, none twice, none out of order."""
    finished = scene.journal.finished
    wrong = [f"{number}: {kinds}" for number in finished if (kinds := kinds_of(scene, number)) != scene.model]
    return Result("every history is complete and without doubles", len(finished), wrong)


def _sequences(scene: Scene) -> Result:
    rows = scene.rows("SELECT subject_type, subject_id, count(*), max(sequence) FROM ledger_event GROUP BY 1, 2")
    wrong = [f"{kind} {ref}: {count} events up to {last}" for kind, ref, count, last in rows if count != last]
    return Result("sequences have no gaps", len(rows), wrong)


def _finished(scene: Scene) -> Result:
    rows = scene.rows("SELECT number, state FROM requests_request WHERE state <> 'closed'")
    begun = {a.number for a in scene.journal.acknowledged if a.step == "file"}
    wrong = [f"{number} is {state}" for number, state in rows if number in begun]
    return Result("every request that was begun is closed", len(begun), wrong)


def _messages(scene: Scene) -> Result:
    """One message for each told event and each contact point of the resident."""
    wanted = scene.rows(
        "SELECT e.id, c.id FROM ledger_event e"
        " JOIN requests_request r ON r.id = e.subject_id AND e.subject_type = 'request'"
        " JOIN residents_contactpoint c ON c.resident_id = r.resident_id AND c.kind IN ('email', 'mobile')"
        " WHERE e.kind = ANY(%s)",
        list(TOLD),
    )
    made = scene.rows("SELECT event_id, contact_point_id FROM notifications_message")
    return Result("one message per event and contact point", len(wanted), _differences(wanted, made))


def _differences(wanted: Iterable[tuple[Any, ...]], made: Iterable[tuple[Any, ...]]) -> list[str]:
    difference = Counter(made)
    difference.subtract(Counter(wanted))
    return [f"event {event}, contact point {point}: {n:+d}" for (event, point), n in difference.items() if n]


def _mail(scene: Scene) -> Result:
    """Each e-mail arrived, under its own Message-ID and no other; repeats carry the same one."""
    rows = scene.rows("SELECT message_id, state FROM notifications_message WHERE kind = 'email'")
    arrived = set(scene.mail.ids)
    wrong = [f"{name} is {state}" for name, state in rows if state != "sent"]
    wrong += [f"{name} never arrived" for name, _ in rows if name not in arrived]
    wrong += [f"{name} arrived and is nobody's" for name in arrived - {name for name, _ in rows}]
    return Result("every e-mail arrived, under one Message-ID", len(rows), wrong)


def _texts(scene: Scene) -> Result:
    """A text that is noted as sent arrived; none arrived twice; of an unknown one nobody knows."""
    rows = dict(scene.rows("SELECT message_id, state FROM notifications_message WHERE kind = 'sms'"))
    arrived = Counter(text["key"] for text in scene.texts.taken)
    wrong = [f"{name} arrived {count} times" for name, count in arrived.items() if count > 1]
    wrong += [f"{name} is {state}" for name, state in rows.items() if state not in ("sent", "unknown")]
    wrong += [
        f"{name} is sent and never arrived" for name, state in rows.items() if state == "sent" and not arrived[name]
    ]
    wrong += [f"{name} arrived and is nobody's" for name in arrived if name not in rows]
    return Result("no text arrived twice", len(rows), wrong)


def _handlers(scene: Scene) -> Result:
    failed = scene.rows("SELECT id, task_name, args::text FROM procrastinate_jobs WHERE status = 'failed'")
    [(handled,)] = scene.rows("SELECT count(*) FROM ledger_handled")
    return Result("no handler was given up", handled, [f"job {job}: {name} {args}" for job, name, args in failed])


def _ledger(scene: Scene) -> Result:
    try:
        report = json.loads(scene.house.run("ledger", "verify", CITY, "--json"))
    except subprocess.CalledProcessError as error:
        report = json.loads(error.stdout or '{"events": 0, "faults": [{"sentence": "verify did not run"}]}')
    return Result("the ledger verifies", report["events"], [str(fault) for fault in report["faults"]])


CHECKS: tuple[Callable[[Scene], Result], ...] = (
    _troubles,
    _acknowledged,
    _filings,
    _finished,
    _histories,
    _sequences,
    _messages,
    _mail,
    _texts,
    _handlers,
    _ledger,
)
