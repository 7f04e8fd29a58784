"""loop311 serve, worker, database: running the product."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sys
from pathlib import Path

import click
import structlog
from django.conf import settings
from django.db import connection

from loop311.kit import database as kit_database
from loop311.kit import logs
from loop311.kit.commands import print_json, without_database
from loop311.kit.problems import Conflict
from loop311.kit.processes import Child, Supervisor
from loop311.site import migrations, working

log = structlog.get_logger("loop311.serve")


@click.command()
def serve() -> None:
    """Run web and worker until stopped, and start again whichever of them, or of the embedded database, dies.

    Listens on 127.0.0.1, port LOOP311_PORT (8311).
    """
    logs.speak()
    _port_must_be_free(settings.PORT)
    connection.close()
    embedded = kit_database.Server(settings.LOOP311_HOME) if settings.DATABASE_IS_EMBEDDED else None
    counters = _counters(settings.LOOP311_HOME)
    children = [
        Child("web", [sys.executable, "-m", "loop311.site.web"], {"PROMETHEUS_MULTIPROC_DIR": str(counters)}),
        Child("worker", [sys.executable, "-m", "loop311.site", "worker"]),
    ]
    click.echo(f"Loop311 is at {settings.BASE_URL}/ (stop it with Ctrl-C).", err=True)
    supervisor = Supervisor(
        children,
        tick=lambda: _keep_alive(embedded),
        on_death=lambda name, code: log.error("process died and is started again", process=name, code=code),
    )
    try:
        supervisor.run()
    finally:
        shutil.rmtree(counters, ignore_errors=True)


@click.command()
@click.option("--concurrency", default=2, show_default=True, type=click.IntRange(1, 64), help="Jobs run at a time.")
def worker(concurrency: int) -> None:
    """Run jobs until stopped: what follows from events."""
    logs.speak()
    connection.close()
    working.work(concurrency=concurrency)


def _keep_alive(embedded: kit_database.Server | None) -> None:
    if embedded is not None and not embedded.is_ready():
        log.error("database died and is started again")
        try:
            embedded.ensure()
        except kit_database.DatabaseUnavailable as problem:
            log.error("database cannot be started", reason=problem.detail)


MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made in it is ours alone, or it is not used


def _counters(home: Path) -> Path:
    """Where the web processes count. In memory, because they are written through a mapping: with the disk full each such write
    would kill its process. Under `home` where there is no such place, or somebody else has taken the name."""
    name = f"loop311-metrics-{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]}"
    try:
        return _fresh_folder(MEMORY / name)
    except OSError:
        return _fresh_folder(home / "run" / "metrics")


def _fresh_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    return folder


def _port_must_be_free(port: int) -> None:
    """Said now, once, instead of by a web process that dies again and again."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Conflict(
                f"Port {port} cannot be used ({os.strerror(error.errno or 0)}): set LOOP311_PORT."
            ) from error


@click.group()
def database() -> None:
    """The database: url, status, migrate."""


@database.command()
@without_database
def url() -> None:
    """Print the database's URL. The embedded server runs while a command such as `loop311 serve` uses it."""
    click.echo(settings.DATABASE_URL)


@database.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@without_database
def status(as_json: bool) -> None:
    """Say which database is used, whether it runs and whether its tables are up to date. Starts nothing."""
    report = _status()
    if as_json:
        print_json(report)
        return
    for key, value in report.items():
        click.echo(f"{key + ':':<10} {value}")


@database.command()
@without_database
def migrate() -> None:
    """Bring the tables up to date."""
    with kit_database.optional(settings.LOOP311_HOME, wanted=settings.DATABASE_IS_EMBEDDED):
        count = migrations.migrate()
    click.echo(f"Applied {count} migration{'' if count == 1 else 's'}.")


def _status() -> dict[str, object]:
    embedded = bool(settings.DATABASE_IS_EMBEDDED)
    is_running = not embedded or kit_database.Server(settings.LOOP311_HOME).is_ready()
    report: dict[str, object] = {"url": settings.DATABASE_URL, "embedded": embedded, "running": is_running}
    if is_running:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            (report["version"],) = cursor.fetchone()
        report["pending"] = migrations.pending()
    return report
