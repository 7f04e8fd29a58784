"""Each mistake is found, by its path and in a sentence, and is the only one reported."""

from __future__ import annotations

from datetime import UTC, date, time, timedelta

import msgspec
import pytest

from loop311.catalog.checks import Finding, Level, check, errors
from loop311.catalog.definitions import (
    Calendar,
    Choice,
    CompletionRule,
    Condition,
    Datatype,
    Duration,
    Ending,
    Escalation,
    EscalationLevel,
    EvidenceKind,
    Group,
    Hours,
    Joining,
    Outcome,
    PlaceNeed,
    Priority,
    PriorityRule,
    Question,
    RoutingRule,
    SpecialDay,
    StopReason,
    Tell,
    Template,
    Unit,
)
from loop311.catalog.testing import both, edited, small_catalogue

LARGE = Condition(question="size", equals="large")
SMALL = Condition(question="size", equals="small")
NORTH = RoutingRule(team="streets_north")
OFFICE = "calendars.office"
MORNING = Hours(start=time(8), end=time(12))


def found(path: str, **changes: object) -> list[Finding]:
    return check(edited(small_catalogue(), path, **changes))


def only(findings: list[Finding], path: str, says: str, level: Level = Level.ERROR) -> None:
    assert [(finding.level, finding.path) for finding in findings] == [(level, path)]
    assert says in findings[0].sentence
    assert findings[0].sentence.endswith(".")


def warned(findings: list[Finding], path: str, says: str) -> None:
    only(findings, path, says, Level.WARNING)


def asking(code: str, **more: object) -> Question:
    return msgspec.structs.replace(
        Question(code=code, datatype=Datatype.STRING, texts=both("What?")),
        **more,
    )


def ask(*questions: Question) -> list[Finding]:
    """The findings when the pothole asks these questions, and no rule looks at them."""
    return found("services.pothole", questions=questions, priority_rules=())


def routed(*rules: RoutingRule) -> list[Finding]:
    watching = RoutingRule(team="streets_north", areas={"road_owner": ("state",)}, hand_over="state_road")
    return found("services.pothole", routing=(watching, *rules))


SIZE, DEPTH = small_catalogue().services[0].questions
DANGER = small_catalogue().services[1].questions[0]


def test_a_whole_catalogue_has_no_mistakes() -> None:
    assert check(small_catalogue()) == []


def test_only_errors_stop_a_publication() -> None:
    findings = found("services.pothole", keywords={"en": ("hole",)})
    assert findings
    assert errors(findings) == []


# --- References ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "changes", "where", "noun"),
    [
        ("services.pothole", {"group": "x"}, "services.pothole.group", "group"),
        ("services.pothole", {"department": "x"}, "services.pothole.department", "department"),
        ("services.pothole", {"promise": "x"}, "services.pothole.promise", "promise"),
        ("services.pothole", {"completion": "x"}, "services.pothole.completion", "completion rule"),
        ("services.pothole", {"outcomes": ("repaired", "not_ours", "x")}, "services.pothole.outcomes", "outcome"),
        (
            "services.pothole",
            {"joining": Joining(radius_metres=9, also=("x",))},
            "services.pothole.joining.also",
            "service",
        ),
        ("services.pothole.routing.3", {"team": "x"}, "services.pothole.routing[3].team", "team"),
        ("services.pothole.routing.2", {"hand_over": "x"}, "services.pothole.routing[2].hand_over", "outside owner"),
        ("teams.animal_field", {"department": "x"}, "teams.animal_field.department", "department"),
        ("teams.animal_field", {"calendar": "x"}, "teams.animal_field.calendar", "calendar"),
        (
            "promises.four_hours",
            {"resolution": Duration(amount=4, unit=Unit.HOURS, calendar="x")},
            "promises.four_hours",
            "calendar",
        ),
        ("promises.three_days", {"stop_reasons": ("weather", "x")}, "promises.three_days.stop_reasons", "stop reason"),
        ("templates.1", {"services": ("x",)}, "templates[1].services", "service"),
    ],
)
def test_an_unknown_code_is_found(path: str, changes: dict[str, object], where: str, noun: str) -> None:
    findings = errors(found(path, **changes))
    only(findings, where, f"There is no {noun} 'x'")


