"""Residents and staff over /api/v1 who never give up: file, assign, start, prove, resolve, confirm. Each answer is noted."""

from __future__ import annotations

import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

GIVE_UP_AFTER = 240.0
"""Seconds one step is tried."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A 2xx that a client has seen: it must never be taken back."""

    step: str
    number: str
    state: str
    version: int


@dataclass
class Journal:
    """What the clients were told. Shared by their threads."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    numbers: dict[str, set[str]] = field(default_factory=dict)
    """Idempotency key of a filing -> the numbers that were answered."""
    finished: list[str] = field(default_factory=list)
    tries: int = 0
    again: int = 0
    """Tries after a lost connection, a time-out or a 5xx."""
    troubles: list[str] = field(default_factory=list)
    """Answers nobody should get."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Driver:
    """One client. `plan` is what founding printed."""

    def __init__(self, url: str, plan: dict[str, Any], journal: Journal, chance: random.Random) -> None:
        self.plan, self.journal, self.chance = plan, journal, chance
        self.http = httpx.Client(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {plan['token']}"}, timeout=15
        )

    def close(self) -> None:
        self.http.close()

    def travel(self) -> str:
        """One request all the way round; returns its number."""
        resident = self._insist("POST", "/residents", self._resident())["id"]
        filed = self._file(resident)
        number = str(filed["number"])
        version = self._verb(number, "assign", {}, int(filed["version"]))
        version = self._verb(number, "start", {}, version)
        for kind in self.plan["evidence"]:
            version = self._prove(number, kind)
        version = self._verb(number, "resolve", {"outcome": self.plan["outcome"]}, version)
        self._verb(number, "confirm", {}, version)
        with self.journal.lock:
            self.journal.finished.append(number)
        return number

    def _resident(self) -> dict[str, Any]:
        points = [{"kind": "email", "address": f"{uuid.uuid4().hex}@example.org"}]
        if self.chance.random() < 0.5:
            points.append({"kind": "mobile", "address": f"+1214{self.chance.randint(2000000, 9999999)}"})
        return {"name": "Resident", "language": self.chance.choice(["en", "es"]), "contact_points": points}

    def _file(self, resident: int) -> dict[str, Any]:
        key = uuid.uuid4().hex
        asked = {
            "service_code": self.plan["service"],
            "answers": self.plan["answers"],
            "address": "1 Elm St",
            "resident_id": resident,
        }
        answer = self._insist("POST", "/requests", asked, key=key)
        again = self._insist("POST", "/requests", asked, key=key) if self.chance.random() < 0.2 else answer
        with self.journal.lock:
            self.journal.numbers.setdefault(key, set()).update((answer["number"], again["number"]))
        self._note("file", answer)
        return answer

    def _prove(self, number: str, kind: str) -> int:
        proof = {"kind": kind, "reference": "torture", "latitude": 41.8, "longitude": -87.6}
        answer = self._insist("POST", f"/requests/{number}/evidence", proof, key=uuid.uuid4().hex)
        self._note("evidence", answer)
        return int(answer["version"])

    def _verb(self, number: str, verb: str, body: dict[str, Any], version: int) -> int:
        """A verb says which version it has seen. Told that another one is there, it looks whether that was its own doing."""
        answer = self._insist("POST", f"/requests/{number}/{verb}", {**body, "version": version}, may_conflict=True)
        if answer.get("status") == 409:
            answer = self._insist("GET", f"/requests/{number}", None)
            if int(answer["version"]) <= version:
                self._trouble(f"{verb} of {number} conflicts with nothing")
        else:
            self._note(verb, answer)
        return int(answer["version"])

    def _note(self, step: str, answer: dict[str, Any]) -> None:
        seen = Acknowledged(step, answer["number"], answer["state"], int(answer["version"]))
        with self.journal.lock:
            self.journal.acknowledged.append(seen)

    def _trouble(self, what: str) -> None:
        with self.journal.lock:
            self.journal.troubles.append(what)

    def _insist(
        self, method: str, path: str, body: object, *, key: str = "", may_conflict: bool = False
    ) -> dict[str, Any]:
        """Until there is an answer that means something."""
        end = time.monotonic() + GIVE_UP_AFTER
        while time.monotonic() < end:
            answer = self._ask(method, path, body, key)
            if answer is not None and (answer.is_success or (may_conflict and answer.status_code == 409)):
                found: dict[str, Any] = answer.json()
                return found
            if answer is not None and answer.status_code < 500:
                self._trouble(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
                raise RuntimeError(f"{method} {path}: {answer.status_code}")
            time.sleep(self.chance.uniform(0.1, 0.5))
        self._trouble(f"{method} {path}: no answer for {GIVE_UP_AFTER:.0f} s")
        raise RuntimeError(f"{method} {path}: no answer")

    def _ask(self, method: str, path: str, body: object, key: str) -> httpx.Response | None:
        with self.journal.lock:
            self.journal.tries += 1
        try:
            answer = self.http.request(method, path, json=body, headers={"Idempotency-Key": key} if key else {})
        except httpx.HTTPError:
            answer = None
        if answer is None or answer.status_code >= 500:
            with self.journal.lock:
                self.journal.again += 1
        return answer


class Drivers:
    """Clients in threads of their own, until told to stop; each finishes the request it has begun."""

    def __init__(self, url: str, plan: dict[str, Any], journal: Journal, *, count: int, seed: int) -> None:
        self.stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._drive, args=(Driver(url, plan, journal, random.Random(seed + n)),))  # noqa: S311
            for n in range(1, count + 1)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join()

    def _drive(self, driver: Driver) -> None:
        while not self.stopping.is_set():
            try:
                driver.travel()
            except RuntimeError:
                continue  # written down among the troubles
            finally:
                time.sleep(driver.chance.uniform(0, 1.5))
        driver.close()
