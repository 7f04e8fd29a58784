"""Very many rows at once."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from loop311.kit.copying import Fill, copy_lines, into_new_pages

pytestmark = pytest.mark.django_db(transaction=True)

FILL = {"heap_of_rows": Fill(usually=100, now=80)}


def ask(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def pages() -> Iterator[int]:
    """A full table, whose every page has room for a few short rows more; how many pages it has."""
    ask("CREATE TABLE heap_of_rows (words text)")
    copy_lines("heap_of_rows (words)", ["w" * 700 + "\n"] * 495)
    ask("VACUUM heap_of_rows")
    yield _pages()
    ask("DROP TABLE heap_of_rows")


def _pages() -> int:
    ((count,),) = ask("SELECT pg_relation_size('heap_of_rows') / 8192")
    assert isinstance(count, int)
    return count


def fillfactor() -> object:
    return ask("SELECT reloptions FROM pg_class WHERE relname = 'heap_of_rows'")[0][0]


def write_short_rows() -> int:
    """How many of them stand in old pages."""
    before = _pages()
    copy_lines("heap_of_rows (words)", ["short\n"] * 90)
    ((count,),) = ask(f"SELECT count(*) FROM heap_of_rows WHERE words = 'short' AND (ctid::text::point)[0] < {before}")
    assert isinstance(count, int)
    return count


def test_short_rows_fill_what_room_old_pages_have_left(pages: int) -> None:
    assert pages > 40
    assert write_short_rows() == 90


def test_they_go_into_new_pages_when_asked_for_and_the_table_is_then_as_it_was(pages: int) -> None:
    with into_new_pages(FILL):
        assert write_short_rows() == 0
    assert _pages() > pages
    assert fillfactor() == ["fillfactor=100"]


def test_the_table_is_as_it_was_also_after_a_failure(pages: int) -> None:
    with pytest.raises(AssertionError), into_new_pages(FILL):
        assert fillfactor() is None  # it is 80
    assert fillfactor() == ["fillfactor=100"]


def test_inside_a_transaction_nothing_is_altered_because_the_lock_would_stay(pages: int) -> None:
    with transaction.atomic(), into_new_pages(FILL):
        assert fillfactor() is None


def test_who_may_not_alter_one_of_the_tables_writes_as_before(pages: int, caplog: pytest.LogCaptureFixture) -> None:
    nobodys = {"pg_class": Fill(usually=100, now=80)}
    with caplog.at_level(logging.WARNING), into_new_pages({**FILL, **nobodys}):
        assert write_short_rows() == 90
    assert "pages are filled as before" in caplog.text
