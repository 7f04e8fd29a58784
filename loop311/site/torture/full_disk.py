"""script/full-disk: Loop311 on a small disk that fills up, and gets room again; then one table."""

from __future__ import annotations

import html
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import httpx

from loop311.kit.database.room import FULL, FULL_FOR_COMMANDS
from loop311.kit.problems import Conflict
from loop311.notifications.testing import mail_server, text_gateway
from loop311.site.torture.house import CITY, READY_WITHIN, House, wait_for

SIZE = 420
"""Mebibytes of the disk: the database, its log and some hundred requests."""

TIGHT = 45
"""Mebibytes left for the import that must not fit: enough to begin, less than three segments of the database's log."""

ROWS = 40_000

MAPPING = """
source: full_disk
id: id
time_zone: America/Chicago
opened: {columns: opened}
closed: {columns: closed}
due: {columns: due}
status: {columns: status, states: {open: received, closed: closed}}
channel: {columns: channel, channels: {}, default: phone}
service: {columns: service}
department: {columns: department}
description: {columns: description}
"""


@dataclass
class Table:
    """What was looked at, and what was wrong with it."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def note(self, what: str, seen: str, wrong: str = "") -> None:
        self.rows.append((what, seen, wrong))
        click.echo(f"{'FAIL' if wrong else 'ok  '}  {what:<62} {seen}{f'  <- {wrong}' if wrong else ''}")

    def expect(self, what: str, seen: str, *, good: bool) -> None:
        self.note(what, seen, "" if good else "not what it should be")

    @property
    def is_bad(self) -> bool:
        return any(wrong for _, _, wrong in self.rows)


class Disk:
    """A file system with little room, and the ballast in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._ballast = folder, folder / "ballast"

    def leave(self, mebibytes: int) -> None:
        """Only so much room, from now on."""
        self.empty()
        block = b"\0" * 2**20
        with suppress(OSError), self._ballast.open("wb", buffering=0) as ballast:
            while mebibytes == 0 or shutil.disk_usage(self.folder).free > (mebibytes + 1) * 2**20:
                ballast.write(block)

    def empty(self) -> None:
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path | None) -> Iterator[Disk]:
    """`folder` on a small file system of its own; or a new one in memory, which takes root."""
    if folder is not None:
        yield Disk(folder)
        return
    made = Path(tempfile.mkdtemp(prefix="loop311-disk-"))
    size = f"size={SIZE}m,mode=0711"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(made)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        made.rmdir()
        raise Conflict(
            f"A small disk could not be mounted ({done.stderr.strip()}): be root, or name one with --on FOLDER."
        )
    try:
        yield Disk(made)
    finally:
        subprocess.run(["umount", "--lazy", str(made)], check=False)
        made.rmdir()


