"""Processes that belong together: children that die with their parent, and a supervisor that restarts the dead."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import psutil

PARENT = "LOOP311_PARENT"
"""Environment variable: the process id of the supervisor, for its children."""

_PR_SET_PDEATHSIG = 1
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds before a child is started again, doubled at each early death."""
LIVED_WELL = 30.0
"""A child that lived this many seconds starts again at once."""


def die_with_parent() -> None:
    """Called first thing by a supervised process: when the parent dies, even by kill -9, so does this one."""
    supervisor = os.environ.get(PARENT)
    if supervisor is None:
        return
    spawner = multiprocessing.parent_process()
    parent = int(supervisor) if spawner is None or spawner.pid is None else spawner.pid
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os.kill(os.getpid(), signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Child:
    """A program that is kept running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    not_before: float = 0.0
    pause: float = FIRST_PAUSE

    def start(self) -> None:
        """With the interpreter's own last words: a crash in native code says on standard error where it happened."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            list(self.command),
            env={"PYTHONFAULTHANDLER": "1", **os.environ, **self.environment, PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
        )

    def has_died(self) -> int | None:
        """Its exit code, once; after that it waits to be started again."""
        code = None if self.process is None else self.process.poll()
        if code is not None:
            lived_well = time.monotonic() - self.started > LIVED_WELL
            self.pause = FIRST_PAUSE if lived_well else min(self.pause * 2, LONGEST_PAUSE)
            self.not_before = time.monotonic() + self.pause
            self.process = None
        return code

    def is_due(self) -> bool:
        return self.process is None and time.monotonic() >= self.not_before


class Supervisor:
    """Keeps its children running until SIGTERM or SIGINT; ends them by their own process ids."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        tick: Callable[[], None] = lambda: None,
        on_death: Callable[[str, int], None] = lambda name, code: None,
        grace: float = 20.0,
    ) -> None:
        """`tick` runs before each round, several times a second; `grace` is the seconds a child gets after SIGTERM."""
        self._children = children
        self._tick = tick
        self._on_death = on_death
        self._grace = grace
        self._stopped = threading.Event()

    def run(self) -> None:
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while not self._stopped.is_set():
                self._round()
                self._stopped.wait(0.2)
        finally:
            self._end_children()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopped.set()

    def _round(self) -> None:
        self._tick()
        for child in self._children:
            code = child.has_died()
            if code is not None:
                self._on_death(child.name, code)
            if child.is_due() and not self._stopped.is_set():
                child.start()
        self._reap_adopted()

    def _reap_adopted(self) -> None:
        """As process 1 of a container, orphans become ours; unreaped they would look alive for ever."""
        if os.getpid() != 1:
            return
        own = {child.process.pid for child in self._children if child.process}
        for process in psutil.Process().children():
            if process.pid not in own and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)

    def _end_children(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._grace
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
