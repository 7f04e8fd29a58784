"""The rules that hold even against a bug in the services, or somebody with SQL: each is tried."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from loop311.requests import services
from loop311.requests.models import Request
from loop311.requests.policies import State, transitions
from loop311.requests.testing import City, make_city


def attempt(sql: str, *values: str | int) -> None:
    """Run plain SQL and let deferred checks speak."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("state", ["done", "closed"])
def test_no_end_without_evidence(city: City, state: str) -> None:
    request = city.file()
    with pytest.raises(DatabaseError):
        attempt(
            "UPDATE requests_request SET state = %s, outcome = 'filled', ended_at = now(), version = 9 WHERE id = %s",
            state,
            request.pk,
        )


def test_no_end_without_an_outcome(city: City) -> None:
    request = city.file()
    with pytest.raises(IntegrityError):
        attempt(
            "UPDATE requests_request SET state = 'declined', ended_at = now(), version = 9 WHERE id = %s", request.pk
        )


def test_the_proof_rule_cannot_be_emptied(city: City) -> None:
    request = city.file()
    with pytest.raises(DatabaseError, match="prove"):
        attempt("UPDATE requests_request SET completion = '[]', version = 9 WHERE id = %s", request.pk)


@pytest.mark.parametrize("change", ["number = '26-9'", "received_at = now()", "interaction_id = interaction_id + 1"])
def test_number_clock_and_first_contact_never_change(city: City, change: str) -> None:
    request = city.file()
    with pytest.raises(DatabaseError, match="never change"):
        attempt(f"UPDATE requests_request SET {change}, version = 9 WHERE id = %s", request.pk)


@pytest.mark.parametrize("change", ["due_at = due_at + interval '1 day'", "first_response_due_at = now()"])
def test_a_due_date_is_not_edited_in_place(city: City, change: str) -> None:
    request = city.file()
    with pytest.raises(DatabaseError, match="only by a new promise"):
        attempt(f"UPDATE requests_request SET {change}, version = 9 WHERE id = %s", request.pk)


@pytest.mark.parametrize("sql", ["UPDATE requests_promise SET due_at = now()", "DELETE FROM requests_promise"])
def test_promises_are_never_edited(city: City, sql: str) -> None:
    city.file()
    with pytest.raises(DatabaseError, match="only added"):
        attempt(sql)


def test_evidence_is_never_removed(city: City) -> None:
    city.done(city.file())
    with pytest.raises(DatabaseError, match="only added"):
        attempt("DELETE FROM requests_evidence")


def test_no_request_without_an_accountable_team(city: City) -> None:
    request = city.file()
    with pytest.raises(IntegrityError):
        attempt("UPDATE requests_request SET team_id = NULL, version = 9 WHERE id = %s", request.pk)


def test_the_team_is_of_the_same_city(city: City) -> None:
    other = make_city("oakton").file()
    request = city.file()
    with pytest.raises(IntegrityError, match="same_city"):
        attempt("UPDATE requests_request SET team_id = %s, version = 9 WHERE id = %s", other.team_id, request.pk)


def test_no_request_is_removed(city: City) -> None:
    city.file()
    with pytest.raises(DatabaseError, match="never removed"):
        attempt("DELETE FROM requests_request")


def test_a_joined_request_does_not_end_before_its_leader(city: City) -> None:
    follower = services.join(city.file(), leading=city.file(), by=city.system)
    with pytest.raises(DatabaseError, match="only with its leading"):
        attempt(
            "UPDATE requests_request SET state = 'closed', outcome = 'filled', ended_at = now(), version = 9 WHERE id = %s",
            follower.pk,
        )


def test_a_leader_follows_nobody(city: City) -> None:
    leading = city.file()
    services.join(city.file(), leading=leading, by=city.system)
    with pytest.raises(DatabaseError, match="leads others"):
        attempt(
            "UPDATE requests_request SET leading_id = %s, state = 'joined', version = 9 WHERE id = %s",
            city.file().pk,
            leading.pk,
        )


def test_a_stale_write_never_goes_unseen(city: City) -> None:
    request = city.file()
    with pytest.raises(DatabaseError, match="raises the version"):
        attempt("UPDATE requests_request SET description = 'x' WHERE id = %s", request.pk)


def test_the_database_knows_the_state_table(city: City) -> None:
    """Every pair the table does not allow is refused; every other rule of an end is satisfied first."""
    request = city.done(city.file())
    for after in State:
        if after == State.DONE or (State.DONE, after) in transitions():
            continue
        with pytest.raises(DatabaseError):
            attempt("UPDATE requests_request SET state = %s, version = version + 1 WHERE id = %s", after, request.pk)


def test_what_is_filed_begins_at_the_beginning(city: City) -> None:
    request = city.file()
    request.pk, request.number, request.state = None, "26-77", "in_progress"
    with pytest.raises(DatabaseError, match="begins as"), transaction.atomic():
        request.save(force_insert=True)


def test_a_due_date_without_a_promise_is_refused_at_the_end_of_the_transaction(city: City) -> None:
    request = city.file()
    request.pk, request.number = None, "26-78"
    assert request.due_at is not None
    request.due_at += timedelta(days=1)
    start = transaction.savepoint()
    Request.objects.bulk_create([request])
    with pytest.raises(DatabaseError, match="no promise"):
        attempt("SELECT 1")
    transaction.savepoint_rollback(start)