class Caller:
    """Files over /api/v1 and remembers what was acknowledged."""

    def __init__(self, house: House, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.http = httpx.Client(
            base_url=f"{house.url}/api/v1", headers={"Authorization": f"Bearer {plan['token']}"}, timeout=30
        )
        self.acknowledged: dict[str, str] = {}
        """Number -> idempotency key."""

    def file(self, words: int = 10) -> tuple[int, str]:
        """Status (0: no answer) and what was said."""
        key = uuid.uuid4().hex
        asked = {
            "service_code": self.plan["service"],
            "answers": self.plan["answers"],
            "address": "1 Elm St",
            "description": " ".join(uuid.uuid4().hex for _ in range(words)),
        }
        try:
            answer = self.http.post("/requests", json=asked, headers={"Idempotency-Key": key})
        except httpx.HTTPError as error:
            return 0, type(error).__name__
        if answer.status_code == 201:
            self.acknowledged[answer.json()["number"]] = key
            return 201, ""
        return answer.status_code, str(answer.json()["detail"])

    def file_for(self, seconds: float, words: int) -> Counter[tuple[int, str]]:
        end = time.monotonic() + seconds
        seen: Counter[tuple[int, str]] = Counter()
        while time.monotonic() < end:
            seen[self.file(words)] += 1
        return seen

    def missing(self) -> list[str]:
        return [n for n in self.acknowledged if self.http.get(f"/requests/{n}").status_code != 200]


@click.command()
@click.option("--on", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A folder on a file system of some 400 MB that may be filled; without it one is mounted.")  # fmt: skip
def full_disk(folder: Path | None) -> None:
    """Fill the disk under a running Loop311, under an import and under its start; make room again; then check everything."""
    try:
        with small_disk(folder) as disk:
            table = _play(disk)
    except Conflict as problem:
        raise click.ClickException(problem.detail) from problem
    sys.exit(1 if table.is_bad else 0)


def _play(disk: Disk) -> Table:
    table = Table()
    home = disk.folder / "home"
    home.mkdir(mode=0o711)
    with ExitStack() as stack:
        mail, texts = stack.enter_context(mail_server()), stack.enter_context(text_gateway())
        chance = random.Random(311)  # noqa: S311 - to be repeated
        house = House(home, f"smtp://{mail.host}:{mail.port}", texts.url, chance=chance)
        stack.callback(lambda: _end(house))
        house.start()
        house.wait_until_well()
        caller = Caller(house, house.found())
        csv, mapping = _file_to_import(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loop311-rows-"))))
        _filing(table, disk, house, caller)
        _import_into_little_room(table, disk, house, caller, csv, mapping)
        _start(table, disk, house)
        _everything_is_there(table, disk, house, caller, csv, mapping)
    return table


def _file_to_import(folder: Path) -> tuple[Path, Path]:
    csv, mapping = folder / "rows.csv", folder / "mapping.yaml"
    mapping.write_text(MAPPING)
    with csv.open("w") as out:
        out.write("id,opened,closed,due,status,channel,service,department,description\n")
        for number in range(ROWS):
            day = f"2026-0{1 + number % 6}-{1 + number % 27:02}T10:00:00"
            closed, status = ("", "open") if number % 5 == 0 else (day.replace("T10", "T15"), "closed")
            words = uuid.UUID(int=number).hex * 4
            out.write(
                f"{number},{day},{closed},{day.replace('T10', 'T20')},{status},Phone,Old service,Old department,{words}\n"
            )
    return csv, mapping


def _filing(table: Table, disk: Disk, house: House, caller: Caller) -> None:
    before = [caller.file() for _ in range(30)]
    table.expect(
        "requests filed while there is room", f"{len(before)}", good=all(status == 201 for status, _ in before)
    )
    disk.leave(0)
    seen = caller.file_for(30, words=300)
    told = {key: count for key, count in seen.items() if key[0] != 201}
    said = ", ".join(f"{count} x {status} {detail[:60]!r}" for (status, detail), count in told.items())
    table.expect("filing on a full disk: one sentence", said, good=bool(told) and set(told) == {(503, FULL)})
    health = httpx.get(f"{house.url}/healthz", timeout=30)
    table.expect("healthz names it", health.text[:90], good=health.status_code == 503 and "disk is full" in health.text)
    page = httpx.get(f"{house.url}/desk/sign-in/", timeout=30)
    good = page.status_code == 200 or _says_full(page)
    table.expect("pages are read, or say so (no new connection fits)", str(page.status_code), good=good)
    for process in house.parts("web"):
        process.kill()
    seconds = _until(lambda: _answers(house), 60)
    table.expect("a web process that is killed meanwhile is back", f"{seconds:.0f} s", good=seconds < 60)
    disk.empty()
    seconds = _until(house.is_well, READY_WITHIN)
    table.expect("with room all is well again, by itself", f"{seconds:.0f} s", good=seconds < READY_WITHIN)
    after = [caller.file() for _ in range(10)]
    table.expect(
        "and requests are filed again", str(Counter(s for s, _ in after)), good=all(s == 201 for s, _ in after)
    )
    table.expect("nothing acknowledged is lost", f"{len(caller.acknowledged)} looked at", good=not caller.missing())


def _import_into_little_room(table: Table, disk: Disk, house: House, caller: Caller, csv: Path, mapping: Path) -> None:
    disk.leave(TIGHT)
    done = _command(house, "import", "requests", CITY, str(csv), "--mapping", str(mapping), "--json")
    table.expect("an import that does not fit: one sentence, exit 1", done.stderr.strip()[-140:], good=_is_told(done))
    disk.empty()
    seconds = _until(house.is_well, READY_WITHIN)
    table.expect("with room all is well again, by itself", f"{seconds:.0f} s", good=seconds < READY_WITHIN)
    table.expect("nothing acknowledged is lost", f"{len(caller.acknowledged)} looked at", good=not caller.missing())


def _is_told(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode == 1 and done.stderr.strip().splitlines()[-1:] == [f"Error: {FULL_FOR_COMMANDS}"]


def _start(table: Table, disk: Disk, house: House) -> None:
    disk.leave(0)
    started = time.monotonic()
    _end(house)
    table.note("it is stopped on a full disk", f"{time.monotonic() - started:.0f} s")
    disk.leave(0)  # its end made a little room, enough to start once more
    done = _command(house, "serve")
    last = done.stderr.strip().splitlines()[-1:]
    good = done.returncode == 1 and "the disk is full" in "".join(last) and "Traceback" not in done.stderr
    table.expect("a start on a full disk: one sentence, exit 1", "".join(last)[:140], good=good)
    disk.empty()
    house.start()
    seconds = _until(house.is_well, READY_WITHIN)
    table.expect("with room it starts", f"{seconds:.0f} s", good=seconds < READY_WITHIN)


def _everything_is_there(table: Table, disk: Disk, house: House, caller: Caller, csv: Path, mapping: Path) -> None:
    table.expect("nothing acknowledged is lost", f"{len(caller.acknowledged)} looked at", good=not caller.missing())
    verified = _command(house, "ledger", "verify", CITY)
    table.expect("the ledger is whole", verified.stdout.strip()[-80:], good=verified.returncode == 0)
    done = _command(house, "import", "requests", CITY, str(csv), "--mapping", str(mapping), "--json")
    counts = json.loads(done.stdout) if done.returncode == 0 else {}
    whole = counts.get("created", 0) + counts.get("unchanged", 0) == counts.get("read") == ROWS
    table.expect("the import goes on where it was", json.dumps(counts) or done.stderr[-140:], good=whole)


def _command(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loop311.site", *arguments],
        env=house.environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


def _answers(house: House) -> bool:
    with suppress(httpx.HTTPError):
        page = httpx.get(f"{house.url}/desk/sign-in/", timeout=5)
        return page.status_code == 200 or _says_full(page)
    return False


def _says_full(page: httpx.Response) -> bool:
    return page.status_code == 503 and FULL in html.unescape(page.text)


def _until(happened: Callable[[], bool], seconds: float) -> float:
    with suppress(TimeoutError):
        return wait_for(happened, seconds, "")
    return seconds


def _end(house: House) -> None:
    """Its supervisor, and with it the database, which is nobody else's here."""
    if house.serving is not None and house.serving.poll() is None:
        house.serving.terminate()
        house.serving.wait(180)
    for process in house.parts("database"):  # after a failure only
        process.kill()


if __name__ == "__main__":
    full_disk()
