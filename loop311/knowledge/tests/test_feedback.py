from __future__ import annotations

import pytest
from django.db import Error, transaction

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, actor_of
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.knowledge import services
from loop311.knowledge.models import Feedback
from loop311.knowledge.queries import unsettled_feedback
from loop311.knowledge.testing import a_draft, an_article, words, writer

pytestmark = pytest.mark.django_db


def test_what_is_wrong_waits_for_its_owner_and_what_helped_for_nobody() -> None:
    city = a_city()
    article = an_article(city, "", words(), words("Basura", "es"))
    services.rate(article, "helpful", by=writer(city))
    wrong = services.rate(article, "wrong", words="The fee is $12.", language="es", by=writer(city))
    team = article.published.owner_team_id
    assert list(unsettled_feedback(city.pk)) == [wrong]
    assert list(unsettled_feedback(city.pk, [team])) == [wrong]
    assert list(unsettled_feedback(city.pk, [], staff=0)) == []
    assert (wrong.language, wrong.version_id) == ("es", article.published_id)
    services.settle(wrong, by=writer(city))
    assert list(unsettled_feedback(city.pk)) == []
    with pytest.raises(Conflict):
        services.settle(wrong, by=writer(city))


def test_feedback_is_about_published_answers_and_is_never_edited() -> None:
    city = a_city()
    with pytest.raises(NotFound):
        services.rate(a_draft(city).article, "helpful", by=writer(city))
    said = services.rate(an_article(city), "outdated", by=writer(city))
    with pytest.raises(Error), transaction.atomic():
        Feedback.objects.filter(pk=said.pk).update(words="Other")


def test_who_may_not_and_who_is_elsewhere_is_refused() -> None:
    city, other = a_city(), a_city()
    article = an_article(city)
    with pytest.raises(Forbidden):
        services.rate(article, "helpful", by=actor_of(city, Role.AUDITOR))
    with pytest.raises(NotFound):
        services.rate(article, "helpful", by=writer(other))
    with pytest.raises(Invalid):
        services.rate(article, "wrong", by=writer(city))
    said = services.rate(article, "wrong", words="All of it.", by=writer(city))
    with pytest.raises(NotFound):
        services.settle(said, by=writer(other))
    with pytest.raises(NotFound):
        services.get_feedback(said.pk, by=writer(other))
