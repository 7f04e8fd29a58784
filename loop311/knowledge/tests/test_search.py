"""The caller's own words find the answer: in both languages, with a slip of the keys, in constant statements."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from loop311.accounts.testing import a_city
from loop311.kit.clock import now
from loop311.kit.testing import at_most_queries
from loop311.knowledge import services
from loop311.knowledge.queries import browse, search, topics
from loop311.knowledge.testing import an_article, publisher, words

pytestmark = pytest.mark.django_db


def test_endings_and_small_words_do_not_matter() -> None:
    city = a_city()
    an_article(city, "garbage", words("Missed garbage pickup"))
    an_article(city, "library", words("Library hours", answer="Ten to six.", body=""))
    assert [hit.code for hit in search(city.pk, "my garbages were missing", language="en")] == ["garbage"]


def test_spanish_is_found_without_its_accents_and_whatever_language_the_desk_shows() -> None:
    city = a_city()
    an_article(city, "recycling", words("Recycling weeks"), words("Recolección de reciclaje", "es"))
    for asked in ("recoleccion", "recolección", "RECOLECCIONES", "reciclajes"):
        assert [hit.code for hit in search(city.pk, asked, language="en")] == ["recycling"], asked
    assert search(city.pk, "recoleccion", language="es")[0].title == "Recolección de reciclaje"
    assert search(city.pk, "recoleccion", language="en")[0].title == "Recycling weeks"
    assert search(city.pk, "recoleccion", language="fr")[0].title == "Recycling weeks"


def test_what_callers_say_counts_nearly_as_much_as_the_title() -> None:
    city = a_city()
    an_article(city, "bulky", words("Large items", keywords=("couch on the curb", "old mattress")))
    an_article(city, "other", words("Something else", body="A mattress is named here once."))
    assert [hit.code for hit in search(city.pk, "mattress", language="en")] == ["bulky", "other"]


def test_all_the_words_are_better_than_some() -> None:
    city = a_city()
    an_article(city, "signs", words("Street signs", body="signs signs signs street street"))
    an_article(city, "lights", words("Lights", body="A street light is out."))
    assert search(city.pk, "street light out", language="en")[0].code == "lights"


def test_a_word_that_is_still_being_typed_finds_already() -> None:
    city = a_city()
    an_article(city, "parking", words("Parking tickets"))
    assert [hit.code for hit in search(city.pk, "parki", language="en")] == ["parking"]


def test_a_word_that_stands_only_in_the_text_is_found_when_nothing_better_is() -> None:
    city = a_city()
    an_article(city, "bulky", words("Large items", body="A mattress is named here once."))
    assert [hit.code for hit in search(city.pk, "donating a mattress", language="en")] == ["bulky"]
    an_article(city, "mattress", words("Mattresses"))
    assert [hit.code for hit in search(city.pk, "donating a mattress", language="en")] == ["mattress"]


def test_a_slip_of_the_keys_is_forgiven_and_marked_as_a_guess() -> None:
    city = a_city()
    an_article(city, "garbage", words("Missed garbage pickup"))
    an_article(city, "mosquito", words("Mosquitoes", answer="We spray.", body=""))
    hits = search(city.pk, "garbgae", language="en")
    assert [(hit.code, hit.is_guess) for hit in hits] == [("garbage", True)]
    assert [hit.code for hit in search(city.pk, "moskitos", language="en")] == ["mosquito"]
    assert search(city.pk, "qqqqqq", language="en") == []


@pytest.mark.parametrize(
    "asked", ["", "   ", "???", "'", "\\", "a:* | b", "!!", "<->", "the of and", "x" * 5000, "%s %(any)s", "{found}"]
)
def test_no_text_breaks_the_search(asked: str) -> None:
    city = a_city()
    an_article(city, "garbage")
    search(city.pk, asked, language="en")


def test_the_newer_of_two_equals_comes_first_and_the_expired_last() -> None:
    city = a_city()
    today = now().astimezone(city.zone).date()
    an_article(city, "expired", words("Cooling centers"), expires_on=today - timedelta(days=3))
    an_article(city, "old", words("Cooling centers"), at=now() - timedelta(days=200))
    an_article(city, "new", words("Cooling centers"), at=now() - timedelta(days=2))
    assert [hit.code for hit in search(city.pk, "cooling center", language="en")] == ["new", "old", "expired"]
    assert [hit.is_expired for hit in search(city.pk, "cooling center", language="en")] == [False, False, True]
    assert [hit.code for hit in browse(city.pk, language="en")] == ["new", "old", "expired"]


def test_an_answer_named_like_the_question_comes_before_a_fresher_one_that_only_mentions_it() -> None:
    city = a_city()
    told = (
        "Today the branch is open from ten to six. A card is free for residents: bring a photo ID and proof of address."
    )
    an_article(city, "library", words("Library hours and cards", answer=told, keywords=("library", "books", "branch")),
               at=now() - timedelta(days=400))  # fmt: skip
    cool = "When it is dangerously hot, libraries and recreation centers are open. I give you the nearest one and its hours."
    an_article(city, "heat", words("Cooling and warming centers", answer=cool), at=now() - timedelta(days=1))
    assert [hit.code for hit in search(city.pk, "library hours", language="en")] == ["library", "heat"]


def test_what_only_staff_may_say_is_no_public_answer() -> None:
    city = a_city()
    an_article(city, "staff-only", words("Escalating garbage calls"), audience="staff")
    an_article(city, "garbage")
    assert {hit.code for hit in search(city.pk, "garbage", language="en")} == {"staff-only", "garbage"}
    assert [hit.code for hit in search(city.pk, "garbage", language="en", audience="public")] == ["garbage"]


def test_a_hit_says_who_answers_for_it_and_when_it_was_checked() -> None:
    city = a_city()
    article = an_article(city, "garbage", topic="trash")
    hit = search(city.pk, "garbage", language="en")[0]
    assert (hit.article, hit.version) == (article.pk, article.published_id)
    assert hit.owner == "Knowledge-Owners"
    assert hit.checked_at == article.checked_at
    assert hit.lines == ("Trucks come until seven.", "Tell us tomorrow if it is still there.")
    assert topics(city.pk) == [("trash", 1)]
    assert [h.code for h in browse(city.pk, language="en", topic="trash")] == ["garbage"]
    assert browse(city.pk, language="en", topic="water") == []


def test_another_citys_answers_are_not_found() -> None:
    city, other = a_city(), a_city()
    an_article(other, "garbage")
    assert search(city.pk, "garbage", language="en") == []
    assert search(city.pk, "garbgae", language="en") == []
    assert browse(city.pk, language="en") == []


def test_searching_takes_one_statement_however_much_there_is_and_guessing_two_more() -> None:
    city = a_city()
    for number in range(12):
        an_article(city, f"garbage-{number}")
    with at_most_queries(1):
        assert len(search(city.pk, "garbage", language="en", limit=10)) == 10
    with at_most_queries(3):
        search(city.pk, "garbgae", language="en")


def test_only_what_is_published_stands_in_the_index() -> None:
    city = a_city()
    article = an_article(city, "garbage")
    services.retire(article, by=publisher(city))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = 'article_text_search'::regclass"
        )
        assert cursor.fetchone() == ("live",)
