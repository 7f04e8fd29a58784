"""Filing a request: routed, promised, placed in its areas, with its event and the job for the message, in one transaction.

Over HTTP as another system files, and by the service function alone. Both beside pgbench running the statements that one
such filing really sent, with the same number of clients.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator
from itertools import count

from django.db import connection
from django.test import Client as InProcess

from bench.floor import Floor, take_turns
from bench.load import Client, beside, web_server
from bench.recording import Script, Statement, recorded
from bench.results import Effort, Result, against_floor
from bench.town import Town
from loop311.catalog.definitions import Service
from loop311.requests.services import file

_runs = count(1)
FRESH = "\\set fresh random(1, 9000000000000000000)"
_PATH = "/api/v1/requests"


def measure(town: Town, size: int, floor: Floor, effort: Effort) -> Iterator[Result]:
    service = next(each for each in town.services if each.code == "pothole")
    yield _over_http(town, service, size, floor, effort)
    yield _by_service(town, service, size, floor, effort)


def _body(town: Town, service: Service, number: int) -> str:
    filing = town.filing_of(service, number)
    fields = ("service_code", "answers", "description", "address", "latitude", "longitude", "channel")
    return json.dumps({name: getattr(filing, name) for name in fields})


def _over_http(town: Town, service: Service, size: int, floor: Floor, effort: Effort) -> Result:
    run = next(_runs)
    key = f"the key of recorded filing {run}"
    with recorded() as statements:
        answer = InProcess().post(
            _PATH,
            _body(town, service, 1),
            content_type="application/json",
            headers={"Authorization": f"Bearer {town.token}", "Idempotency-Key": key},
        )
    if answer.status_code != 201:
        raise RuntimeError(f"filing answered {answer.status_code}: {answer.content[:500]!r}")
    script = Script.of(statements, head=FRESH, expressions={key: "('k' || :fresh)", lock_of(statements): ":fresh"})
    connection.close()
    with web_server() as port:
        clients = [Client(port, f"Authorization: Bearer {town.token}\r\n") for _ in range(effort.clients)]

        def ask(client: Client, number: int) -> None:
            fresh = f"Idempotency-Key: {run}-{time.monotonic_ns()}-{number}\r\n"
            status, body = client.ask("POST", _PATH, _body(town, service, number), fresh)
            if status != 201:
                raise RuntimeError(f"filing answered {status}: {body[:500]!r}")

        ours, theirs = beside(floor, script, clients, ask, effort.seconds)
    note = f"POST /api/v1/requests with a key, {effort.clients} clients; floor: its {len(statements)} statements"
    return against_floor("filing", size, ours, theirs, 0.20, note)


def lock_of(statements: list[Statement]) -> object:
    """The number of the advisory lock that belongs to the key: with one key each, clients do not wait for each other."""
    (lock,) = [statement.params for statement in statements if "pg_advisory_xact_lock" in statement.text]
    return lock[0] if isinstance(lock, list | tuple) else None


def _by_service(town: Town, service: Service, size: int, floor: Floor, effort: Effort) -> Result:
    with recorded() as statements:
        file(town.jurisdiction, town.filing_of(service, 1), by=town.by)
    script = Script.of(statements, expressions={})
    connection.close()
    ours, theirs = take_turns(
        lambda seconds: _processes(town, service, effort.clients, seconds),
        lambda seconds: floor.rate(script, effort.clients, seconds),
        effort.seconds,
    )
    note = f"the service function in {effort.clients} processes; floor: its {len(statements)} statements"
    return against_floor("filing, service alone", size, ours, theirs, None, note)


def _processes(town: Town, service: Service, clients: int, seconds: float) -> float:
    """Filings a second by that many forked processes, each with a connection of its own."""
    context = multiprocessing.get_context("fork")
    start, filed = context.Barrier(clients), context.Queue()

    def work() -> None:
        file(town.jurisdiction, town.filing_of(service, 0), by=town.by)
        start.wait()
        until, done = time.perf_counter() + seconds, 0
        while time.perf_counter() < until:
            file(town.jurisdiction, town.filing_of(service, done), by=town.by)
            done += 1
        filed.put(done)

    processes = [context.Process(target=work) for _ in range(clients)]
    for process in processes:
        process.start()
    total: int = sum(filed.get(timeout=seconds + 60) for _ in processes)
    for process in processes:
        process.join()
    return total / seconds
