"""Which statements are prepared, and which are planned for their values each time."""

from __future__ import annotations

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection

pytestmark = pytest.mark.django_db


def prepared() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return {row[0] for row in cursor.fetchall()}


def test_a_statement_that_comes_again_is_prepared() -> None:
    for number in range(5):
        ContentType.objects.filter(pk=number).exists()
    assert any("django_content_type" in statement for statement in prepared())


@pytest.mark.parametrize(
    "condition",
    ["name LIKE %s", "name ILIKE %s", "name %% %s", "%s <%% name", "starts_with(name, %s)",
     "to_tsvector('simple', name) @@ plainto_tsquery('simple', %s)"],
)  # fmt: skip
def test_a_search_is_planned_for_its_words_each_time(condition: str) -> None:
    marked = f"SELECT name FROM jurisdictions_jurisdiction WHERE {condition} /* planned */"
    for words in ("a", "b", "c", "d", "e"):
        with connection.cursor() as cursor:
            cursor.execute(marked, [words])
    assert not any("/* planned */" in statement for statement in prepared())
