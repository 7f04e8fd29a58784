"""Whatever is done to the ledger with plain SQL, by a superuser with the triggers off, is found and named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import override_settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from loop311.jurisdictions.models import Jurisdiction, NumberSeries
from loop311.jurisdictions.services import create
from loop311.kit.actor import system
from loop311.ledger import checkpoints, verification
from loop311.ledger.bulk import NewEvent, append_many
from loop311.ledger.chains import Fault
from loop311.ledger.models import Event
from loop311.ledger.services import append
from loop311.ledger.testing import rechain, recorded_at, run, tampering
from loop311.ledger.verification import register_subjects, verify

pytestmark = pytest.mark.django_db
often = hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

SUBJECTS = 4
DAYS = 3
TODAY = datetime(2026, 3, 5, 12, tzinfo=UTC)
"""The fourth day: not closed yet."""

subjects = st.integers(1, SUBJECTS)
sequences = st.integers(1, DAYS + 1)


@pytest.fixture(autouse=True)
def city() -> Iterator[Jurisdiction]:
    """Four things, each with one event on each of four days, of which three are closed; and another city."""
    city = create("elm", name="Elm", time_zone="America/Chicago")
    for ago in range(DAYS, -1, -1):
        at = TODAY - timedelta(days=ago)
        with recorded_at(at):
            facts = (NewEvent(f"thing.day{ago}", "thing", s, {"ago": ago}, at) for s in range(1, SUBJECTS + 1))
            append_many(city.pk, facts, system(city.pk))
    with recorded_at(TODAY):
        checkpoints.catch_up(city, at=TODAY)
        other = create("oak", name="Oak", time_zone="America/Chicago")
        append("thing.day0", "thing", 77, {}, by=system(other.pk), first=True)
    before = dict(verification._subject_tables)
    register_subjects({})
    assert verify() == []
    yield city
    register_subjects(before)


def event(city: Jurisdiction, subject: int, sequence: int) -> int:
    return Event.objects.get(jurisdiction=city, subject_type="thing", subject_id=subject, sequence=sequence).pk


def named(faults: list[Fault], subject: str, word: str = "") -> bool:
    return any(fault.subject == subject and word in fault.sentence for fault in faults)


EDITS = st.sampled_from(
    [
        ("id", "id + 1000000"),
        ("jurisdiction_id", "(SELECT id FROM jurisdictions_jurisdiction WHERE slug = 'oak')"),
        ("subject_type", "'thin'"),
        ("subject_id", "subject_id + 100"),
        ("sequence", "sequence + 10"),
        ("kind", "kind || '.'"),
        ("at", "at + interval '1 microsecond'"),
        ("at", "'infinity'"),
        ("actor_kind", "'staff'"),
        ("actor_ref", "actor_ref + 1"),
        ("body", "replace(body, '{', '{ ')"),
        ("previous_hash", "sha256(previous_hash)"),
        ("hash", "sha256(hash)"),
        ("recorded_at", "recorded_at - interval '1 day'"),
        ("recorded_at", "recorded_at - interval '1 year'"),
        ("recorded_at", "'-infinity'"),
    ]
)


@given(subject=subjects, sequence=sequences, edit=EDITS)
@often
def test_an_edit_of_any_column_is_found_and_its_subject_named(
    city: Jurisdiction, subject: int, sequence: int, edit: tuple[str, str]
) -> None:
    column, value = edit
    pk = event(city, subject, sequence)
    with tampering():
        assert run(f"UPDATE ledger_event SET {column} = {value} WHERE id = %s", pk) == 1
        assert named(verify(), f"thing {subject}")


@given(
    subject=subjects, sequence=sequences, body=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"))
)
@often
def test_an_edit_with_all_hashes_made_anew_is_found(city: Jurisdiction, subject: int, sequence: int, body: str) -> None:
    pk = event(city, subject, sequence)
    with tampering():
        run("UPDATE ledger_event SET body = %s WHERE id = %s", body, pk)
        rechain(city.pk, "thing", subject)
        assert named(verify(), f"thing {subject}", "seal")


@given(subject=subjects, chosen=st.sets(sequences, min_size=1), forge=st.booleans())
@often
def test_removed_events_are_found_even_when_the_rest_is_chained_anew(
    city: Jurisdiction, subject: int, chosen: set[int], forge: bool
) -> None:
    with tampering():
        run(
            "DELETE FROM ledger_event WHERE jurisdiction_id = %s AND subject_type = 'thing' AND subject_id = %s"
            " AND sequence = ANY(%s)",
            city.pk,
            subject,
            list(chosen),
        )
        if forge:
            rechain(city.pk, "thing", subject)
        faults = verify()
        assert named(faults, f"thing {subject}", "seal" if forge and len(chosen) <= DAYS else "Removed")


@given(subject=subjects, kept=st.integers(0, DAYS))
@often
def test_a_shortened_chain_whose_head_is_set_back_is_found(city: Jurisdiction, subject: int, kept: int) -> None:
    """The forger even puts the old head's hash there; the seal for it needs the key."""
    where = "jurisdiction_id = %s AND subject_type = 'thing' AND subject_id = %s"
    with tampering():
        run(f"DELETE FROM ledger_event WHERE {where} AND sequence > %s", city.pk, subject, kept)
        run(
            f"UPDATE ledger_head SET sequence = %s, hash = coalesce((SELECT hash FROM ledger_event WHERE {where}"
            f" AND sequence = %s), hash) WHERE {where}",
            *(kept, city.pk, subject, kept, city.pk, subject),
        )
        assert named(verify(), f"thing {subject}", "seal" if kept else "Removed")