@pytest.mark.parametrize(
    "noun",
    [
        "departments",
        "teams",
        "calendars",
        "groups",
        "promises",
        "stop_reasons",
        "completion_rules",
        "outcomes",
        "outside_owners",
        "services",
    ],
)
def test_a_code_that_stands_twice_is_found(noun: str) -> None:
    members = getattr(small_catalogue(), noun)
    findings = found("", **{noun: (*members, members[0])})
    assert (Level.ERROR, noun) in {(f.level, f.path) for f in findings}


def test_a_question_a_choice_an_outcome_and_a_language_stand_once() -> None:
    only(ask(SIZE, SIZE), "services.pothole.questions", "'size' stands here 2 times")
    choices = (*SIZE.choices, SIZE.choices[0])
    where = "services.pothole.questions.size"
    only(found(where, choices=choices), f"{where}.choices", "'small' stands here 2 times")
    twice = ("repaired", "not_ours", "repaired")
    only(found("services.pothole", outcomes=twice), "services.pothole.outcomes", "'repaired' stands here 2 times")
    only(found("", languages=("en", "es", "es")), "languages", "'es' stands here 2 times")


def test_two_templates_for_one_event_are_found() -> None:
    templates = small_catalogue().templates
    only(found("", templates=(*templates, templates[0])), "templates", "request.filed for every service")
    special = msgspec.structs.replace(templates[0], services=("pothole",))
    assert found("", templates=(*templates, special)) == []


# --- Outside owners ------------------------------------------------------------------------------------------------------


def test_an_owner_callers_are_sent_to_has_something_to_tell_them() -> None:
    where = "outside_owners.state_road"
    only(found(where, tell={}), f"{where}.tell", "Nothing says what a caller is told", Level.WARNING)


def test_areas_are_only_for_owners_of_places_outside_the_city() -> None:
    where = "outside_owners.state_road"
    only(found(where, areas={"county": ("north",)}), f"{where}.areas", "add outside_city")
    assert found(where, areas={"county": ("north",)}, outside_city=True) == []
    only(found(where, areas={"county": ()}, outside_city=True), f"{where}.areas.county", "names no area")


def test_nobody_stands_after_the_owner_of_everything_outside() -> None:
    (owner,) = small_catalogue().outside_owners
    everywhere = msgspec.structs.replace(owner, outside_city=True)
    late = msgspec.structs.replace(everywhere, code="late")
    only(found("", outside_owners=(everywhere, late)), "outside_owners.late.outside_city", "An earlier owner")


# --- Texts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("departments.public_works", "names"),
        ("teams.streets_north", "names"),
        ("groups.streets", "names"),
        ("outside_owners.state_road", "names"),
        ("outside_owners.state_road", "tell"),
        ("stop_reasons.weather", "texts"),
        ("promises.three_days", "step"),
        ("completion_rules.statement", "texts"),
        ("outcomes.repaired", "texts"),
        ("services.pothole", "names"),
        ("services.pothole", "descriptions"),
        ("services.pothole.questions.size", "texts"),
        ("services.pothole.questions.size", "help"),
        ("services.pothole.questions.size.choices.small", "texts"),
        ("services.pothole.questions.size.choices.small", "advice"),
    ],
)
def test_a_missing_translation_is_found(path: str, field: str) -> None:
    only(found(path, **{field: {"en": "Only English"}}), f"{path}.{field}", "missing in es")
    only(found(path, **{field: {"en": "English", "es": "  "}}), f"{path}.{field}", "missing in es")


@pytest.mark.parametrize("part", ["subject", "body", "sms"])
def test_a_template_is_there_in_every_language(part: str) -> None:
    only(found("templates.1", **{part: {"en": "Hello"}}), f"templates[1].{part}", "missing in es")


def test_every_declared_language_is_asked_for() -> None:
    findings = found("", languages=("en", "es", "vi"))
    assert len(errors(findings)) > 20
    assert {finding.sentence for finding in errors(findings)} == {"The text is missing in vi."}


