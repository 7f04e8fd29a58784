"""The whole product on one machine, killed where it hurts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import psutil
import psycopg
import pytest

from loop311.kit.database import connection_url, place_of, postmaster
from loop311.kit.ports import free_port
from loop311.ledger import services

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve")]

ROOT = Path(__file__).parents[3]


@dataclass
class Running:
    """One `loop311 serve` and how to reach its parts."""

    process: subprocess.Popen[str]
    home: Path
    port: int

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; status 0 and why while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, HTTPException) as error:
            return 0, repr(error)

    def told(self) -> str:
        """The end of what it wrote, for whoever has to find out why a test failed."""
        lines = (self.home.parent / "log").read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if '"event": "request"' not in line][-60:])

    def is_well(self) -> bool:
        return self.get("/healthz")[0] == 200

    def child(self, part: str) -> psutil.Process | None:
        return next((each for each in children(psutil.Process(self.process.pid), part)), None)

    def ask(self, sql: str) -> object:
        with psycopg.connect(connection_url(self.home), autocommit=True) as connection:
            cursor = connection.execute(sql)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def children(parent: psutil.Process, part: str) -> list[psutil.Process]:
    """The living ones whose command line holds `part`."""
    found = []
    for process in parent.children():
        with suppress(psutil.Error):  # it has just died
            if part in " ".join(process.cmdline()):
                found.append(process)
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="loop311-serve-") as folder:
        Path(folder).chmod(0o711)
        home = Path(folder) / "home"
        port = free_port()
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        environment |= {"LOOP311_HOME": str(home), "LOOP311_PORT": str(port)}
        command = [sys.executable, "-m", "loop311.site", "serve"]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, text=True)
        try:
            product = Running(process, home, port)
            wait_for(product.is_well, 300)
            yield product
            process.terminate()
            assert process.wait(60) == 0
            assert postmaster.find(place_of(home).data) is None
            assert product.get("/healthz")[0] == 0, product.told()
        finally:
            process.kill()
            process.wait()
            if (left := postmaster.find(place_of(home).data)) is not None:
                left.kill()


@pytest.mark.parametrize("part", ["loop311.site.web", "loop311.site worker"])
def test_a_killed_part_is_back_soon(running: Running, part: str) -> None:
    before = running.child(part)
    assert before is not None
    before.kill()
    wait_for(lambda: (now := running.child(part)) is not None and now.pid != before.pid)
    wait_for(running.is_well)


def test_a_killed_web_process_is_back_soon(running: Running) -> None:
    """One of granian's own processes, not the one that we supervise."""
    web = running.child("loop311.site.web")
    assert web is not None
    serving = children(web, "spawn_main")
    assert len(serving) == 2
    serving[0].send_signal(signal.SIGKILL)
    # Asked once for both: it takes its time to die, and is counted until then.
    wait_for(lambda: len(now := children(web, "spawn_main")) == 2 and serving[0] not in now)
    wait_for(running.is_well)


def test_a_killed_database_is_back_and_nobody_sees_a_stack_trace(running: Running) -> None:
    running.ask("CREATE TABLE kept AS VALUES (1)")
    process = postmaster.find(place_of(running.home).data)
    assert process is not None
    process.kill()
    seen: list[tuple[int, str]] = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (len(seen) < 5 or seen[-1][0] != 200):
        seen.append(running.get("/healthz"))
        time.sleep(0.1)
    assert {status for status, _ in seen} <= {200, 503}, f"{seen}\n{running.told()}"
    assert seen[-1][0] == 200
    assert all(json.loads(body)["web"] == "ok" for _, body in seen)
    assert running.ask("SELECT column1 FROM kept") == 1


def test_a_job_of_a_killed_worker_runs_again(running: Running) -> None:
    """A table lock holds the job where it notes that it ran; there its worker is killed."""
    worker = running.child("loop311.site worker")
    assert worker is not None
    kind, handler = "resident.erased", services.handlers_of("resident.erased")[0][0]
    with psycopg.connect(connection_url(running.home)) as holder:
        holder.execute("LOCK TABLE ledger_handled")
        arguments = json.dumps({"event_id": 1, "kind": kind, "handler": handler})
        job = running.ask(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
            f" VALUES ('events', 'ledger.deliver', '{arguments}') RETURNING id"
        )
        state = f"SELECT status::text || attempts FROM procrastinate_jobs WHERE id = {job}"
        wait_for(lambda: running.ask(state) == "doing0")
        worker.kill()
        wait_for(lambda: running.ask(state) == "doing1")
    # There is no such event, so the second run ends by failing; what counts is that there was one.
    wait_for(lambda: running.ask(state) == "todo2")


def test_metrics_add_up_over_the_web_processes(running: Running) -> None:
    status, text = running.get("/metrics")
    assert status == 200
    assert "loop311_http_requests_total" in text
    assert 'loop311_jobs{state="doing"}' in text
