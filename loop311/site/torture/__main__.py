"""script/torture: rounds of kill -9, then one table."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import psycopg

from loop311.kit.database.address import connection_url
from loop311.notifications.testing import MailServer, mail_server, text_gateway
from loop311.site.torture.checking import SHOWN, Result, Scene, kinds_of, remaining, results
from loop311.site.torture.driving import Driver, Drivers, Journal
from loop311.site.torture.house import House, counted, wait_for

STILL = 300.0
"""Seconds; longer than a message waits that the mail server dropped twice."""


@click.command()
@click.option("--rounds", default=100, show_default=True, type=click.IntRange(1), help="How often something is killed.")
@click.option("--clients", default=3, show_default=True, type=click.IntRange(1, 32))
@click.option("--seed", default=311, show_default=True, help="Of what is killed when.")
@click.option("--keep", is_flag=True, help="Leave the folder for a look.")
def torture(rounds: int, clients: int, seed: int, keep: bool) -> None:
    """Kill -9 web, worker and database at random moments while requests travel the whole loop; then check everything."""
    home = Path(tempfile.mkdtemp(prefix="loop311-torture-"))
    home.chmod(0o711)  # as root, the database runs as another user who must reach its own folder in here
    try:
        wrong = _torture(home, rounds, clients, seed)
    finally:
        if keep:
            click.echo(f"Left in {home}.", err=True)
        else:
            shutil.rmtree(home, ignore_errors=True)
    sys.exit(1 if wrong else 0)


def _torture(home: Path, rounds: int, clients: int, seed: int) -> bool:
    with ExitStack() as stack:
        mail, texts = stack.enter_context(mail_server()), stack.enter_context(text_gateway())
        chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be unguessable
        house = House(home, f"smtp://{mail.host}:{mail.port}", texts.url, chance=chance)
        stack.callback(house.stop)
        started = time.monotonic()
        house.start()
        house.wait_until_well()
        plan, journal = house.found(), Journal()
        example = _undisturbed(house, plan, journal, chance)
        kills = _rounds(house, plan, journal, mail, rounds=rounds, clients=clients, seed=seed)
        house.wait_until_well()
        database = stack.enter_context(psycopg.connect(connection_url(home), autocommit=True))
        scene = Scene(house, journal, mail, texts, [], database)
        scene = Scene(house, journal, mail, texts, kinds_of(scene, example), database)
        _settle(scene)
        found = list(results(scene))
        _print(found, kills, scene, time.monotonic() - started)
        return any(result.wrong for result in found)


def _undisturbed(house: House, plan: dict[str, Any], journal: Journal, chance: random.Random) -> str:
    driver = Driver(house.url, plan, journal, chance)
    number = driver.travel()
    driver.close()
    return number


def _rounds(
    house: House, plan: dict[str, Any], journal: Journal, mail: MailServer, *, rounds: int, clients: int, seed: int
) -> Counter[str]:
    """Each round: strike while requests travel, then let at least one more arrive before the next strike."""
    kills: Counter[str] = Counter()
    drivers = Drivers(house.url, plan, journal, count=clients, seed=seed)
    drivers.start()
    try:
        with click.progressbar(length=rounds, label="Rounds", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            for _ in range(rounds):
                time.sleep(house.chance.uniform(0.05, 2.5))
                if house.chance.random() < 0.2:
                    mail.replies.append("drop")
                kills[house.strike()] += 1
                _wait_for_one_more(journal)
                bar.update(1)
    finally:
        drivers.stop()
    return kills


def _wait_for_one_more(journal: Journal) -> None:
    before = len(journal.finished) + len(journal.troubles)
    wait_for(lambda: len(journal.finished) + len(journal.troubles) > before, 300, "a request arrived")


def _settle(scene: Scene) -> None:
    """A slow machine may take its time; but as long as something is waiting, something must move."""
    last, moved = remaining(scene), time.monotonic()
    while last:
        time.sleep(1)
        left = remaining(scene)
        if left != last:
            last, moved = left, time.monotonic()
        elif time.monotonic() - moved > STILL:
            scene.journal.troubles.append(f"{left} jobs and messages stood still for {STILL:.0f} s")
            return


def _print(found: list[Result], kills: Counter[str], scene: Scene, seconds: float) -> None:
    journal, ids = scene.journal, scene.mail.ids
    [(unknown,)] = scene.rows("SELECT count(*) FROM notifications_message WHERE state = 'unknown'")
    click.echo(f"killed: {counted(kills)} ({sum(kills.values())} rounds, {seconds:.0f} s)")
    click.echo(
        f"requests all the way round: {len(journal.finished)}; calls {journal.tries}, of which again {journal.again};"
        f" e-mails {len(ids)}, of which repeats {len(ids) - len(set(ids))};"
        f" texts {len(scene.texts.taken)}, fate unknown {unknown}"
    )
    for result in found:
        click.echo(f"{'ok  ' if not result.wrong else 'FAIL'}  {result.what:<55} {result.looked_at:>8}")
        for example in result.wrong[:SHOWN]:
            click.echo(f"          {example}")
        if len(result.wrong) > SHOWN:
            click.echo(f"          ... and {len(result.wrong) - SHOWN} more")


if __name__ == "__main__":
    torture()