def test_an_outcome_without_a_sentence_is_found() -> None:
    only(found("outcomes.repaired", texts={}), "outcomes.repaired.texts", "no sentence")
    only(found("outcomes.repaired", texts={"en": " "}), "outcomes.repaired.texts", "no sentence")


def test_a_text_in_no_declared_language_is_a_warning() -> None:
    texts = {**both("Streets"), "fr": "Rues"}
    warned(found("groups.streets", names=texts), "groups.streets.names", "fr")


def test_missing_keywords_are_a_warning() -> None:
    warned(found("services.pothole", keywords={"es": ("bache",)}), "services.pothole.keywords", "en")


def test_a_catalogue_without_a_language_is_found() -> None:
    assert "languages" in {finding.path for finding in errors(found("", languages=()))}


# --- Routing and priority ------------------------------------------------------------------------------------------------


def test_a_service_that_no_team_receives_is_found() -> None:
    only(found("services.bulk_pickup", routing=()), "services.bulk_pickup.routing", "No team receives")


def test_the_last_rule_has_no_conditions() -> None:
    in_areas = RoutingRule(team="streets_north", areas={"service_area": ("north",)})
    only(found("services.bulk_pickup", routing=(in_areas,)), "services.bulk_pickup.routing[1]", "no team")
    only(routed(RoutingRule(team="streets_north", when=(LARGE,))), "services.pothole.routing[2]", "no team")


def area(*keys: str, when: tuple[Condition, ...] = (), layer: str = "service_area") -> RoutingRule:
    return RoutingRule(team="streets_south", areas={layer: keys}, when=when)


def at_least(depth: float) -> Condition:
    return Condition(question="depth", at_least=depth)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (NORTH, area("south")),
        (NORTH, NORTH),
        (area("south", "east"), area("south")),
        (area("south"), area("south", when=(LARGE,))),
        (RoutingRule(team="streets_south", when=(LARGE,)), area("south", when=(LARGE,))),
        (
            RoutingRule(team="streets_south", when=(Condition(question="size", any_of=("small", "large")),)),
            RoutingRule(team="streets_south", when=(LARGE,)),
        ),
        (
            RoutingRule(team="streets_south", when=(Condition(question="size", answered=True),)),
            RoutingRule(team="streets_south", when=(SMALL,)),
        ),
        (
            RoutingRule(team="streets_south", when=(at_least(3),)),
            RoutingRule(team="streets_south", when=(at_least(4),)),
        ),
        (
            RoutingRule(team="streets_south", when=(at_least(3),)),
            RoutingRule(team="streets_south", when=(Condition(question="depth", equals=7),)),
        ),
    ],
)
def test_a_rule_behind_a_more_general_one_is_found(earlier: RoutingRule, later: RoutingRule) -> None:
    findings = found("services.pothole", routing=(earlier, later, NORTH))
    shadowed = [finding for finding in findings if finding.path == "services.pothole.routing[2]"]
    assert len(shadowed) == 1
    assert "rule 1 takes everything" in shadowed[0].sentence


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (area("south"), area("south", "east")),
        (area("south"), area("south", layer="council_district")),
        (area("south", when=(LARGE,)), area("south")),
        (area("south", when=(LARGE,)), area("south", when=(SMALL,))),
        (
            RoutingRule(team="streets_south", when=(at_least(4),)),
            RoutingRule(team="streets_south", when=(at_least(3),)),
        ),
        (
            RoutingRule(team="streets_south", when=(Condition(question="depth", at_most=4),)),
            RoutingRule(team="streets_south", when=(at_least(4),)),
        ),
        (
            RoutingRule(team="streets_south", when=(at_least(4),)),
            RoutingRule(team="streets_south", when=(Condition(question="depth", answered=False),)),
        ),
    ],
)
def test_a_rule_that_can_fire_is_left_alone(earlier: RoutingRule, later: RoutingRule) -> None:
    assert errors(found("services.pothole", routing=(earlier, later, NORTH))) == []


def test_a_rule_behind_several_that_together_take_everything_is_found() -> None:
    by_size = (RoutingRule(team="streets_south", when=(SMALL,)), RoutingRule(team="streets_north", when=(LARGE,)))
    findings = routed(*by_size, area("south"), NORTH)
    only(findings, "services.pothole.routing[4]", "gets as far")


