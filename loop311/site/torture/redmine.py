"""script/kill-redmine: a whole Loop311 and a real Redmine that is killed again and again under load; then one table."""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import psycopg
import yaml

from loop311.kit.database.address import connection_url
from loop311.notifications.testing import mail_server, text_gateway
from loop311.site.torture.checking import SHOWN, Result
from loop311.site.torture.driving import Driver, Journal
from loop311.site.torture.house import CITY, House, wait_for
from loop311.workorders.connectors.redmine_words import reference_in
from loop311.workorders.live.crew import Crew
from loop311.workorders.live.redmine import LiveRedmine, live_redmine, missing
from loop311.workorders.policies import LinkState, standing

OWNER = "streets.manager@example.org"
SHOWN_WITHIN = 120.0
"""Seconds from the break until the link is shown as down."""
LONG, SHORT = (130.0, 160.0), (0.2, 12.0)
"""Seconds that Redmine stays away: some breaks long enough to be shown, most of them not."""
SETTLED_WITHIN = 1200.0


@dataclass
class Breaks:
    """Every time it was killed, and after how many seconds that was shown."""

    kills: int = 0
    shown: list[float] = field(default_factory=list)
    unshown: list[str] = field(default_factory=list)


class Scene:
    """What is looked at."""

    def __init__(self, house: House, redmine: LiveRedmine, database: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.house, self.redmine, self.database = house, redmine, database

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        return self.database.execute(sql.encode(), params).fetchall()

    def link(self) -> LinkState:
        """As the pages show it."""
        [(state, heard, since, failing)] = self.rows("SELECT state, heard_at, since, failing FROM workorders_link")
        return standing(state, heard, since, failing, datetime.now(UTC))

    def left(self) -> tuple[int, ...]:
        """What is on its way: jobs, things to be said."""
        [counts] = self.rows(
            "SELECT (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
            "         AND task_name IN ('ledger.deliver', 'workorders.send')),"
            " (SELECT count(*) FROM workorders_outgoing WHERE ended_at IS NULL),"
            " (SELECT count(*) FROM workorders_order WHERE next_at IS NOT NULL)"
        )
        return counts


class Filers(threading.Thread):
    """Residents who file over the API, and staff who comment, until told to stop."""

    def __init__(self, driver: Driver, journal: Journal, numbers: list[str], pause: float) -> None:
        super().__init__(daemon=True)
        self._driver, self._journal, self._numbers, self._pause = driver, journal, numbers, pause
        self.over = threading.Event()

    def run(self) -> None:
        resident = int(self._driver._insist("POST", "/residents", {"name": "Resident", "language": "en"})["id"])
        while not self.over.wait(self._driver.chance.uniform(0, 2 * self._pause)):
            try:
                self._file(resident)
            except RuntimeError:
                continue  # written down among the troubles
        self._driver.close()

    def _file(self, resident: int) -> None:
        number = str(self._driver._file(resident)["number"])
        self._numbers.append(number)
        self._driver._prove(number, "position")  # the crew's car says where it is; the photo comes from Redmine
        path, said = f"/requests/{number}/comments", {"text": f"Comment on {number}."}
        self._driver._insist("POST", path, said, key=uuid.uuid4().hex)


@click.command()
@click.option("--minutes", default=10.0, show_default=True, type=click.FloatRange(0.5))
@click.option("--pause", default=1.0, show_default=True, help="Seconds between two requests, on average.")
@click.option("--seed", default=311, show_default=True, help="Of when it is killed, and for how long.")
def kill_redmine(minutes: float, pause: float, seed: int) -> None:
    """Kill -9 a department's Redmine under load for ten minutes; then check everything."""
    if missing():
        raise click.ClickException(missing())
    home = Path(tempfile.mkdtemp(prefix="loop311-redmine-"))
    home.chmod(0o711)  # as root, the database runs as another user who must reach its own folder in here
    try:
        wrong = _kill_redmine(home, minutes * 60, pause, random.Random(seed))  # noqa: S311 - to be repeated
    finally:
        shutil.rmtree(home, ignore_errors=True)
    sys.exit(1 if wrong else 0)


def _kill_redmine(home: Path, seconds: float, pause: float, chance: random.Random) -> bool:
    with ExitStack() as stack:
        mail, texts = stack.enter_context(mail_server()), stack.enter_context(text_gateway())
        redmine = stack.enter_context(live_redmine(home))
        house = House(home, f"smtp://{mail.host}:{mail.port}", texts.url, chance=chance)
        house.environment["LOOP311_LINK_STREETS"] = redmine.key
        stack.callback(house.stop)
        house.start()
        house.wait_until_well()
        plan = house.found()
        _link(house, redmine, home)
        database = stack.enter_context(psycopg.connect(connection_url(home), autocommit=True))
        scene, numbers, journal = Scene(house, redmine, database), list[str](), Journal()
        wait_for(lambda: scene.link() == LinkState.UP, 180, "the link is up")
        breaks = _under_load(scene, Driver(house.url, plan, journal, chance), journal, numbers, seconds, pause)
        settled = _settle(scene)
        results = list(_results(scene, journal, numbers, breaks))
        told = Counter(str(message["Subject"]) for message in mail.accepted if OWNER in str(message["To"]))
        _print(results, breaks, numbers, settled, told)
        return any(result.wrong for result in results)


def _link(house: House, redmine: LiveRedmine, home: Path) -> None:
    house.run("user", "create", CITY, OWNER, "--role", "department_manager", "--department", "public_works")
    teams = ["streets_central", "streets_north", "streets_south", "streets_emergency", "right_of_way"]
    link = {
        "code": "streets",
        "name": "Streets",
        "connector": "redmine",
        "owner": OWNER,
        "secret": "env:LOOP311_LINK_STREETS",
        "settings": {"url": redmine.url, "project": "streets", "number_field": redmine.number_field},
        "teams": teams,
        "services": {"pothole": {"theirs": "Bug", "outcome": "pothole_filled"}},
        "states": {"in_progress": "In Progress"},
        "statuses": {
            "New": {"means": "nothing"},
            "Feedback": {"means": "nothing"},
            "In Progress": {"means": "started"},
            "Resolved": {"means": "done"},
            "Closed": {"means": "done"},
            "Rejected": {"means": "cancelled"},
        },
    }
    path = home / "links.yaml"
    path.write_text(yaml.safe_dump({"links": [link]}))
    house.run("workorders", "load", CITY, str(path))


def _under_load(
    scene: Scene, driver: Driver, journal: Journal, numbers: list[str], seconds: float, pause: float
) -> Breaks:
    chance, breaks = scene.house.chance, Breaks()
    crew = Crew(scene.redmine.foreman, random.Random(chance.random()), slowest=pause)  # noqa: S311 - as above
    filers = Filers(driver, journal, numbers, pause)
    crew.start()
    filers.start()
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            time.sleep(chance.uniform(3, 25))
            is_long = breaks.kills % 6 == 2
            if is_long:
                wait_for(lambda: scene.link() == LinkState.UP, 300, "the link is up again")
            _break(scene, breaks, chance.uniform(*(LONG if is_long else SHORT)), is_long=is_long)
    finally:
        filers.over.set()
        filers.join(300)
        crew.over.set()
        crew.join(120)
    return breaks


def _break(scene: Scene, breaks: Breaks, seconds: float, *, is_long: bool) -> None:
    is_known = scene.link() == LinkState.DOWN  # of the break before this one
    scene.redmine.kill()
    breaks.kills += 1
    start, shown = time.monotonic(), 0.0
    while time.monotonic() - start < seconds:
        time.sleep(0.2)
        if not (shown or is_known) and scene.link() == LinkState.DOWN:
            shown = time.monotonic() - start
            breaks.shown.append(shown)
    if is_long and not 0 < shown <= SHOWN_WITHIN:
        breaks.unshown.append(f"break {breaks.kills} was shown after {shown:.0f} s")
    scene.redmine.start()
    click.echo(f"killed for {seconds:5.1f} s{f', shown after {shown:.0f} s' if shown else ''}", err=True)


def _settle(scene: Scene) -> float:
    """Until nothing is on its way and everything they did was heard: seconds. Raises TimeoutError."""
    took = wait_for(lambda: not any(scene.left()) and scene.link() == LinkState.UP, SETTLED_WITHIN, "all was said")
    [(before,)] = scene.rows("SELECT heard_at FROM workorders_link")
    took += wait_for(
        lambda: scene.rows("SELECT heard_at > %s FROM workorders_link", before) == [(True,)], 180, "a heartbeat"
    )
    return took + wait_for(lambda: not any(scene.left()), SETTLED_WITHIN, "what it brought is followed")


def _results(scene: Scene, journal: Journal, numbers: list[str], breaks: Breaks) -> Iterator[Result]:
    issues = [scene.redmine.foreman.issue(str(row["id"])) for row in scene.redmine.foreman.issues()]
    yield Result("no client got an answer that makes no sense", journal.tries, journal.troubles)
    yield Result(f"each long break is shown within {SHOWN_WITHIN:.0f} s", len(breaks.shown), breaks.unshown)
    yield _once_each(numbers, issues)
    yield _said_once(issues)
    yield _heard_once(scene, issues)
    yield _same_state(scene, issues)
    yield _agreed(scene)


def _number(issue: dict[str, Any]) -> str:
    return reference_in(issue["subject"]).removeprefix(f"{CITY}-")


def _once_each(numbers: list[str], issues: list[dict[str, Any]]) -> Result:
    there, here = Counter(map(_number, issues)), Counter(numbers)
    wrong = [f"{number}: {there[number]} issues" for number in there | here if there[number] != here[number]]
    return Result("every request has exactly one issue", len(numbers), wrong)


def _said_once(issues: list[dict[str, Any]]) -> Result:
    wrong, marks = [], 0
    for issue in issues:
        notes = "\n".join(journal["notes"] or "" for journal in issue["journals"])
        found = Counter(re.findall(r"\(Loop311 [0-9a-f]+\)", notes))
        marks += len(found)
        wrong += [f"{_number(issue)}: {mark} {count} times" for mark, count in found.items() if count > 1]
        if notes.count(f"Comment on {_number(issue)}.") != 1:
            wrong.append(f"{_number(issue)}: its comment is not there once")
    return Result("everything said is there exactly once", marks, wrong)


def _heard_once(scene: Scene, issues: list[dict[str, Any]]) -> Result:
    rows = scene.rows("SELECT report FROM workorders_incoming WHERE report LIKE 'journal:%%'")
    heard = Counter(report for (report,) in rows)
    theirs = [j for issue in issues for j in issue["journals"] if j["user"]["name"].startswith("foreman")]
    done = Counter(f"journal:{journal['id']}" for journal in theirs)
    wrong = [f"{one}: {done[one]} there, {heard[one]} heard" for one in done | heard if done[one] != heard[one]]
    said = Counter(
        text for (text,) in scene.rows("SELECT text FROM requests_comment WHERE text LIKE 'Streets: Begun%%'")
    )
    wrong += [f"{text}: {count} times" for text, count in said.items() if count > 1]
    return Result("everything they did was heard exactly once", len(theirs), wrong)


_STATES = {"New": ("received", "assigned"), "In Progress": ("in_progress",), "Resolved": ("done", "closed")}


def _same_state(scene: Scene, issues: list[dict[str, Any]]) -> Result:
    here = dict(scene.rows("SELECT number, state FROM requests_request"))
    wrong = [
        f"{_number(issue)}: {here.get(_number(issue))} here, {issue['status']['name']} there"
        for issue in issues
        if here.get(_number(issue)) not in _STATES.get(issue["status"]["name"], ())
    ]
    return Result("both sides stand the same", len(issues), wrong)


def _agreed(scene: Scene) -> Result:
    said = json.loads(scene.house.run("workorders", "reconcile", CITY, "--json"))["streets"]
    rows = scene.rows("SELECT kind, ours, theirs FROM workorders_mismatch WHERE mended_at IS NULL")
    wrong = [f"{kind}: {ours} here, {theirs} there" for kind, ours, theirs in rows]
    wrong += [f"{said['open']} do not agree"] if said["open"] and not wrong else []
    return Result("the reconciliation is empty", said["pairs"], wrong)


def _print(found: list[Result], breaks: Breaks, numbers: list[str], settled: float, told: Counter[str]) -> None:
    shown = ", ".join(f"{seconds:.0f} s" for seconds in breaks.shown) or "none was long enough"
    click.echo(f"killed {breaks.kills} times under {len(numbers)} requests; breaks shown after: {shown}")
    click.echo(f"settled {settled:.0f} s after the last; the owner was told: {dict(told)}")
    for result in found:
        click.echo(f"{'ok  ' if not result.wrong else 'FAIL'}  {result.what:<55} {result.looked_at:>8}")
        for example in result.wrong[:SHOWN]:
            click.echo(f"          {example}")


if __name__ == "__main__":
    kill_redmine()
