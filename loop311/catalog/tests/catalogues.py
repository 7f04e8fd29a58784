"""Any catalogue at all, of the right shape: for properties that hold whatever a city writes."""

from __future__ import annotations

from datetime import date, time, timedelta

from hypothesis import strategies as st

from loop311.catalog.definitions import (
    Calendar,
    Catalogue,
    Choice,
    CompletionRule,
    Condition,
    Datatype,
    Department,
    Duration,
    Ending,
    Escalation,
    EscalationLevel,
    EvidenceKind,
    Group,
    Hours,
    Joining,
    Open311Type,
    Outcome,
    OutsideOwner,
    PlaceNeed,
    Priority,
    PriorityRule,
    PromisePolicy,
    Publicity,
    Question,
    RoutingRule,
    Service,
    SpecialDay,
    StopReason,
    Team,
    Tell,
    Template,
    Unit,
)

TRAPS = ("no", "on", "yes", "null", "true", "0123", "08-00", "1e3", "7", "12", "2026-07-04", "y", "off", "inf", "nan")
codes = st.sampled_from(TRAPS) | st.from_regex(r"[a-z0-9][a-z0-9_-]{0,12}", fullmatch=True)
words = st.sampled_from(
    [*TRAPS, "08:00", "1:30:00", "~", "", " ", "#", "a: b", "- x", "{number}", "ñ\n\tß", "'\"", "=", "<<"]
)
words |= st.text(max_size=20)
languages = st.sampled_from(["en", "es", "no", "vi", "zh-Hant"])
texts = st.dictionaries(languages, words, max_size=3)
small = st.integers(0, 1000)
floats = st.floats(allow_nan=False, allow_infinity=False)
lengths = st.timedeltas(timedelta(-5), timedelta(400)) | st.integers(0, 500).map(lambda n: timedelta(minutes=n))


def some(strategy: st.SearchStrategy[object], most: int = 2) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


def coded(strategy: st.SearchStrategy[object], most: int = 3) -> st.SearchStrategy[tuple[object, ...]]:
    """No code twice: a repeated one is refused when files are read."""
    unique = st.lists(strategy, max_size=most, unique_by=lambda one: one.code)  # type: ignore[attr-defined]
    return unique.map(tuple)


conditions = st.builds(
    Condition,
    question=codes,
    equals=maybe(words | st.integers(-(10**15), 10**15) | floats | st.booleans()),
    any_of=some(words),
    at_least=maybe(floats),
    at_most=maybe(floats),
    answered=maybe(st.booleans()),
)
choices = st.builds(Choice, code=codes, texts=texts, advice=texts, emergency=st.booleans())
questions = st.builds(
    Question,
    code=codes,
    datatype=st.sampled_from(Datatype),
    texts=texts,
    help=texts,
    required=st.booleans(),
    safety=st.booleans(),
    choices=some(choices),
    when=some(conditions),
    private=st.booleans(),
    max_length=small,
    minimum=maybe(floats),
    maximum=maybe(floats),
)
areas = st.dictionaries(codes, some(words), max_size=2)
hours = st.builds(Hours, start=st.times(), end=st.sampled_from([time(0), time(17), time(8, 30)]))
calendars = st.builds(
    Calendar,
    code=codes,
    weekdays=st.dictionaries(st.sampled_from(["mon", "tue", "sun"]), some(hours)),
    always=st.booleans(),
    holidays=words,
    special_days=some(st.builds(SpecialDay, on=st.dates(date(1, 1, 1)), hours=some(hours), name=words)),
)
durations = st.builds(Duration, amount=small, unit=st.sampled_from(Unit), calendar=codes)
escalations = st.builds(
    Escalation,
    level=st.sampled_from(EscalationLevel),
    tell=some(st.sampled_from(Tell)),
    before_due=maybe(lengths),
    after_due=maybe(lengths),
)
promises = st.builds(
    PromisePolicy,
    code=codes,
    resolution=durations,
    first_response=maybe(durations),
    step=texts,
    stop_reasons=some(codes),
    escalations=some(escalations),
    urgent_resolution=maybe(durations),
)
routing = st.builds(RoutingRule, team=codes, areas=areas, when=some(conditions), hand_over=maybe(codes))
services = st.builds(
    Service,
    code=codes,
    group=codes,
    department=codes,
    owner=words,
    names=texts,
    descriptions=texts,
    keywords=st.dictionaries(languages, some(words), max_size=2),
    questions=some(questions),
    promise=maybe(codes),
    completion=codes,
    outcomes=some(codes),
    routing=some(routing),
    priority=st.sampled_from(Priority),
    priority_rules=some(
        st.builds(PriorityRule, priority=st.sampled_from(Priority), when=some(conditions), areas=areas), 1
    ),
    joining=st.builds(Joining, radius_metres=st.floats(0, 5000), also=some(codes), days=small),
    publicity=st.sampled_from(Publicity),
    place=st.sampled_from(PlaceNeed),
    open311=st.sampled_from(Open311Type),
    dispute_days=st.integers(0, 365),
    physical=st.booleans(),
    historical=st.booleans(),
)
catalogues = st.builds(
    Catalogue,
    languages=some(languages),
    departments=coded(st.builds(Department, code=codes, names=texts)),
    teams=coded(st.builds(Team, code=codes, department=codes, names=texts, calendar=codes, email=words)),
    calendars=coded(calendars, 2),
    groups=coded(st.builds(Group, code=codes, names=texts), 2),
    promises=coded(promises, 2),
    stop_reasons=coded(st.builds(StopReason, code=codes, texts=texts, longest=maybe(lengths)), 2),
    completion_rules=coded(
        st.builds(CompletionRule, code=codes, all_of=some(some(st.sampled_from(EvidenceKind))), texts=texts), 2
    ),
    outcomes=coded(
        st.builds(Outcome, code=codes, ending=st.sampled_from(Ending), texts=texts, no_proof=st.booleans()), 2
    ),
    outside_owners=coded(st.builds(OutsideOwner, code=codes, names=texts, phone=words, url=words), 2),
    services=coded(services),
    templates=some(st.builds(Template, event=words, subject=texts, body=texts, sms=texts, services=some(codes))),
)