def test_a_rule_with_conditions_that_exclude_each_other_is_found() -> None:
    never = RoutingRule(team="streets_south", when=(SMALL, LARGE))
    only(routed(never, NORTH), "services.pothole.routing[2]", "together")


def test_a_rule_whose_answers_the_questions_exclude_is_found() -> None:
    """The depth is asked of large ones only."""
    never = RoutingRule(team="streets_south", when=(SMALL, at_least(3)))
    only(routed(never, NORTH), "services.pothole.routing[2]", "gets as far")


def test_a_rule_with_areas_needs_a_place_and_a_key() -> None:
    no_place = found("services.pothole", place=PlaceNeed.NONE, joining=Joining())
    assert [f.path for f in no_place] == [f"services.pothole.routing[{n}].areas" for n in (1, 2)]
    only(routed(area(), NORTH), "services.pothole.routing[2].areas.service_area", "names no area")


def test_a_priority_rule_that_can_never_fire_is_found() -> None:
    rules = (
        PriorityRule(priority=Priority.URGENT, when=(at_least(2),)),
        PriorityRule(priority=Priority.EMERGENCY, when=(at_least(6),)),
    )
    where = "services.pothole.priority_rules[2]"
    only(found("services.pothole", priority_rules=rules), where, "rule 1 takes everything")


def test_a_thousand_rules_are_refused_not_compared() -> None:
    only(routed(*[area(str(n)) for n in range(1000)], NORTH), "services.pothole.routing", "at most")


def multi(*rules: tuple[Condition, ...]) -> list[Finding]:
    letters = tuple(Choice(code=code, texts=both(code)) for code in "abcd")
    several = asking("several", datatype=Datatype.MULTIVALUELIST, choices=letters, required=True)
    routing = tuple(RoutingRule(team="streets_south", when=when) for when in rules)
    return found("services.bulk_pickup", questions=(several,), routing=(*routing, NORTH))


def has(*codes: str) -> Condition:
    return Condition(question="several", any_of=codes)


def test_several_choices_at_once_are_understood() -> None:
    assert multi((has("a"),), (has("b"),), (has("c"), has("d"))) == []
    only(multi((has("a", "b"),), (has("a"),)), "services.bulk_pickup.routing[2]", "rule 1")
    covered = multi((has("a"),), (has("b"),), (has("c", "d"),), (has("a", "b", "c", "d"),))
    only(covered, "services.bulk_pickup.routing[4]", "gets as far")


# --- Questions -----------------------------------------------------------------------------------------------------------


def test_a_question_after_an_unknown_one_is_found() -> None:
    never = asking("never", when=(Condition(question="nothing", equals="x"),))
    only(ask(SIZE, never), "services.pothole.questions.never.when[1]", "There is no question 'nothing'")


def test_a_question_that_looks_at_a_later_one_or_itself_is_found() -> None:
    early = asking("early", when=(LARGE,))
    only(ask(early, SIZE), "services.pothole.questions.early.when[1]", "not asked before")
    itself = asking("itself", when=(Condition(question="itself", answered=True),))
    only(ask(itself), "services.pothole.questions.itself.when[1]", "not asked before")


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        (Condition(question="size", equals="huge"), "no choice 'huge'"),
        (Condition(question="size", any_of=("small", "huge")), "no choice 'huge'"),
        (Condition(question="size", at_least=1), "not a number"),
        (Condition(question="size"), "tests nothing"),
        (Condition(question="flag", equals="yes"), "answered with a boolean"),
        (Condition(question="flag", equals=1), "answered with a boolean"),
        (Condition(question="flag", any_of=("true",)), "answered with a boolean"),
        (Condition(question="deep", equals="6"), "answered with a number"),
        (Condition(question="deep", at_least=121), "No answer"),
        (Condition(question="deep", at_least=6, at_most=5), "No answer"),
        (Condition(question="deep", answered=False, at_least=1), "No answer"),
        (Condition(question="word", equals=True), "answered with a string"),
    ],
)
def test_a_condition_that_no_answer_fulfils_is_found(condition: Condition, says: str) -> None:
    flag = asking("flag", datatype=Datatype.BOOLEAN)
    deep = msgspec.structs.replace(DEPTH, code="deep", when=())
    last = asking("last", when=(condition,))
    only(ask(SIZE, flag, deep, asking("word"), last), "services.pothole.questions.last.when[1]", says)


