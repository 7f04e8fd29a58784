"""The starter catalogue keeps what operations.md asks: honest endings, safety first, two languages, nothing private on a map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain

from loop311.catalog.checks import check
from loop311.catalog.definitions import Catalogue, Definition, EscalationLevel, EvidenceKind, Publicity, Service
from loop311.catalog.files import STARTER, read

PLACEHOLDERS = frozenset(
    [
        "number",
        "service",
        "address",
        "team",
        "department",
        "step",
        "due_on",
        "outcome",
        "outcome_note",
        "reason",
        "owner",
        "owner_says",
        "reference",
        "leading_number",
        "city",
        "link",
        "dispute_until",
        "callback_window",
        "comment",
    ]
)
EVENTS = frozenset(
    f"request.{kind}"
    for kind in [
        "filed",
        "assigned",
        "started",
        "waiting",
        "resumed",
        "handed_over",
        "done",
        "closed",
        "declined",
        "reopened",
        "joined",
        "separated",
        "leader_done",
        "leader_closed",
        "leader_reopened",
        "promise_changed",
        "service_changed",
        "rerouted",
        "commented",
    ]
) | {"callback.promised", "callback.failed", "callback.cancelled"}
NOT_THERE = frozenset({"not_found", "gone_on_arrival", "already_collected", "not_set_out", "blocked_cart"})
NEVER_PUBLIC = frozenset(
    [
        "assisted_collection",
        "animal_bite",
        "animal_cruelty",
        "rental_no_utilities",
        "food_complaint",
        "water_bill",
        "encampment",
    ]
)


@cache
def starter() -> Catalogue:
    return read(STARTER).catalogue


def service(code: str) -> Service:
    found = starter().service(code)
    assert found is not None
    return found


def texts_in(value: object, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every text of a definition that has one, with where it stands."""
    if isinstance(value, Definition):
        for name in value.__struct_fields__:
            yield from texts_in(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from texts_in(item, f"{path}[{number}]")
    elif isinstance(value, dict) and value.keys() & {"en", "es"}:
        yield path, value


def test_the_check_finds_nothing() -> None:
    assert check(starter()) == []


def test_all_services_of_the_list_are_there() -> None:
    assert len(starter().services) == 73  # the list's 72; "other sign: repair or new" is two promises, so two services


def test_every_text_is_in_english_and_spanish_and_they_differ() -> None:
    texts = list(texts_in(starter(), "catalogue"))
    assert len(texts) > 1000
    assert [path for path, text in texts if set(text) != {"en", "es"} or not all(text.values())] == []
    same = {text["en"] for path, text in texts if text["en"] == text["es"]}
    assert same <= {"No", "Animal"}


def test_every_service_has_a_description_and_words_people_use_in_both_languages() -> None:
    assert [s.code for s in starter().services if not s.descriptions] == []
    assert [s.code for s in starter().services if min(len(s.keywords.get(x, ())) for x in ("en", "es")) < 3] == []


def test_the_safety_question_comes_first_and_its_yes_says_to_dial_911() -> None:
    asked = [(s, q) for s in starter().services for q in s.questions if q.safety]
    assert len(asked) >= 20
    for service, question in asked:
        assert service.questions[0] is question, service.code
        assert question.required
        emergencies = [choice for choice in question.choices if choice.emergency]
        assert len(emergencies) == 1
        assert all("911" in text for text in emergencies[0].advice.values()), service.code


def test_whoever_says_it_was_not_there_must_show_a_photo() -> None:
    rules = {rule.code: rule for rule in starter().completion_rules}
    without = [
        s.code
        for s in starter().services
        if NOT_THERE & set(s.outcomes) and (EvidenceKind.PHOTO,) not in rules[s.completion].all_of
    ]
    assert without == []


def test_no_outcome_is_a_mere_word_for_closed() -> None:
    for outcome in starter().outcomes:
        assert len(outcome.texts["en"].split()) >= 3
        assert not re.search(r"\bclosed\b", outcome.code)


def test_every_service_can_be_kept_and_can_be_declined() -> None:
    endings = {outcome.code: outcome.ending for outcome in starter().outcomes}
    for s in starter().services:
        assert {endings[code].value for code in s.outcomes} == {"done", "declined"}, s.code


def test_what_would_identify_a_complainant_or_a_victim_is_never_public() -> None:
    assert [code for code in NEVER_PUBLIC if service(code).publicity is not Publicity.HIDDEN] == []


def test_questions_and_choices_of_conditions_exist_and_stand_earlier() -> None:
    for s in starter().services:
        choices = {q.code: {c.code for c in q.choices} for q in s.questions}
        asked = [[r.when for r in s.routing], [r.when for r in s.priority_rules], [q.when for q in s.questions]]
        for condition in chain.from_iterable(chain.from_iterable(asked)):
            wanted = {*condition.any_of, *([condition.equals] if isinstance(condition.equals, str) else [])}
            assert wanted <= choices[condition.question], (s.code, condition)


def test_every_promise_tells_somebody_before_and_after_it_is_late() -> None:
    for policy in starter().promises:
        levels = [step.level for step in policy.escalations]
        assert levels == [EscalationLevel.AT_RISK, EscalationLevel.LATE, EscalationLevel.LATER], policy.code
        assert all(step.tell for step in policy.escalations)


def test_every_event_has_its_message_with_known_placeholders_only() -> None:
    templates = starter().templates
    assert {t.event for t in templates} == EVENTS
    for template in templates:
        for texts in (template.subject, template.body, template.sms):
            used = {language: set(re.findall(r"\{(\w*)\}", text)) for language, text in texts.items()}
            assert used["en"] == used["es"], template.event
            assert used["en"] <= PLACEHOLDERS


def test_a_pothole_goes_to_whoever_owns_it() -> None:
    routing = service("pothole").routing
    assert [(rule.team, rule.hand_over) for rule in routing[:3]] == [
        ("streets_emergency", None),
        ("roads_liaison", "state_road_office"),
        ("right_of_way", None),
    ]
