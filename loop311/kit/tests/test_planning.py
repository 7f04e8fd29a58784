"""Statements that carry their values are quoted, counted and never prepared."""

from __future__ import annotations

import pytest
from django.db import connection

from loop311.kit.planning import ask
from loop311.kit.testing import at_most_queries

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "value", ["plain", "o'brien", "100 %", "%(x)s", "'; DROP TABLE x; --", "\\", "é", ["a'b", "c"]]
)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    cast = "text[]" if isinstance(value, list) else "text"
    assert ask(f"SELECT %(value)s::{cast}, 'a' LIKE 'a%%'", {"value": value}) == [(value, True)]


def test_it_is_counted_like_any_other_statement_and_not_prepared() -> None:
    with at_most_queries(5) as sent:
        for _ in range(5):
            ask("SELECT 'never prepared', %(n)s::int", {"n": len(sent)})
    assert len(sent) == 5
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT ''never prepared'', $1%'"
        )
        assert cursor.fetchone() == (0,)
