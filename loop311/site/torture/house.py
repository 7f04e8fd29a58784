"""A whole Loop311 of its own in a temporary folder, and the hand that kills its parts."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil

from loop311.kit.database.place import place_of
from loop311.kit.ports import free_port

CITY = "torture"
VICTIMS = {"web": 3, "worker": 4, "database": 3, "backend": 1, "everything": 1}
"""What is killed, and how often in proportion. 'backend' is one connection's process; 'everything' is the supervisor too."""

READY_WITHIN = 180.0
"""Seconds until all is well again, on a loaded machine."""


class House:
    """`loop311 serve` under a home and port of its own, with our mail server and text gateway."""

    def __init__(self, home: Path, smtp: str, sms: str, *, chance: random.Random) -> None:
        self.home, self.chance = home, chance
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "LOOP311_BASE_URL")},
            "LOOP311_HOME": str(home),
            "LOOP311_PORT": str(self.port),
            "LOOP311_SMTP_URL": smtp,
            "LOOP311_SMS_URL": sms,
            "DJANGO_SETTINGS_MODULE": "loop311.site.settings",
        }
        self.log = (home / "serve.log").open("ab")
        self.serving: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.serving = subprocess.Popen(
            [sys.executable, "-m", "loop311.site", "serve"], env=self.environment, stdout=self.log, stderr=self.log
        )

    def stop(self) -> None:
        if self.serving is not None and self.serving.poll() is None:
            self.serving.terminate()
            self.serving.wait(60)
        self.log.close()

    def run(self, *command: str) -> str:
        """A command of the product; its standard output. Raises CalledProcessError."""
        return self._run("loop311.site", *command)

    def found(self) -> dict[str, Any]:
        """The city, its catalogue and its token; see founding.py."""
        plan: dict[str, Any] = json.loads(self._run("loop311.site.torture.founding", CITY))
        return plan

    def _run(self, module: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=self.environment, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def is_well(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def wait_until_well(self) -> float:
        """Seconds it took. Raises TimeoutError."""
        return wait_for(self.is_well, READY_WITHIN, "the house is well again")

    # --- The hand ----------------------------------------------------------------------------------------------------

    def strike(self) -> str:
        """Kill -9 a part at random; returns what it was."""
        victim = self.chance.choices(list(VICTIMS), weights=list(VICTIMS.values()))[0]
        for process in self.parts(victim):
            _kill(process)
        if victim == "everything":
            self._serve_again()
        return victim

    def parts(self, victim: str) -> list[psutil.Process]:
        if victim == "everything":
            return [*self._own(), *self._postmaster()]
        if victim == "database":
            return self._postmaster()
        if victim == "backend":
            backends = [child for master in self._postmaster() for child in _children(master)]
            return [self.chance.choice(backends)] if backends else []
        mark = "loop311.site.web" if victim == "web" else "worker"
        parts = [p for p in self._own()[1:] if mark in " ".join(_command(p))]
        whole = [p for part in parts for p in (part, *_children(part))]
        return [self.chance.choice(whole)] if victim == "web" and self.chance.random() < 0.5 and whole else whole

    def _own(self) -> list[psutil.Process]:
        """The supervisor first, then its children."""
        if self.serving is None:
            return []
        try:
            supervisor = psutil.Process(self.serving.pid)
        except psutil.NoSuchProcess:
            return []
        return [supervisor, *_children(supervisor)]

    def _postmaster(self) -> list[psutil.Process]:
        try:
            lines = (place_of(self.home).data / "postmaster.pid").read_text().splitlines()
            return [psutil.Process(int(lines[0]))]
        except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
            return []

    def _serve_again(self) -> None:
        if self.serving is not None:
            self.serving.wait(30)
        wait_for(self._port_is_free, 60, "the port is free again")
        self.start()

    def _port_is_free(self) -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                return False
            return True


def wait_for(happened: Callable[[], bool], seconds: float, what: str) -> float:
    start = time.monotonic()
    while not happened():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"Waited {seconds:.0f} s in vain until {what}.")
        time.sleep(0.2)
    return time.monotonic() - start


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def counted(kills: Mapping[str, int]) -> str:
    return ", ".join(f"{victim} {count}" for victim, count in sorted(kills.items()))
