"""Nobody knows this yet: owned, dated, seen by every desk, answered by an article, and late only once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import Error, transaction

from loop311.accounts.models import Team
from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, a_team, actor_of
from loop311.catalog.services import publish
from loop311.catalog.testing import small_catalogue
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.kit.testing import at_once, same_number_of_queries
from loop311.knowledge import services
from loop311.knowledge.models import Gap
from loop311.knowledge.queries import answered_gaps, open_gaps
from loop311.knowledge.testing import a_draft, an_article, publisher, writer
from loop311.ledger.models import Event

pytestmark = pytest.mark.django_db


def _city_with_catalogue() -> Jurisdiction:
    city = a_city()
    publish(city, small_catalogue(), by=system(city.pk), effective_at=SUNDAY - timedelta(days=400))
    return city


SUNDAY = datetime(2026, 3, 15, 18, 0, tzinfo=UTC)


def test_a_gap_has_a_team_and_is_due_in_thirty_minutes() -> None:
    city = a_city()
    an_article(city)
    a_team(city, "aaa")
    gap = services.report_gap(city, "Where is the  cooling center?", by=writer(city), at=SUNDAY)
    assert (gap.words, gap.team.code) == ("Where is the cooling center?", "knowledge-owners")
    assert gap.due_at == SUNDAY + timedelta(minutes=30)
    assert [each.pk for each in open_gaps(city.pk)] == [gap.pk]


def test_the_minutes_are_counted_in_the_citys_calendar() -> None:
    city = _city_with_catalogue()
    team = Team.objects.get(jurisdiction=city, code="streets_south")
    services.set_rules(city, team=team, minutes=45, calendar="office", by=publisher(city))
    gap = services.report_gap(city, "Is the parade on?", by=writer(city), at=SUNDAY)
    assert gap.team == team
    assert gap.due_at.astimezone(city.zone).strftime("%a %H:%M") == "Mon 08:45"


def test_rules_are_refused_that_cannot_be_kept() -> None:
    city, other = _city_with_catalogue(), a_city()
    team = Team.objects.get(jurisdiction=city, code="streets_south")
    with pytest.raises(Invalid, match="calendar"):
        services.set_rules(city, team=team, calendar="nights", by=publisher(city))
    with pytest.raises(Invalid, match="minutes"):
        services.set_rules(city, team=team, minutes=0, by=publisher(city))
    with pytest.raises(NotFound):
        services.set_rules(city, team=a_team(other), by=publisher(city))
    with pytest.raises(Forbidden):
        services.set_rules(city, team=team, by=writer(city))


def test_the_same_question_counts_on_the_gap_that_is_open() -> None:
    city = a_city()
    a_team(city)
    first = services.report_gap(city, "Where is the cooling center", by=writer(city))
    again = services.report_gap(city, "where is the COOLING center?", by=writer(city))
    assert (again.pk, again.asked) == (first.pk, 2)


@pytest.mark.django_db(transaction=True)
def test_two_desks_that_ask_at_once_make_one_gap() -> None:
    city = a_city()
    a_team(city)
    by = writer(city)
    results = at_once([lambda: services.report_gap(city, "Is it open?", by=by) for _ in range(4)])
    assert not [each for each in results if isinstance(each, Exception)], results
    assert Gap.objects.values_list("asked", flat=True).get() == 4


def test_a_published_article_answers_it() -> None:
    city = a_city()
    article = an_article(city)
    gap = services.report_gap(city, "Where?", by=writer(city))
    with pytest.raises(Conflict, match="published"):
        services.answer_gap(gap, a_draft(city).article, by=writer(city))
    services.answer_gap(gap, article, by=writer(city))
    assert open_gaps(city.pk) == []
    assert [each.article for each in answered_gaps(city.pk)] == [article]
    with pytest.raises(Conflict, match="answered already"):
        services.dismiss_gap(gap, "mistake", by=writer(city))
    services.report_gap(city, "Where?", by=writer(city))  # the same may be asked anew


def test_dismissing_needs_a_reason_on_the_list() -> None:
    city = a_city()
    a_team(city)
    gap = services.report_gap(city, "Where?", by=writer(city))
    with pytest.raises(Invalid):
        services.dismiss_gap(gap, "no time", by=writer(city))
    assert services.dismiss_gap(gap, "not_city", by=writer(city)).dismissal == "not_city"


def test_an_unanswered_gap_is_said_to_be_late_once() -> None:
    city = a_city()
    a_team(city)
    gap = services.report_gap(city, "Where?", by=writer(city), at=SUNDAY)
    assert services.mark_late(SUNDAY + timedelta(minutes=30)) == 0
    assert services.mark_late(SUNDAY + timedelta(minutes=42)) == 1
    assert services.mark_late(SUNDAY + timedelta(minutes=50)) == 0
    event = Event.objects.get(kind="gap.late", subject_id=gap.pk)
    assert '"minutes":12' in event.body


def test_the_database_holds_what_was_promised() -> None:
    city = a_city()
    a_team(city)
    gap = services.report_gap(city, "Where?", by=writer(city))
    changes = ({"due_at": now() + timedelta(days=9)}, {"words": "Other"}, {"state": "answered"}, {"state": "dismissed"})
    for change in changes:
        with pytest.raises(Error), transaction.atomic():
            Gap.objects.filter(pk=gap.pk).update(**change)
    with pytest.raises(Error), transaction.atomic():
        gap.delete()


def test_another_team_may_look_for_the_answer_and_the_time_stays() -> None:
    city, other = a_city(), a_city()
    a_team(city)
    gap = services.report_gap(city, "Where?", by=writer(city))
    moved = services.reassign_gap(gap, a_team(city, "water"), by=writer(city))
    assert (moved.team.code, moved.due_at) == ("water", gap.due_at)
    with pytest.raises(NotFound):
        services.reassign_gap(gap, a_team(other, "water"), by=writer(city))


def test_who_may_not_and_who_is_elsewhere_is_refused() -> None:
    city, other = a_city(), a_city()
    a_team(city)
    gap = services.report_gap(city, "Where?", by=writer(city))
    with pytest.raises(Forbidden):
        services.report_gap(city, "When?", by=actor_of(city, Role.AUDITOR))
    with pytest.raises(NotFound):
        services.ask_again(gap, by=writer(other))
    with pytest.raises(NotFound):
        services.report_gap(city, "When?", by=writer(other))
    with pytest.raises(Invalid):
        services.report_gap(city, "When?", language="xx", by=writer(city))


def test_a_city_without_teams_says_what_is_missing() -> None:
    with pytest.raises(Conflict, match="no team yet"):
        services.report_gap(city := a_city(), "Where?", by=writer(city))


def test_the_list_takes_one_statement_however_long_it_is() -> None:
    city = a_city()
    a_team(city)
    by = writer(city)
    numbers = iter(range(99))

    def more() -> None:
        for _ in range(5):
            services.report_gap(city, f"Question {next(numbers)}", by=by)

    more()
    assert same_number_of_queries(lambda: [gap.team.code for gap in open_gaps(city.pk)], more) == 1
