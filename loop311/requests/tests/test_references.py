"""References that are checked once a statement hold as foreign keys do."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from loop311.requests.testing import City, make_city

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> City:
    return make_city("here")


@pytest.fixture
def there() -> City:
    return make_city("there")


def run(sql: str, *values: str | int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, list(values))


@pytest.mark.parametrize("column", ["service_id", "team_id", "catalogue_version_id"])
def test_a_request_points_only_into_its_own_city(here: City, there: City, column: str) -> None:
    mine, theirs = here.file(), there.file()
    with pytest.raises(IntegrityError, match="must be of the row's own city"):
        run(f"UPDATE requests_request SET {column} = %s, version = 9 WHERE id = %s", getattr(theirs, column), mine.pk)
    with pytest.raises(IntegrityError, match="must be of the row's own city"):
        run(f"UPDATE requests_request SET {column} = 0, version = 9 WHERE id = %s", mine.pk)
    copied = """
        INSERT INTO requests_request SELECT (jsonb_populate_record(r, jsonb_build_object(
            'id', r.id + 1000, 'number', 'x', 'source', 'elsewhere', %s::text, %s::bigint))).*
        FROM requests_request r WHERE r.id = %s
    """
    run(copied, "joined_count", 0, mine.pk)
    with pytest.raises(IntegrityError, match="must be of the row's own city"):
        run(
            copied.replace("'x'", "'y'").replace("1000", "2000").replace("elsewhere", "farther"),
            column,
            getattr(theirs, column),
            mine.pk,
        )


def test_a_promise_points_only_to_a_version_of_its_own_city(here: City, there: City) -> None:
    mine, theirs = here.file(), there.file()
    with pytest.raises(IntegrityError, match="must be of the row's own city"):
        run(
            "INSERT INTO requests_promise (jurisdiction_id, request_id, step, sequence, due_at, made_at, reason, note,"
            " catalogue_version_id, policy) VALUES (%s, %s, 'resolution', 7, now(), now(), 'filed', '', %s, '')",
            mine.jurisdiction_id,
            mine.pk,
            theirs.catalogue_version_id,
        )


@pytest.mark.parametrize("table", ["catalog_service", "accounts_team"])
def test_what_requests_point_to_is_never_removed_or_renumbered(here: City, there: City, table: str) -> None:
    for sql in (
        f"DELETE FROM {table}",
        f"SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE {table} CASCADE",
        f"UPDATE {table} SET id = id + 1000",
        f"UPDATE {table} SET jurisdiction_id = {there.jurisdiction.pk} WHERE jurisdiction_id = {here.jurisdiction.pk}",
    ):
        with pytest.raises(DatabaseError, match="rows stay, with their id and city"):
            run(sql)
    run(f"UPDATE {table} SET names = names")


@pytest.mark.parametrize("table", ["interactions_interaction", "ledger_event", "ledger_head"])
def test_contacts_events_and_chains_are_of_a_city_that_there_is(here: City, table: str) -> None:
    here.file()
    copied = f"""
        INSERT INTO {table} SELECT (jsonb_populate_record(t, %s::jsonb)).* FROM {table} t ORDER BY t LIMIT 1
    """
    run(copied, '{"id": 1000000, "subject_id": 1000000}')
    with pytest.raises(IntegrityError, match="there is no such city"):
        run(copied, '{"id": 1000001, "subject_id": 1000001, "jurisdiction_id": 0}')
    if table == "ledger_head":
        with pytest.raises(IntegrityError, match="there is no such city"):
            run(f"UPDATE {table} SET jurisdiction_id = 0")


@pytest.mark.parametrize("table", ["interactions_interaction", "requests_request"])
def test_contacts_and_requests_keep_their_ids_and_city(here: City, there: City, table: str) -> None:
    here.file()
    there.file()
    version = ", version = version + 1" if table == "requests_request" else ""
    for change in ("id = id + 1000", f"jurisdiction_id = {there.jurisdiction.pk}"):
        with pytest.raises(DatabaseError, match=r"rows stay, with their id and city|number, clock and first contact"):
            run(f"UPDATE {table} SET {change}{version} WHERE jurisdiction_id = {here.jurisdiction.pk}")


def test_a_request_is_asked_in_a_contact_of_its_city_and_a_promise_is_of_a_request_of_its_city(
    here: City, there: City
) -> None:
    mine, theirs = here.file(), there.file()
    for table, column, foreign in (
        ("requests_request", "interaction_id", theirs.interaction_id),
        ("requests_request", "interaction_id", 0),
        ("requests_promise", "request_id", theirs.pk),
        ("requests_promise", "request_id", 0),
    ):
        copied = f"""
            INSERT INTO {table} SELECT (jsonb_populate_record(t, %s::jsonb)).* FROM {table} t
            WHERE jurisdiction_id = {mine.jurisdiction_id} ORDER BY id LIMIT 1
        """
        with pytest.raises(IntegrityError, match="must be of the row's own city"):
            run(copied, json.dumps({"id": 10**6, "number": "99-1", "sequence": 9, "source": "x", column: foreign}))


def test_a_city_is_never_removed_or_renumbered(here: City) -> None:
    for sql in (
        "DELETE FROM jurisdictions_jurisdiction",
        "SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE jurisdictions_jurisdiction CASCADE",
        "UPDATE jurisdictions_jurisdiction SET id = id + 1000",
    ):
        with pytest.raises(DatabaseError, match="rows stay, with their id and city"):
            run(sql)
    run("UPDATE jurisdictions_jurisdiction SET name = 'Elsewhere'")