@pytest.mark.parametrize(
    "when",
    [
        (SMALL, LARGE),
        (SMALL, Condition(question="depth", answered=True)),
        (Condition(question="size", answered=False),),
    ],
)
def test_a_question_whose_conditions_exclude_each_other_is_found(when: tuple[Condition, ...]) -> None:
    """The size is required; the depth is asked of large ones only."""
    only(ask(SIZE, DEPTH, asking("last", when=when)), "services.pothole.questions.last", "never be asked")


def test_conditions_that_can_hold_are_left_alone() -> None:
    last = asking("last", when=(LARGE, Condition(question="depth", answered=False)))
    exact = asking("exact", when=(Condition(question="depth", equals=6),))
    worded = asking("worded", when=(Condition(question="last", any_of=("a", "b")),))
    assert ask(SIZE, DEPTH, last, exact, worded) == []


def test_with_too_many_situations_contradictions_are_still_found() -> None:
    flags = [asking(f"flag{n}", datatype=Datatype.BOOLEAN) for n in range(20)]
    looks = [asking(f"on{n}", when=(Condition(question=f"flag{n}", equals=True),)) for n in range(20)]
    never = asking("never", when=(SMALL, LARGE))
    only(ask(SIZE, *flags, *looks, never), "services.pothole.questions.never", "never be asked")


def test_the_safety_question_is_first_alone_and_required() -> None:
    path = "services.pothole.questions.danger"
    assert ask(DANGER, SIZE) == []
    only(ask(SIZE, DANGER), path, "must be the first")
    only(ask(msgspec.structs.replace(DANGER, required=False)), path, "required")
    second = msgspec.structs.replace(DANGER, code="danger2")
    only(ask(DANGER, second), "services.pothole.questions.danger2", "second safety question")


def test_an_emergency_is_asked_by_the_safety_question_and_says_what_to_do() -> None:
    path = "services.pothole.questions.danger"
    only(ask(msgspec.structs.replace(DANGER, safety=False)), path, "make this the safety question")
    calm = tuple(msgspec.structs.replace(choice, emergency=False) for choice in DANGER.choices)
    warned(ask(msgspec.structs.replace(DANGER, choices=calm)), path, "No answer")
    silent = tuple(msgspec.structs.replace(choice, advice={}) for choice in DANGER.choices)
    only(ask(msgspec.structs.replace(DANGER, choices=silent)), f"{path}.choices.now", "what to do")


@pytest.mark.parametrize(
    ("changes", "where", "says"),
    [
        ({"datatype": Datatype.SINGLEVALUELIST}, "", "no choices to answer"),
        ({"choices": (Choice(code="a", texts=both("A")),)}, "", "has no choices"),
        ({"max_length": 0}, ".max_length", "characters"),
        ({"max_length": 1_000_000}, ".max_length", "characters"),
        ({"minimum": 1.0}, "", "Only a number"),
        ({"datatype": Datatype.NUMBER, "minimum": 2.0, "maximum": 1.0}, "", "at least 2 and at most 1"),
    ],
)
def test_a_question_that_cannot_be_answered_is_found(changes: dict[str, object], where: str, says: str) -> None:
    only(ask(asking("odd", **changes)), f"services.pothole.questions.odd{where}", says)


# --- Time ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "where", "says"),
    [
        ({"weekdays": {}}, ".weekdays", "never open"),
        ({"weekdays": {"mon": (Hours(start=time(9), end=time(8)),)}}, ".weekdays.mon[1]", "end before"),
        (
            {"weekdays": {"mon": (MORNING, Hours(start=time(11), end=time(0)))}},
            ".weekdays.mon[2]",
            "before the ones above",
        ),
        ({"weekdays": {"mon": (Hours(start=time(8, tzinfo=UTC), end=time(9)),)}}, ".weekdays.mon[1]", "zone"),
        ({"holidays": "US-XX"}, ".holidays", "US-XX"),
        ({"holidays": "Texas"}, ".holidays", "Texas"),
        (
            {"special_days": (SpecialDay(on=date(2026, 12, 24)), SpecialDay(on=date(2026, 12, 24)))},
            ".special_days",
            "2026-12-24",
        ),
        (
            {"special_days": (SpecialDay(on=date(2026, 12, 24), hours=(Hours(start=time(9), end=time(9)),)),)},
            ".special_days[1][1]",
            "end before",
        ),
    ],
)
def test_a_calendar_that_cannot_be_is_found(changes: dict[str, object], where: str, says: str) -> None:
    only(found(OFFICE, **changes), f"{OFFICE}{where}", says)