@given(subject=subjects)
@often
def test_a_whole_chain_removed_with_its_head_is_found_by_the_days_it_is_missing_from(
    city: Jurisdiction, subject: int
) -> None:
    with tampering():
        for table in ("event", "head"):
            run(f"DELETE FROM ledger_{table} WHERE subject_type = 'thing' AND subject_id = %s", subject)
        faults = verify(city.pk)
        assert sum("Removed: 1 of the 4" in fault.sentence for fault in faults) == DAYS


def test_a_subject_whose_row_is_there_but_whose_chain_is_gone_is_named(city: Jurisdiction) -> None:
    run(
        "INSERT INTO jurisdictions_numberseries (jurisdiction_id, series, year, last) VALUES (%s, 'a', 2026, 1)",
        city.pk,
    )
    row = NumberSeries.objects.get(jurisdiction=city).pk
    register_subjects({"series": "jurisdictions_numberseries"})
    assert named(verify(), f"series {row}", "no events")
    append("series.begun", "series", row, {}, by=system(city.pk))
    assert verify() == []


@given(first=subjects, second=subjects, one=sequences, two=sequences)
@often
def test_events_that_change_places_are_found(city: Jurisdiction, first: int, second: int, one: int, two: int) -> None:
    a, b = event(city, first, one), event(city, second, two)
    if a == b:
        return
    with tampering():
        run("UPDATE ledger_event SET sequence = -1, subject_id = 99 WHERE id = %s", a)
        run("UPDATE ledger_event SET sequence = %s, subject_id = %s WHERE id = %s", one, first, b)
        run("UPDATE ledger_event SET sequence = %s, subject_id = %s WHERE id = %s", two, second, a)
        faults = verify()
        assert named(faults, f"thing {first}")
        assert named(faults, f"thing {second}")


@given(
    first=subjects, second=subjects, columns=st.sets(st.sampled_from(["kind", "body", "at", "actor_ref"]), min_size=1)
)
@often
def test_contents_that_change_places_between_subjects_are_found(
    city: Jurisdiction, first: int, second: int, columns: set[str]
) -> None:
    a, b = event(city, first, 1), event(city, second, 2)
    with tampering():
        run("UPDATE ledger_event SET actor_ref = 7 WHERE id = %s", a)
        for column in sorted(columns):
            run(
                f"UPDATE ledger_event x SET {column} = y.{column} FROM ledger_event y"
                " WHERE x.id IN (%s, %s) AND y.id IN (%s, %s) AND x.id <> y.id",
                *(a, b, a, b),
            )
        assert named(verify(), f"thing {first}") or named(verify(), f"thing {second}")


COPY_OF_LAST = """
INSERT INTO ledger_event (id, jurisdiction_id, subject_type, subject_id, sequence, kind, at, actor_kind, actor_ref, body,
                          previous_hash, hash, recorded_at)
SELECT id + 1000000, jurisdiction_id, subject_type, %s, %s, kind, at, actor_kind, actor_ref, body, hash, hash, recorded_at
FROM ledger_event WHERE jurisdiction_id = %s AND subject_type = 'thing' AND subject_id = %s AND sequence = 4
"""


@given(subject=subjects, forge=st.booleans())
@often
def test_an_event_added_with_plain_sql_is_found(city: Jurisdiction, subject: int, forge: bool) -> None:
    with tampering():
        run(COPY_OF_LAST, subject, DAYS + 2, city.pk, subject)
        if forge:
            rechain(city.pk, "thing", subject)
        assert named(verify(), f"thing {subject}", "seal" if forge else "Inserted")


