"""Children that are kept running, and that never outlive who keeps them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from loop311.kit.processes import Child, Supervisor

pytestmark = pytest.mark.slow

T = TypeVar("T")
ROOT = Path(__file__).parents[3]

SUPERVISE = """
import sys
from loop311.kit.processes import Child, Supervisor
child = [sys.executable, "-c", sys.argv[1], sys.argv[2]]
Supervisor([Child("child", child)], on_death=lambda name, code: print(name, code, flush=True), grace=1).run()
print("over", flush=True)
"""

LIVES = """
import os, sys, time
from loop311.kit.processes import die_with_parent
die_with_parent()
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
time.sleep(600)
"""

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LIVES


def supervisor(child: str, pids: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SUPERVISE, child, str(pids)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def started(pids: Path, count: int) -> list[int]:
    return wait_for(lambda: [int(line) for line in lines] if len(lines := read(pids)) >= count else None)


def read(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def wait_for(look: Callable[[], T | None], seconds: float = 120) -> T:
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return found


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_killed_child_is_started_again_and_sigterm_ends_both(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    parent = supervisor(LIVES, pids)
    (first,) = started(pids, 1)
    os.kill(first, signal.SIGKILL)
    second = started(pids, 2)[1]
    parent.terminate()
    output, _ = parent.communicate(timeout=120)
    assert parent.returncode == 0
    assert output.splitlines() == ["child -9", "over"]
    assert is_gone(second)


def test_a_child_that_does_not_listen_is_killed_after_its_grace(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    parent = supervisor(DEAF, pids)
    (child,) = started(pids, 1)
    parent.send_signal(signal.SIGINT)
    parent.communicate(timeout=120)
    assert parent.returncode == 0
    assert is_gone(child)


def test_a_child_dies_with_a_killed_supervisor(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    parent = supervisor(LIVES, pids)
    (child,) = started(pids, 1)
    parent.kill()
    parent.communicate()
    wait_for(lambda: True if is_gone(child) else None)


def test_a_child_that_keeps_dying_is_started_ever_more_slowly() -> None:
    child = Child("brief", [sys.executable, "-c", ""])
    pauses = []
    for _ in range(3):
        child.start()
        assert child.process is not None
        child.process.wait()
        before = time.monotonic()
        assert child.has_died() == 0
        assert child.not_before >= before + child.pause
        pauses.append(child.pause)
    assert pauses[0] < pauses[1] < pauses[2]


def test_a_tick_that_asks_to_stop_ends_the_supervisor() -> None:
    ticks = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    Supervisor([], tick=tick).run()
    assert len(ticks) == 2


def test_a_crash_in_native_code_leaves_its_last_words(tmp_path: Path) -> None:
    crashes = "import ctypes; ctypes.string_at(0)"
    with (tmp_path / "log").open("w") as log:
        program = f"from loop311.kit.processes import Child; c = Child('c', [{sys.executable!r}, '-c', {crashes!r}])"
        subprocess.run(
            [sys.executable, "-c", f"{program}; c.start(); c.process.wait()"], cwd=ROOT, stderr=log, check=True
        )
    said = (tmp_path / "log").read_text()
    assert "Fatal Python error: Segmentation fault" in said
    assert "ctypes" in said
