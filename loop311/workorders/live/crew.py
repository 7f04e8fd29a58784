"""The department's people, and the power cuts of its server room."""

from __future__ import annotations

import random
import threading
import time

import httpx

from loop311.workorders.live.redmine import Foreman, LiveRedmine

_TO_DO = "1|2"
"""New and In Progress, in Redmine's default data."""


class Crew(threading.Thread):
    """The department's people, who go on working whenever their Redmine is there. `slowest`: seconds between two acts."""

    def __init__(self, foreman: Foreman, chance: random.Random, *, slowest: float = 0.2) -> None:
        super().__init__(daemon=True)
        self._foreman, self._chance, self._slowest = foreman, chance, slowest
        self.over, self.acts = threading.Event(), 0

    def run(self) -> None:
        while not self.over.wait(self._chance.uniform(self._slowest / 10, self._slowest)):
            try:
                self._step()
            except (httpx.HTTPError, ValueError, KeyError):
                continue  # it is down; or it was killed before it could say that it had done it

    def _step(self) -> None:
        query = {"status_id": _TO_DO, "limit": 100, "subject": "~[311 "}
        waiting = self._foreman.ask("GET", "/issues.json", params=query)["issues"]
        if not waiting:
            return
        issue = self._chance.choice(waiting)
        if issue["status"]["name"] == "New":
            self._foreman.work(str(issue["id"]), status="In Progress", notes=f"Begun {self._chance.random()}")
        else:
            self._foreman.work(str(issue["id"]), status="Resolved", notes="Filled.", photo=b"\x89PNG\r\n\x1a\nafter")
        self.acts += 1


class Killer(threading.Thread):
    """Kills it in the midst of what it does, and starts it again."""

    def __init__(self, redmine: LiveRedmine, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._redmine, self._chance = redmine, chance
        self.over, self.kills = threading.Event(), 0

    def run(self) -> None:
        while not self.over.wait(self._chance.uniform(1, 3)):
            self._redmine.kill()
            self.kills += 1
            time.sleep(self._chance.uniform(0, 1))
            self._redmine.start()