@pytest.mark.parametrize("with_head", [True, False])
def test_a_whole_chain_added_with_plain_sql_is_found(city: Jurisdiction, with_head: bool) -> None:
    with tampering():
        run(COPY_OF_LAST, 50, 1, city.pk, 1)
        if with_head:
            run(
                "INSERT INTO ledger_head (jurisdiction_id, subject_type, subject_id, sequence, hash, seal)"
                " SELECT jurisdiction_id, subject_type, 50, 1, hash, seal FROM ledger_head"
                " WHERE jurisdiction_id = %s AND subject_type = 'thing' AND subject_id = 1",
                city.pk,
            )
            rechain(city.pk, "thing", 50)
        assert named(verify(), "thing 50", "seal" if with_head else "Inserted")


def test_an_event_added_to_a_closed_day_is_found_by_its_day(city: Jurisdiction) -> None:
    with tampering(), recorded_at(TODAY - timedelta(days=2)):
        append("thing.late", "thing", 1, {}, by=system(city.pk))
        assert named(verify(), "checkpoint 2026-03-03", "Inserted: 1 events more")


def test_an_event_recorded_before_the_first_day_is_found(city: Jurisdiction) -> None:
    with tampering(), recorded_at(TODAY - timedelta(days=30)):
        append("thing.late", "thing", 1, {}, by=system(city.pk))
        assert named(verify(), "thing 1", "before the first checkpoint")


@given(
    subject=subjects,
    edit=st.sampled_from(
        [
            "jurisdiction_id = 999999",
            "subject_type = 'thin'",
            "subject_id = subject_id + 100",
            "sequence = sequence - 1",
            "sequence = sequence + 1",
            "hash = sha256(hash)",
            "seal = sha256(seal)",
        ]
    ),
)
@often
def test_an_edited_head_is_found(city: Jurisdiction, subject: int, edit: str) -> None:
    where = "jurisdiction_id = %s AND subject_type = 'thing' AND subject_id = %s"
    with tampering():
        assert run(f"UPDATE ledger_head SET {edit} WHERE {where}", city.pk, subject) == 1
        assert named(verify(), f"thing {subject}")


def test_removed_heads_are_named_one_by_one(city: Jurisdiction) -> None:
    with tampering():
        run("DELETE FROM ledger_head WHERE jurisdiction_id = %s AND subject_type = 'thing'", city.pk)
        faults = verify(city.pk)
        assert all(named(faults, f"thing {subject}", "no head") for subject in range(1, SUBJECTS + 1))


CHECKPOINT_EDITS = [
    "jurisdiction_id = 999999",
    "day = day - 100",
    "day = day + 50",
    "day = 'infinity'",
    "events = events + 1",
    "root = sha256(root)",
    "previous = sha256(previous)",
    "hash = sha256(hash)",
    "seal = sha256(seal)",
    "made_at = made_at - interval '1 day'",
    "made_at = 'infinity'",
]


@pytest.mark.parametrize("edit", CHECKPOINT_EDITS)
@pytest.mark.parametrize("day", ["2026-03-02", "2026-03-03", "2026-03-04"])
def test_an_edited_checkpoint_is_found(city: Jurisdiction, day: str, edit: str) -> None:
    with tampering():
        assert run(f"UPDATE ledger_checkpoint SET {edit} WHERE jurisdiction_id = %s AND day = %s", city.pk, day) == 1
        assert named(verify(), f"checkpoint {day}")


@given(days=st.sets(st.sampled_from(["2026-03-02", "2026-03-03", "2026-03-04"]), min_size=1))
@often
def test_removed_checkpoints_are_each_named(city: Jurisdiction, days: set[str]) -> None:
    with tampering():
        run("DELETE FROM ledger_checkpoint WHERE jurisdiction_id = %s AND day = ANY(%s::date[])", city.pk, list(days))
        faults = verify()
        assert all(named(faults, f"checkpoint {day}", "Removed") for day in days)


def test_a_removed_event_of_which_handlers_were_told_is_named(city: Jurisdiction) -> None:
    with tampering():
        run("INSERT INTO ledger_handled (event_id, handler, at) VALUES (123456789, 'x', now())")
        assert any(fault.event == 123456789 for fault in verify())


def test_another_key_breaks_every_seal(city: Jurisdiction) -> None:
    with override_settings(SECRET_KEY="another"):
        faults = verify(city.pk)
    assert all(named(faults, f"thing {subject}", "seal") for subject in range(1, SUBJECTS + 1))


def test_the_triggers_refuse_what_the_verification_would_find(city: Jurisdiction) -> None:
    run("SET CONSTRAINTS ALL IMMEDIATE")
    for sql in ("UPDATE ledger_event SET kind = 'x'", "DELETE FROM ledger_event", "TRUNCATE ledger_event CASCADE"):
        with pytest.raises(IntegrityError, match="only added"), transaction.atomic():
            run(sql)
