"""One postmaster process on one data folder: found, started, waited for, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil

from loop311.kit.database.binaries import Binaries, environment, identity
from loop311.kit.database.cluster import sentence_of
from loop311.kit.database.locks import Say, Waiting
from loop311.kit.database.place import Place
from loop311.kit.database.problem import DatabaseUnavailable

REMAINS_MAY_LINGER = 5.0
"""Seconds that backends get to notice that their postmaster was killed, before they are told to quit."""

IDLE_FOR_GOOD = 30.0
"""Seconds without any work by any process of a server that was told to stop, after which it never will."""

LONGEST_LOG = 16 * 2**20
_STATUS_LINE = 7


def find(data: Path) -> psutil.Process | None:
    """The living postmaster of this folder. A dead one's file, or its number taken by another process, is nobody."""
    lines = _pid_file(data)
    try:
        process = psutil.Process(int(lines[0]))
        return process if _works_in(process, data) else None
    except (IndexError, ValueError, psutil.Error):
        return None


def start(place: Place, binaries: Binaries, *, durable: bool, say: Say) -> None:
    """Start the server and wait until it takes connections. The caller holds the start lock."""
    _turn_log(place.log)
    mark = place.log.stat().st_size if place.log.exists() else 0
    process = _clear_remains(place, say) or _spawn(place, binaries, durable)
    wait_until_ready(place, process, say, log_from=mark)


def wait_until_ready(place: Place, process: psutil.Process | None, say: Say, *, log_from: int = 0) -> None:
    """As long as the postmaster lives: recovery after a crash takes as long as it takes."""
    waiting = Waiting(say, "The database is starting (after a crash it first replays its log); waiting for it.")
    while process is not None:
        lines = _pid_file(place.data)
        if _is_alive(process):
            if lines[:1] == [str(process.pid)] and lines[_STATUS_LINE : _STATUS_LINE + 1] == ["ready"]:
                return
        else:
            # A starter that was killed may have left one of its own that was quicker than ours.
            process = find(place.data)
        waiting.a_moment()
    raise DatabaseUnavailable(
        f"The database could not start: {_complaint(place.log, log_from)} Its log is {place.log}."
    )


def is_ready(data: Path) -> bool:
    return _pid_file(data)[_STATUS_LINE : _STATUS_LINE + 1] == ["ready"] and find(data) is not None


def is_stopping(data: Path) -> bool:
    return _pid_file(data)[_STATUS_LINE : _STATUS_LINE + 1] == ["stopping"]


def stop(data: Path, say: Say) -> None:
    """Fast shutdown: open transactions are rolled back, everything committed is on disk. Waits until it is gone.

    One that no longer does anything about it is told to quit at once: told to stop in the middle of its own recovery (after a
    full disk, for instance), PostgreSQL can wait for ever for a process it no longer has. Nothing committed is lost by that.
    """
    process = find(data)
    if process is not None:
        try:
            process.send_signal(signal.SIGINT)
        except psutil.NoSuchProcess:
            return
        wait_until_gone(process, say)


def wait_until_gone(process: psutil.Process, say: Say) -> None:
    """Of one that was told to stop."""
    waiting = Waiting(say, "The database is writing its last changes to disk; waiting for it.")
    worked, since = _work_done(process), time.monotonic()
    while _is_alive(process):
        waiting.a_moment()
        if time.monotonic() - since < IDLE_FOR_GOOD:
            continue
        before, worked, since = worked, _work_done(process), time.monotonic()
        if worked == before:
            say("The database does nothing any more and does not end; it is told to quit at once.")
            _quit(process)


def _work_done(process: psutil.Process) -> dict[int, float]:
    """Process id -> seconds of processor time, of the server and all it has started."""
    done: dict[int, float] = {}
    try:
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            done[each.pid] = times.user + times.system
    except psutil.NoSuchProcess:
        done[-1] = time.monotonic()  # one has just ended: something is going on
    return done


def _spawn(place: Place, binaries: Binaries, durable: bool) -> psutil.Process | None:
    """Through a shell that ends at once, so that the server is nobody's child and outlives the command that started it."""
    options = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(place.socket),
        "unix_socket_permissions": "0700",
        "hba_file": str(place.base / "rules" / "hba.conf"),
        "ident_file": str(place.base / "rules" / "ident.conf"),
        "logging_collector": "off",
    }
    if not durable:
        options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    arguments = [item for name, value in options.items() for item in ("-c", f"{name}={value}")]
    script = 'log="$1"; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
    who = identity(binaries.account)
    result = subprocess.run(
        [
            "/bin/sh",
            "-c",
            script,
            "sh",
            str(place.log),
            str(binaries.folder / "postgres"),
            "-D",
            str(place.data),
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
        check=True,
        cwd="/",
        env=environment(),
        umask=0o077,
        start_new_session=True,
        user=who.user,
        group=who.group,
        extra_groups=who.extra_groups,
    )
    try:
        return psutil.Process(int(result.stdout))
    except psutil.NoSuchProcess:
        return None


def _clear_remains(place: Place, say: Say) -> psutil.Process | None:
    """After a kill: wait until the dead server's backends have gone, then remove the lock files it left.

    PostgreSQL removes such files itself only when their process id belongs to nobody; here it may belong to a process
    that waits to be reaped, or by now to another one. Returns the server that a killed command was still starting.
    """
    waiting = Waiting(say, "Processes of a killed database server are ending; waiting for them.")
    while remains := [process for process in psutil.process_iter() if _works_in(process, place.data)]:
        if starting := find(place.data):
            return starting
        if waiting.seconds > REMAINS_MAY_LINGER:
            for process in remains:
                _quit(process)
        waiting.a_moment()
    for left in (place.data / "postmaster.pid", place.socket / ".s.PGSQL.5432.lock"):
        left.unlink(missing_ok=True)
    return None


def _quit(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGQUIT)
    except psutil.NoSuchProcess:
        return


def _works_in(process: psutil.Process, data: Path) -> bool:
    """PostgreSQL's processes stand in their data folder; that, unlike a number or a name, is theirs alone."""
    try:
        return process.name() == "postgres" and _is_alive(process) and process.cwd() == str(data)
    except psutil.Error:
        return False


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _pid_file(data: Path) -> list[str]:
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _turn_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > LONGEST_LOG:
        os.replace(log, log.with_suffix(".log.1"))


def _complaint(log: Path, log_from: int) -> str:
    if not log.exists():
        return "it could not write its log."
    with log.open("rb") as file:
        file.seek(log_from)
        return sentence_of(file.read().decode(errors="replace"))
