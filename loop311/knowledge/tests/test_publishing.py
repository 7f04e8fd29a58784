"""A draft becomes the city's answer only by a second person, and what was published is never edited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import Error, transaction

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, actor_of
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.knowledge import services
from loop311.knowledge.models import Article, Text, Version
from loop311.knowledge.queries import search
from loop311.knowledge.testing import a_draft, an_article, content, publisher, words, writer
from loop311.ledger.models import Event

pytestmark = pytest.mark.django_db


def _found(city_id: int, text: str = "garbage") -> list[str]:
    return [hit.code for hit in search(city_id, text, language="en")]


def test_nothing_is_found_before_a_second_person_has_published_it() -> None:
    city = a_city()
    version = a_draft(city, "garbage")
    assert _found(city.pk) == []
    services.publish(version, by=publisher(city))
    assert _found(city.pk) == ["garbage"]


def test_nobody_publishes_what_they_wrote() -> None:
    city = a_city()
    author = actor_of(city, Role.SUPERVISOR)
    version = services.draft(city, "garbage", content(city), by=author, ready=True)
    with pytest.raises(Forbidden, match="second person"):
        services.publish(version, by=author)
    services.publish(version, by=actor_of(city, Role.SUPERVISOR))


def test_the_database_refuses_it_too() -> None:
    city = a_city()
    version = a_draft(city)
    alone = {"decided_by_kind": version.written_by_kind, "decided_by_ref": version.written_by_ref}
    for change in ({"state": "published", **alone}, {"state": "published"}, {"number": 7}, {"topic": "other"}):
        with pytest.raises(Error), transaction.atomic():
            Version.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(Error), transaction.atomic():
        Text.objects.filter(version=version).update(live=True)
    with pytest.raises(Error), transaction.atomic():
        Text.objects.filter(version=version).update(body="Another")
    with pytest.raises(Error), transaction.atomic():
        Text.objects.filter(version=version).update(review="checked")
    with pytest.raises(Error), transaction.atomic():
        Article.objects.filter(pk=version.article_id).update(published=version)
    with pytest.raises(Error), transaction.atomic():
        Version.objects.filter(pk=version.pk).delete()


def test_a_newer_draft_takes_the_place_of_the_one_that_waits() -> None:
    city = a_city()
    first = a_draft(city, "garbage")
    second = a_draft(city, "garbage", words("Second"))
    with pytest.raises(Conflict, match="newer version"):
        services.publish(first, by=publisher(city))
    services.publish(second, by=publisher(city))
    assert _found(city.pk, "second") == ["garbage"]


def test_a_newer_version_replaces_the_published_one() -> None:
    city = a_city()
    article = an_article(city, "garbage", words("Trash days"))
    services.publish(a_draft(city, "garbage", words("Rubbish days")), by=publisher(city))
    assert _found(city.pk, "trash") == []
    assert _found(city.pk, "rubbish") == ["garbage"]
    assert list(article.versions.order_by("number").values_list("state", flat=True)) == ["replaced", "published"]


def test_two_who_write_at_once_do_not_overwrite_each_other() -> None:
    city = a_city()
    article = an_article(city, "garbage")
    services.draft(city, "garbage", content(city), by=writer(city), base=article.latest)
    with pytest.raises(Conflict, match="newer version"):
        services.draft(city, "garbage", content(city), by=writer(city), base=article.latest)
    with pytest.raises(Conflict, match="already"):
        services.draft(city, "garbage", content(city), by=writer(city), base=0)


def test_what_is_sent_back_says_why_and_can_be_given_again() -> None:
    city = a_city()
    version = a_draft(city)
    with pytest.raises(Invalid):
        services.send_back(version, " ", by=publisher(city))
    version = services.send_back(version, "Name the fee.", by=publisher(city))
    assert (version.state, version.decision) == ("draft", "Name the fee.")
    with pytest.raises(Conflict):
        services.publish(version, by=publisher(city))
    services.publish(services.ask_review(version, by=writer(city)), by=publisher(city))


def test_a_retired_article_is_found_no_more_until_a_newer_version_is_published() -> None:
    city = a_city()
    article = an_article(city, "garbage")
    services.retire(article, by=publisher(city))
    assert _found(city.pk) == []
    with pytest.raises(Conflict):
        services.retire(article, by=publisher(city))
    services.publish(a_draft(city, "garbage"), by=publisher(city))
    assert _found(city.pk) == ["garbage"]


def test_checking_moves_the_day_on_which_it_expires() -> None:
    city = a_city()
    today = now().astimezone(city.zone).date()
    article = an_article(city, "garbage", expires_on=today - timedelta(days=1))
    assert search(city.pk, "garbage", language="en")[0].is_expired
    with pytest.raises(Invalid):
        services.confirm(article, expires_on=today - timedelta(days=1), by=publisher(city))
    services.confirm(article, expires_on=today + timedelta(days=90), by=publisher(city))
    assert not search(city.pk, "garbage", language="en")[0].is_expired


def test_a_translation_is_checked_by_somebody_else() -> None:
    city = a_city()
    version = a_draft(city, "garbage", words(), words("Basura", "es"))
    with pytest.raises(Forbidden):
        services.check_translation(version, "es", by=writer(city))
    with pytest.raises(Conflict, match="original"):
        services.check_translation(version, "en", by=publisher(city))
    assert services.check_translation(version, "es", by=publisher(city)).review == "checked"
    again = a_draft(city, "garbage", words(), words("Basura", "es"))
    assert again.texts.get(language="es").review == "checked"
    changed = a_draft(city, "garbage", words("Other"), words("Basura", "es"))
    assert changed.texts.get(language="es").review == "translated"


def test_another_city_has_no_such_article_team_or_service() -> None:
    city, other = a_city(), a_city()
    version = a_draft(city)
    with pytest.raises(NotFound):
        services.publish(version, by=publisher(other))
    with pytest.raises(NotFound):
        services.get_article(version.article.code, by=publisher(other))
    with pytest.raises(NotFound, match="team"):
        services.draft(city, "x", content(other), by=writer(city))
    with pytest.raises(Invalid, match="no service"):
        services.draft(city, "x", content(city, services=("unknown",)), by=writer(city))
    with pytest.raises(NotFound):
        services.draft(city, "x", content(city), by=system(other.pk))


def test_roles_that_only_read_write_nothing() -> None:
    city = a_city()
    auditor = actor_of(city, Role.AUDITOR)
    with pytest.raises(Forbidden):
        services.draft(city, "x", content(city), by=auditor)
    version = a_draft(city)
    for act in (services.publish, services.ask_review):
        with pytest.raises(Forbidden):
            act(version, by=auditor)
    with pytest.raises(Forbidden):
        services.publish(version, by=actor_of(city, Role.CONCIERGE))


def test_the_diary_holds_no_word_of_an_article() -> None:
    city = a_city()
    article = an_article(city, "garbage", words("Xyzzy title", answer="Xyzzy answer", body="Xyzzy body"))
    services.rate(article, "wrong", words="Xyzzy words", by=writer(city))
    services.report_gap(city, "Xyzzy question", by=writer(city))
    assert Event.objects.filter(subject_type__in=["article", "gap"]).count() >= 5
    assert not Event.objects.filter(body__icontains="xyzzy").exists()
