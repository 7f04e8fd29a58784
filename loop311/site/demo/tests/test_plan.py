"""The plan of demand, people and stories: the same seed the same plan, and a plausible one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from loop311.accounts.policies import Role
from loop311.catalog.conditions import validate_answers
from loop311.catalog.files import STARTER, read
from loop311.catalog.index import CatalogueIndex
from loop311.site.demo import demand, people, stories
from loop311.site.demo.answers import answers
from loop311.site.demo.stories import Act
from loop311.site.demo.streets import plan_town

ZONE = ZoneInfo("America/Los_Angeles")
UNTIL = datetime(2026, 6, 1, 7, tzinfo=UTC)
FILED = datetime(2026, 3, 3, 17, tzinfo=UTC)


@cache
def starter() -> CatalogueIndex:
    return CatalogueIndex.of(read(STARTER).catalogue)


@cache
def a_year() -> list[demand.Ask]:
    return demand.asks(7, [*starter().services], count=20_000, until=UNTIL, days=365, zone=ZONE)


def facts(code: str, *, round_: int = 1, in_storm: bool = False) -> stories.Facts:
    index = starter()
    service = index.services[code]
    policy = index.promise_of(service)
    assert policy is not None
    return stories.Facts(
        begins_at=FILED,
        due_at=FILED + timedelta(days=3),
        service=service,
        policy=policy,
        rule=index.completion_rules[service.completion],
        outcomes=index.outcomes_of(service),
        outside=False,
        reachable=True,
        in_storm=in_storm,
        round=round_,
        zone=ZONE,
    )


def test_every_weight_and_season_names_a_service_of_the_starter() -> None:
    named = {*demand.WEIGHTS, *demand.SEASONS, *demand.STORM}
    assert named <= set(starter().services)


def test_the_same_seed_gives_the_same_asks() -> None:
    codes = [*starter().services]
    first = demand.asks(7, codes, count=500, until=UNTIL, days=60, zone=ZONE)
    assert first == demand.asks(7, codes, count=500, until=UNTIL, days=60, zone=ZONE)
    assert first != demand.asks(8, codes, count=500, until=UNTIL, days=60, zone=ZONE)


def test_asks_come_in_order_all_of_them_within_the_days() -> None:
    year = a_year()
    assert len(year) == 20_000
    assert year == sorted(year, key=lambda ask: ask.at)
    assert UNTIL - timedelta(days=366) < year[0].at
    assert year[-1].at < UNTIL


def test_mornings_of_workdays_are_busy_and_nights_are_quiet() -> None:
    local = [ask.at.astimezone(ZONE) for ask in a_year() if not ask.in_storm]
    hours = Counter(at.hour for at in local)
    days = Counter(at.weekday() for at in local)
    assert hours[9] > 8 * hours[3]
    assert days[0] > 2 * days[6]


def test_weeds_grow_in_summer_and_trees_fall_in_storms() -> None:
    months = Counter(ask.at.astimezone(ZONE).month for ask in a_year() if ask.service == "high_weeds")
    assert months[7] > 3 * months[1]
    storm = [ask.service for ask in a_year() if ask.in_storm]
    calm = [ask.service for ask in a_year() if not ask.in_storm]
    assert storm.count("tree_hazard") / len(storm) > 8 * calm.count("tree_hazard") / len(calm)


def test_people_are_plainly_marked_and_their_addresses_lead_nowhere() -> None:
    everybody = people.neighbors(7, 500, plan_town(7).addresses)
    assert all(n.name.startswith("Demo Resident ") and n.email.endswith("@example.com") for n in everybody)
    phones = [n.phone for n in everybody if n.phone]
    assert len(phones) == len(set(phones)) == 400
    assert all("55501" in phone for phone in phones)
    assert {n.language for n in everybody} == {"en", "es"}


def test_every_role_has_somebody_and_one_of_them_signs_in() -> None:
    staff = people.workers(starter().catalogue)
    assert Counter(w.role for w in staff if w.signs_in) == dict.fromkeys(Role, 1)
    assert len({w.email for w in staff}) == len(staff)
    assert all(w.name.startswith("Demo ") for w in staff)
    manned = {team for w in staff for team in w.teams}
    assert manned == set(starter().teams)


def test_answers_fit_every_service_and_nobody_is_in_danger() -> None:
    rng = Random(3)
    for service in starter().services.values():
        for _ in range(20):
            given = answers(rng, service, FILED, "es")
            good, faults = validate_answers(service, given, ["en"])
            assert faults == [], service.code
            emergencies = {q.code: c.code for q in service.questions for c in q.choices if c.emergency}
            assert all(good.get(code) != choice for code, choice in emergencies.items())


def test_most_stories_are_done_by_the_promise_and_a_storm_makes_them_slower() -> None:
    def late(in_storm: bool) -> float:
        ends = [
            step.at
            for n in range(2000)
            for step in stories.tell(Random(n), facts("pothole", in_storm=in_storm))
            if step.act is Act.RESOLVE
        ]
        return sum(end > FILED + timedelta(days=3) for end in ends) / len(ends)

    assert 0.1 < late(False) < 0.35
    assert late(True) > late(False) + 0.1


def test_every_end_is_proved_before_it_is_reported() -> None:
    for code in starter().services:
        told = facts(code)
        for n in range(50):
            steps = stories.tell(Random(n), told)
            ends = [i for i, step in enumerate(steps) if step.act is Act.RESOLVE]
            for end in ends:
                shown = {step.word for step in steps[:end] if step.act is Act.EVIDENCE}
                assert all(shown & {kind.value for kind in group} for group in told.rule.all_of)


def test_a_second_chance_is_taken_and_not_objected_to_again() -> None:
    for n in range(200):
        acts = [step.act for step in stories.tell(Random(n), facts("pothole", round_=2))]
        assert Act.RESOLVE in acts
        assert Act.DISPUTE not in acts
