"""The tables as the code expects them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from loop311.kit.database.server import tell
from loop311.kit.problems import Conflict

_LOCK = 311_0001
"""Number of the advisory lock: one process migrates, the others wait and find it done."""


def pending() -> list[str]:
    """The migrations that this database lacks, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def bring_up_to_date(*, unasked: bool) -> None:
    """Migrate when the tables are behind; or say in one sentence that somebody must."""
    if not pending():
        return
    if not unasked:
        raise Conflict("The database's tables are behind this version: run `loop311 database migrate` first.")
    migrate()


def migrate() -> int:
    """Apply what is lacking; returns how many migrations that was."""
    with _alone():
        count = len(pending())
        if count:
            tell("Bringing the database's tables up to date ...")
            call_command("migrate", interactive=False, verbosity=0)
    return count


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
