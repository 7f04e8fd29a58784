"""Importing again, importing changes, importing twice at once, and files that are broken."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from loop311.catalog.models import CatalogueVersion, Service
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.problems import Conflict, Forbidden, Invalid
from loop311.ledger.models import Event
from loop311.requests import imports
from loop311.requests.imports import running
from loop311.requests.imports.writing import Batch, Writer
from loop311.requests.models import ImportRun, Promise, Request
from loop311.requests.tests.import_files import bring_in, bring_in_file, mapping, reasons, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> Jurisdiction:
    return create("millbrook", name="Millbrook", time_zone="America/Chicago", languages=("en", "es"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def test_the_same_file_again_changes_nothing(city: Jurisdiction, path: Path) -> None:
    rows = [{"case": f"C-{i}"} for i in range(7)]
    assert bring_in(city, path, *rows).counts() == [7, 7, 0, 0, 0]
    before = list(Request.objects.order_by("id").values()), Event.objects.count(), CatalogueVersion.objects.count()
    assert bring_in(city, path, *rows).counts() == [7, 0, 0, 7, 0]
    assert before == (
        list(Request.objects.order_by("id").values()),
        Event.objects.count(),
        CatalogueVersion.objects.count(),
    )


def test_a_changed_row_updates_its_request_which_keeps_number_and_first_promise(city: Jurisdiction, path: Path) -> None:
    bring_in(city, path, {}, {"case": "C-2"})
    closed = {"status": "Closed", "closed": "2024-03-09 09:00:00", "due": "2024-03-10 10:00:00", "channel": "Web"}
    assert bring_in(city, path, closed, {"case": "C-2"}).counts() == [2, 0, 1, 1, 0]
    request = Request.objects.select_related("interaction").get(source_id="C-1")
    assert (request.state, request.version, request.number) == ("closed", 2, "24-00000001")
    assert (request.channel, request.interaction.channel) == ("web", "web")
    dates = Promise.objects.filter(request=request).order_by("sequence").values_list("sequence", "due_at__day")
    assert list(dates) == [(1, 8), (2, 10)]
    kinds = Event.objects.filter(subject_type="request", subject_id=request.pk).order_by("sequence")
    assert list(kinds.values_list("kind", flat=True)) == ["request.imported", "request.import_updated"]
    bring_in(city, path, {}, {"case": "C-2"})
    assert Request.objects.get(source_id="C-1").reopened_count == 1


def test_a_source_that_only_says_open_leaves_the_state_that_work_here_has_reached(
    city: Jurisdiction, path: Path
) -> None:
    bring_in(city, path, {})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE requests_request SET state = 'assigned', version = version + 1")
    bring_in(city, path, {"what": "Behind the school"})
    request = Request.objects.get()
    assert (request.state, request.description) == ("assigned", "Behind the school")


def test_of_rows_with_one_id_the_newest_counts_and_the_older_are_unchanged(city: Jurisdiction, path: Path) -> None:
    newer = {"updated": "2024-03-05 10:00:00", "what": "newer"}
    older = {"updated": "2024-03-04 10:00:00", "what": "older"}
    for rows, kept in (([newer, older], "newer"), ([older, newer], "newer")):
        summary = bring_in(city, path, *rows, {"case": "C-2"})
        assert summary.read == sum(summary.counts()[1:]) == 3
        assert summary.warnings == {"older_rows_with_the_same_id": 1}
        assert Request.objects.get(source_id="C-1").description == kept
    assert summary.counts() == [3, 0, 0, 3, 0]


def test_of_rows_with_one_id_and_no_times_the_last_that_is_no_reject_counts(city: Jurisdiction, path: Path) -> None:
    rows = [{"what": "first"}, {"what": "second"}, {"what": "third", "status": "?"}]
    assert bring_in(city, path, *rows).counts() == [3, 1, 0, 1, 1]
    assert Request.objects.get().description == "second"
    assert bring_in(city, path, *rows).counts() == [3, 0, 0, 2, 1]


def test_a_dry_run_counts_the_same_and_writes_nothing(city: Jurisdiction, path: Path) -> None:
    rows = [{}, {"case": "C-2"}, {"case": "C-3", "status": "?"}]
    dry = bring_in(city, path, *rows, dry_run=True)
    assert not Request.objects.exists()
    assert not Event.objects.exists()
    assert not CatalogueVersion.objects.exists()
    assert not ImportRun.objects.exists()
    assert reasons(path) == ["3: the status '?' is not in the mapping"]
    assert bring_in(city, path, *rows) == dry


def test_new_words_make_one_historical_version_and_known_services_are_used(city: Jurisdiction, path: Path) -> None:
    bring_in(city, path, {}, {"case": "C-2", "type": "Graffiti", "department": "Parks"})
    assert CatalogueVersion.objects.count() == 1
    assert not Service.objects.filter(is_offered=True).exists()
    bring_in(city, path, {"case": "C-3", "type": "GRAFFITI", "department": "Parks"})
    assert CatalogueVersion.objects.count() == 1
    bring_in(city, path, {"case": "C-4", "type": "Tree"})
    assert list(CatalogueVersion.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_batches_end_and_begin_anywhere(city: Jurisdiction, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH", 3)
    rows = [{"case": f"C-{i}"} for i in range(10)]
    ticks: list[int] = []
    path.write_text(text_of(*rows), newline="")
    summary = imports.run(city, path, mapping(), by=_system(city), tick=lambda rows, _total: ticks.append(rows))
    assert summary.counts() == [10, 10, 0, 0, 0]
    assert sum(ticks) == 20  # two passes
    numbers = Request.objects.order_by("id").values_list("number", flat=True)
    assert list(numbers) == [f"24-{i:08d}" for i in range(1, 11)]


@pytest.mark.django_db(transaction=True)
def test_a_large_import_leaves_the_old_pages_of_the_ledger_alone_and_the_tables_as_they_were(
    city: Jurisdiction, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 3)
    write = Writer.write
    during: list[dict[str, str]] = []

    def dies_in_the_second_batch(self: Writer, batch: Batch) -> None:
        during.append(_fillfactors())
        if len(during) == 2:
            raise KeyboardInterrupt
        write(self, batch)

    monkeypatch.setattr(Writer, "write", dies_in_the_second_batch)
    with pytest.raises(KeyboardInterrupt):
        bring_in(city, path, *[{"case": f"C-{i}"} for i in range(10)])
    assert during[0] == {"ledger_event": "fillfactor=90", "ledger_head": "fillfactor=70"}
    assert _fillfactors() == {"ledger_event": "fillfactor=100", "ledger_head": "fillfactor=80"}


def _fillfactors() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reloptions[1] FROM pg_class WHERE relname IN ('ledger_event', 'ledger_head')")
        return dict(cursor.fetchall())


def _system(city: Jurisdiction) -> Actor:
    return Actor(kind=ActorKind.SYSTEM, jurisdiction_id=city.pk)


def test_an_import_that_dies_midway_is_completed_by_running_it_again(
    city: Jurisdiction, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 4)
    write = Writer.write
    written: list[Batch] = []

    def dies_in_the_second_batch(self: Writer, batch: Batch) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(batch)
        write(self, batch)

    rows = [{"case": f"C-{i}"} for i in range(10)]
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write", dies_in_the_second_batch)
        with pytest.raises(KeyboardInterrupt):
            bring_in(city, path, *rows)
    assert Request.objects.count() == 4
    assert bring_in(city, path, *rows).counts() == [10, 6, 0, 4, 0]
    assert Event.objects.filter(kind="request.imported").count() == 10


@pytest.fixture
def other_session() -> Iterator[BaseDatabaseWrapper]:
    other = connections.create_connection("default")
    yield other
    other.close()


def test_two_imports_of_one_city_do_not_run_at_once(
    city: Jurisdiction, path: Path, other_session: BaseDatabaseWrapper
) -> None:
    with other_session.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [running._LOCK, city.pk])
    with pytest.raises(Conflict, match="Another import for millbrook is running"):
        bring_in(city, path, {})


def test_only_who_may_import_imports_and_only_into_the_own_city(city: Jurisdiction, path: Path) -> None:
    path.write_text(text_of({}))
    stranger = Actor(kind=ActorKind.STAFF, jurisdiction_id=city.pk, permissions=frozenset({"requests.read"}))
    with pytest.raises(Forbidden):
        imports.run(city, path, mapping(), by=stranger)
    with pytest.raises(Forbidden):
        imports.run(city, path, mapping(), by=Actor(kind=ActorKind.SYSTEM, jurisdiction_id=city.pk + 1))


def test_a_file_with_a_byte_order_mark_or_in_windows_1252_or_gzip_is_read(city: Jurisdiction, path: Path) -> None:
    text = text_of({"what": "Café, façade €"})
    for content in (text.encode("utf-8-sig"), text.encode("cp1252"), gzip.compress(text.encode())):
        path.write_bytes(content)
        assert bring_in_file(city, path).rejected == 0
    assert Request.objects.get().description == "Café, façade €"
    assert Request.objects.get().version == 1


def test_nul_bytes_are_left_out(city: Jurisdiction, path: Path) -> None:
    path.write_bytes(text_of({"what": "a\0b"}).encode())
    bring_in_file(city, path)
    assert Request.objects.get().description == "ab"


def test_rows_of_another_width_and_blank_lines(city: Jurisdiction, path: Path) -> None:
    header, row, _ = text_of({}).split("\r\n")
    long, short, wide = row.replace("C-1", "C-2") + ",more", "C-3,2024-03-01 10:00:00", row.replace("C-1", "C-4") + ",,"
    path.write_text("\n".join([header, row, "", long, short, wide, ""]))
    assert bring_in_file(city, path).counts() == [4, 2, 0, 0, 2]
    assert reasons(path) == [
        "2: the row has 16 fields where the header has 15",
        "3: the row has 2 fields where the header has 15",
    ]


def _broken(text: str) -> list[tuple[bytes, str]]:
    packed = gzip.compress(text.encode() * 500)
    return [
        (b"", "The file is empty"),
        (packed[: len(packed) // 2], "damaged or cut short"),
        (packed[:-20] + b"\0" * 20, "damaged or cut short"),
        (text.replace("type", "kind", 1).encode(), "The file has no column 'type'"),
        (text.replace("what", "type", 1).encode(), "The column 'type' stands 2 times"),
        ((text + '"open quote' + "x" * 200_000).encode(), "The file is not CSV near line"),
        (("\n" * 3).encode(), "The file is empty"),
    ]


@pytest.mark.parametrize(("content", "sentence"), _broken(text_of({})))
def test_a_broken_file_is_refused_in_one_sentence_and_nothing_is_written(
    city: Jurisdiction, path: Path, content: bytes, sentence: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(Invalid, match=sentence):
        bring_in_file(city, path)
    assert not Request.objects.exists()


def test_a_wrong_encoding_is_refused(city: Jurisdiction, path: Path) -> None:
    path.write_bytes(text_of({"what": "Café"}).encode("latin-1"))
    for encoding, sentence in (("utf-8", "The file is not utf-8"), ("klingon", "There is no encoding 'klingon'")):
        with pytest.raises(Invalid, match=sentence):
            imports.run(city, path, mapping(), by=_system(city), encoding=encoding)
