"""Open311 as apps and other cities ask it: the newest 100 requests, a filing, services that have not changed, a long list's memory.

List and filing stand beside pgbench running the statements that one of them really sent.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.test import Client as InProcess

from bench.floor import Floor
from bench.load import Client, beside, rate, web_server
from bench.paths.filing import FRESH, lock_of
from bench.recording import Script, recorded
from bench.results import Effort, Result, against_floor
from bench.town import Town
from loop311.accounts.services import create_token
from loop311.catalog.definitions import Service

ROWS, LONG = 100, 1_000
_V2 = "/open311/v2"
_LIST = f"{_V2}/requests.json?jurisdiction_id=bench&page_size={ROWS}"
_LONG = f"{_V2}/requests.json?jurisdiction_id=bench&page_size={LONG}"
_FILING = f"{_V2}/requests.json"
_SERVICES = f"{_V2}/services.json?jurisdiction_id=bench"
_FORM = "application/x-www-form-urlencoded"
_WITHOUT_LIMIT = 1_000_000_000
_MEGABYTE = 1_000_000
_FLAT, _LEAN = 0.8, 8.0
_runs = count(1)
_before: list[tuple[int, float]] = []


def measure(town: Town, size: int, floor: Floor, effort: Effort) -> Iterator[Result]:
    yield from _list(size, floor, effort)
    yield _filing(town, size, floor, effort)
    yield _services(size, effort)
    yield _memory(size)
    connection.close()


def _list(size: int, floor: Floor, effort: Effort) -> Iterator[Result]:
    """Beside the very SELECT behind it; and beside itself at the smallest size."""
    InProcess().get(_LIST)
    with recorded() as statements:
        InProcess().get(_LIST)
    (listed,) = [statement for statement in statements if "ORDER BY r.received_at" in statement.text]
    script = Script.of([listed], expressions={})
    connection.close()
    with web_server() as port:
        clients = [Client(port, "") for _ in range(effort.clients)]

        def ask(client: Client, number: int) -> None:
            status, _ = client.ask("GET", _LIST)
            if status != 200:
                raise RuntimeError(f"the list answered {status}")

        ours, theirs = beside(floor, script, clients, ask, effort.seconds)
    note = f"GET requests.json, {ROWS} newest, {effort.clients} clients; floor: the same SELECT"
    yield against_floor("Open311 list", size, ours, theirs, 0.15, note)
    if not _before:
        _before.append((size, ours))
        return
    smaller, was = _before[0]
    bar = f">= {_FLAT:.2f} x at {smaller:,}"
    yield Result("Open311 list, flat", size, ours, "/s", None, ours / was, bar, ours / was >= _FLAT)


def _filing(town: Town, size: int, floor: Floor, effort: Effort) -> Result:
    service = next(each for each in town.services if each.code == "pothole")
    name = f"open311-{next(_runs)}"
    secret = create_token(
        town.jurisdiction, name, ["requests.file"], by=town.by, per_minute=_WITHOUT_LIMIT
    )[1]  # fmt: skip
    key = f"the key of {name}"
    with recorded() as statements:
        answer = InProcess().post(
            _FILING, _form(town, service, secret, 1), content_type=_FORM, headers={"Idempotency-Key": key}
        )
    if answer.status_code != 200:
        raise RuntimeError(f"filing answered {answer.status_code}: {answer.content[:500]!r}")
    script = Script.of(statements, head=FRESH, expressions={key: "('k' || :fresh)", lock_of(statements): ":fresh"})
    connection.close()
    with web_server() as port:
        clients = [Client(port, "") for _ in range(effort.clients)]

        def ask(client: Client, number: int) -> None:
            fresh = f"Idempotency-Key: {name}-{time.monotonic_ns()}-{number}\r\n"
            status, body = client.ask("POST", _FILING, _form(town, service, secret, number), fresh, kind=_FORM)
            if status != 200:
                raise RuntimeError(f"filing answered {status}: {body[:500]!r}")

        ours, theirs = beside(floor, script, clients, ask, effort.seconds)
    note = f"POST requests.json with a key, {effort.clients} clients; floor: its {len(statements)} statements"
    return against_floor("Open311 filing", size, ours, theirs, 0.25, note)


def _form(town: Town, service: Service, secret: str, number: int) -> str:
    filing = town.filing_of(service, number)
    fields = {
        "jurisdiction_id": town.jurisdiction.slug,
        "api_key": secret,
        "service_code": service.code,
        "description": filing.description,
        "address_string": filing.address,
        "lat": filing.latitude,
        "long": filing.longitude,
        **{f"attribute[{code}]": _sent(answer) for code, answer in filing.answers.items()},
    }
    return urlencode(fields, doseq=True)


def _sent(answer: object) -> object:
    return str(answer).lower() if isinstance(answer, bool) else answer


def _services(size: int, effort: Effort) -> Result:
    """Asked again by somebody who holds them: all answers should be 304."""
    tag = InProcess().get(_SERVICES)["ETag"]
    connection.close()
    statuses = []
    with web_server() as port:
        clients = [Client(port, f"If-None-Match: {tag}\r\n") for _ in range(effort.clients)]

        def ask(client: Client, number: int) -> None:
            status, _ = client.ask("GET", _SERVICES)
            statuses.append(status)

        rate(clients, ask, 0.5)
        ours = rate(clients, ask, effort.seconds)
    share = statuses.count(304) / len(statuses)
    note = f"services.json with If-None-Match, {effort.clients} clients: {share:.0%} of the answers are 304"
    return Result("Open311 services, unchanged", size, ours, "/s", bar="all 304", kept=share == 1, note=note)


def _memory(size: int) -> Result:
    """The most that Python held at once for one answer, taken piece by piece as a client takes it."""
    _taken(_LONG)
    tracemalloc.start()
    length = _taken(_LONG)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    most_mb = most / _MEGABYTE
    note = f"GET requests.json, {LONG:,} newest, {length / _MEGABYTE:.2f} MB in pieces, in one process"
    return Result(
        "Open311 long list, memory", size, most_mb, "MB", bar=f"< {_LEAN:g} MB", kept=most_mb < _LEAN, note=note
    )


def _taken(path: str) -> int:
    answer: Any = InProcess().get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"the long list answered {answer.status_code}")
    return sum(map(len, answer.streaming_content)) if answer.streaming else len(answer.content)