def test_a_day_open_to_midnight_and_an_unending_calendar_are_fine() -> None:
    whole = {"mon": (Hours(start=time(0), end=time(0)),), "tue": (MORNING, Hours(start=time(12), end=time(17)))}
    assert found(OFFICE, weekdays=whole) == []
    assert found(OFFICE, always=True, weekdays={}) == []


def test_the_calendar_always_cannot_be_another() -> None:
    calendar = Calendar(code="always", weekdays={"mon": (MORNING,)})
    findings = found("", calendars=(*small_catalogue().calendars, calendar))
    assert "calendars.always" in {finding.path for finding in errors(findings)}


def lasts(amount: int, unit: Unit = Unit.BUSINESS_DAYS, calendar: str = "office") -> Duration:
    return Duration(amount=amount, unit=unit, calendar=calendar)


@pytest.mark.parametrize(
    ("field", "duration", "says"),
    [
        ("first_response", lasts(0), "the moment"),
        ("first_response", lasts(4), "longer than the resolution"),
        ("urgent_resolution", lasts(4), "longer than the resolution"),
    ],
)
def test_a_promise_that_makes_no_sense_is_found(field: str, duration: Duration, says: str) -> None:
    only(found("promises.three_days", **{field: duration}), f"promises.three_days.{field}", says)


def test_a_calendar_for_calendar_days_is_a_warning() -> None:
    findings = found("promises.three_days", first_response=lasts(3, Unit.CALENDAR_DAYS))
    warned(findings, "promises.three_days.first_response", "leave out the calendar")


AT_RISK, LATE, LATER = small_catalogue().promises[0].escalations


@pytest.mark.parametrize(
    ("escalations", "number", "says"),
    [
        ((msgspec.structs.replace(AT_RISK, before_due=None), LATE), 1, "before_due"),
        ((msgspec.structs.replace(AT_RISK, after_due=timedelta(1)), LATE), 1, "before_due"),
        ((msgspec.structs.replace(LATE, after_due=None),), 1, "after_due"),
        ((msgspec.structs.replace(LATE, after_due=timedelta(-1, 3600)),), 1, "after_due"),
        ((msgspec.structs.replace(LATE, tell=()),), 1, "nobody"),
        ((LATE, msgspec.structs.replace(LATE, after_due=timedelta(1))), 2, "already"),
        ((LATE, msgspec.structs.replace(LATER, after_due=timedelta())), 2, "no later"),
        ((LATER, LATE), 2, "no later"),
    ],
)
def test_an_escalation_that_makes_no_sense_is_found(
    escalations: tuple[Escalation, ...], number: int, says: str
) -> None:
    findings = found("promises.three_days", escalations=escalations)
    assert f"promises.three_days.escalations[{number}]" in {finding.path for finding in errors(findings)}
    assert says in errors(findings)[0].sentence


def test_a_broken_promise_of_which_nobody_hears_is_a_warning() -> None:
    warned(found("promises.three_days", escalations=()), "promises.three_days.escalations", "Nobody is told")
    early = Escalation(level=EscalationLevel.AT_RISK, tell=(Tell.OWNER,), before_due=timedelta(hours=4))
    warned(found("promises.four_hours", escalations=(early, LATE)), "promises.four_hours.escalations[1]", "at risk")


def test_the_holidays_of_the_city_are_known_holidays() -> None:
    assert found("calendars.office", holidays="city") == []


