"""All tests: on an embedded server of their own when DATABASE_URL is not set, with no way to the outside."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import hypothesis
import psycopg
import pytest
from django.conf import settings
from django.core.management.color import Style
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

from loop311.desk.live.hub import HUB
from loop311.desk.live.views import forget_seats
from loop311.kit.database import Server, connection_settings, connection_url
from loop311.kit.database.cluster import OWNER
from loop311.ledger.testing import only_documented_bodies

hypothesis.settings.register_profile(
    "loop311",
    deadline=None,  # a busy machine is no fault of the code
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize="LOOP311_EXPLORE"
    not in os.environ,  # the same code is judged by the same examples; set it to try new ones
)
hypothesis.settings.load_profile("loop311")

_HOME = "LOOP311_TEST_HOME"
"""Tells xdist's workers which home the first process made."""

_server: Server | None = None
_made_home: Path | None = None
_real_connect = socket.socket.connect
_real_flush = DatabaseOperations.sql_flush

_TABLES_THAT_REFUSE = """
SELECT DISTINCT format('ALTER TABLE %s {} TRIGGER USER', tgrelid::regclass) FROM pg_trigger WHERE tgtype::int & 32 <> 0
"""
"""Tables with a trigger on TRUNCATE (bit 32): the append-only ones."""


_JOBS = "TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers CASCADE"
"""Not Django's to manage, so Django's own list of tables does not name them."""


def pytest_configure(config: pytest.Config) -> None:
    """The server is joined by every process of the run; the last one to leave stops it."""
    global _server, _made_home
    socket.socket.connect = _connect_here  # type: ignore[assignment, method-assign]
    DatabaseOperations.sql_flush = _flush  # type: ignore[assignment, method-assign]
    if not settings.DATABASE_IS_EMBEDDED:
        return
    if _HOME not in os.environ:
        _made_home = Path(tempfile.mkdtemp(prefix="loop311-test-"))
        _made_home.chmod(0o711)  # so that as root the server's user can reach it
        os.environ[_HOME] = str(_made_home)
    home = Path(os.environ[_HOME])
    _server = Server(home, durable=False)
    _server.join()
    if _made_home is not None:
        _let_tests_tamper(_server)
    settings.DATABASES["default"].update(connection_settings(None, home))
    settings.DATABASE_URL = connection_url(home)
    settings.DATABASE_IS_EMBEDDED = False  # commands called by tests find it running, and are not its last user


def _let_tests_tamper(server: Server) -> None:
    """Tests of the ledger play somebody who may do anything with SQL: also switch every trigger off."""
    with psycopg.connect(host=str(server.place.socket), user=OWNER, dbname="postgres", autocommit=True) as owner:
        owner.execute("GRANT SET ON PARAMETER session_replication_role TO loop311")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each test has a name of its own: of several with one name (schemathesis' operations) xdist runs only one.

    With `--dist loadgroup` the name ends in its group, by which xdist keeps a group's tests in one process. xdist itself
    writes it to a place that pytest no longer reads, so that every process started the group's servers for itself.
    """
    seen: Counter[str] = Counter()
    for item in items:
        name = item.nodeid
        seen[name] += 1
        if seen[name] > 1:
            _call(item, f"{name}[{seen[name]}]")
        if (mark := item.get_closest_marker("xdist_group")) and getattr(config.option, "loadgroup", False):
            _call(item, f"{item.nodeid}@{mark.args[0]}")


def _call(item: pytest.Item, name: str) -> None:
    setattr(item, "_id", item.id.parse(name))  # noqa: B010 - pytest has no public way


def pytest_unconfigure(config: pytest.Config) -> None:
    if _server is not None:
        _server.leave()
    if _made_home is not None:
        os.environ.pop(_HOME, None)
        shutil.rmtree(_made_home)
    DatabaseOperations.sql_flush = _real_flush  # type: ignore[assignment, method-assign]
    socket.socket.connect = _real_connect  # type: ignore[assignment, method-assign]


def _connect_here(self: socket.socket, address: object) -> None:
    """Only this machine may be spoken to: unix sockets and loopback addresses."""
    if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
        host = str(address[0])
        if not host.startswith("127.") and host not in ("localhost", "::1"):
            raise RuntimeError(f"A test tried to reach {host}: tests speak to this machine only.")
    _real_connect(self, address)  # type: ignore[arg-type]


def _flush(
    self: DatabaseOperations,
    style: Style,
    tables: Sequence[str],
    *,
    reset_sequences: bool = False,
    allow_cascade: bool = False,
) -> list[str]:
    """Between tests with real transactions everything goes, also from tables that refuse to be emptied."""
    statements = _real_flush(self, style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
    with connection.cursor() as cursor:
        cursor.execute(_TABLES_THAT_REFUSE)
        guarded = [str(row[0]) for row in cursor.fetchall()]
    opened, closed = ([line.format(word) for line in guarded] for word in ("DISABLE", "ENABLE"))
    return [*opened, *statements, _JOBS, *closed]


@pytest.fixture(autouse=True)
def nobody_listens_on() -> Iterator[None]:
    """The thread that listens for open pages ends with the test that began it, and its connection with it."""
    yield
    HUB.close()
    forget_seats()


@pytest.fixture(autouse=True, scope="session")
def bodies_as_documented() -> Iterator[None]:
    """Whichever test appends an event: its body holds only what docs/reference/events.md lists."""
    with only_documented_bodies(Path(__file__).parent / "docs" / "reference" / "events.md"):
        yield
