from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from django.db import connection
from psycopg import connect

from loop311.kit.testing import at_most_queries

pytestmark = pytest.mark.django_db(transaction=True)


def test_times_come_aware_and_in_utc_by_psycopgs_own_loader() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT timestamptz '2026-03-08 02:30-06'")
        assert cursor.fetchone() == (datetime(2026, 3, 8, 8, 30, tzinfo=UTC),)
        assert "django" not in cursor.cursor.adapters.get_loader(1184, 0).__module__


def test_a_living_connection_is_known_to_live_without_asking_the_server() -> None:
    connection.ensure_connection()
    with at_most_queries(0):
        assert connection.is_usable()


def test_a_connection_whose_server_process_has_died_is_not_usable_and_is_replaced() -> None:
    connection.ensure_connection()
    dead = connection.connection
    with connect(dead.info.dsn, password=dead.info.password, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [dead.info.backend_pid])
        for _ in range(500):
            if not other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [dead.info.backend_pid]).rowcount:
                break
            time.sleep(0.01)
    assert not connection.is_usable()
    connection.close_if_unusable_or_obsolete()  # as at the beginning of every web request
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