def test_a_clock_that_cannot_stop_for_any_time_is_found() -> None:
    reason = StopReason(code="weather", texts=both("it is dry"), longest=timedelta())
    only(found("", stop_reasons=(reason,)), "stop_reasons.weather.longest", "some time")


def test_only_a_historical_service_goes_without_a_promise() -> None:
    only(found("services.pothole", promise=None), "services.pothole.promise", "needs a promise")
    assert found("services.pothole", promise=None, historical=True) == []


# --- Endings, joining, messages --------------------------------------------------------------------------------------------


def test_a_service_that_can_never_be_done_is_found() -> None:
    only(found("services.bulk_pickup", outcomes=("not_ours",)), "services.bulk_pickup.outcomes", "ends in done")


def test_a_service_that_can_never_be_declined_is_a_warning() -> None:
    warned(found("services.pothole", outcomes=("repaired",)), "services.pothole.outcomes", "never be declined")


def test_an_end_without_proof_is_found() -> None:
    path = "completion_rules.statement"
    only(found(path, all_of=()), f"{path}.all_of", "without proof")
    only(found(path, all_of=((EvidenceKind.PHOTO,), ())), f"{path}.all_of", "never be fulfilled")
    only(found("outcomes.not_ours", no_proof=True), "outcomes.not_ours.no_proof", "done")


def test_the_residents_yes_cannot_be_what_a_request_waits_for_before_the_resident_is_asked() -> None:
    path, yes = "completion_rules.statement", EvidenceKind.RESIDENT_YES
    only(found(path, all_of=((yes,),)), f"{path}.all_of", "could never be done")
    only(found(path, all_of=((EvidenceKind.STATEMENT,), (yes, yes))), f"{path}.all_of", "could never be done")
    warned(found(path, all_of=((EvidenceKind.STATEMENT, yes),)), f"{path}.all_of", "leave it out")


def test_a_service_has_a_named_owner() -> None:
    only(found("services.pothole", owner=" "), "services.pothole.owner", "accountable")


@pytest.mark.parametrize(
    ("joining", "where", "level"),
    [
        (Joining(radius_metres=5, days=0), "days", Level.ERROR),
        (Joining(also=("bulk_pickup",)), "also", Level.WARNING),
        (Joining(radius_metres=5, also=("pothole",)), "also", Level.WARNING),
    ],
)
def test_joining_that_makes_no_sense_is_found(joining: Joining, where: str, level: Level) -> None:
    only(found("services.pothole", joining=joining), f"services.pothole.joining.{where}", "", level)


def test_nothing_is_near_a_service_without_a_place() -> None:
    findings = found("services.bulk_pickup", place=PlaceNeed.NONE, joining=Joining(radius_metres=5))
    only(findings, "services.bulk_pickup.joining.radius_metres", "without a place")


@pytest.mark.parametrize("text", ["Dear {name}", "{number", "number}", "{}", "{number!r}", "{ number }"])
def test_a_placeholder_that_cannot_be_filled_is_found(text: str) -> None:
    findings = found("templates.1", body={"en": text, "es": "{number}"})
    only(findings, "templates[1].body.en", "cannot be filled in")


def test_a_template_for_an_unknown_event_is_found() -> None:
    texts = both("Hello")
    lost = Template(event="weather.changed", subject=texts, body=texts, sms=texts)
    only(found("", templates=(lost,)), "templates[1].event", "weather.changed")


def test_what_nothing_uses_is_a_warning() -> None:
    groups = (*small_catalogue().groups, Group(code="strets", names=both("Streets")))
    warned(found("", groups=groups), "groups.strets", "Nothing uses")
    extra = Outcome(code="gone", ending=Ending.DONE, texts=both("It was gone."))
    warned(found("", outcomes=(*small_catalogue().outcomes, extra)), "outcomes.gone", "Nothing uses")
    rule = CompletionRule(code="meter", all_of=((EvidenceKind.METER,),))
    rules = (*small_catalogue().completion_rules, rule)
    warned(found("", completion_rules=rules), "completion_rules.meter", "Nothing uses")


def test_the_resident_has_a_day_at_least_to_say_no() -> None:
    only(found("services.pothole", dispute_days=0), "services.pothole.dispute_days", "at least one day")
    assert found("services.pothole", dispute_days=1) == []
