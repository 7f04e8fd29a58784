"""Which questions are asked, and which answers are good ones."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.catalog.conditions import holds, validate_answers, visible_questions
from loop311.catalog.definitions import Answer, Answers, Choice, Condition, Datatype, Question, Service
from loop311.catalog.testing import both, small_catalogue

POTHOLE = small_catalogue().services[0]
CHOICES = tuple(Choice(code=code, texts=both(code)) for code in ("red", "green", "blue"))


def asking(datatype: Datatype, **more: object) -> Service:
    question = msgspec.structs.replace(Question(code="q", datatype=datatype, texts=both("What?", "¿Qué?")), **more)
    return msgspec.structs.replace(POTHOLE, questions=(question,))


def answered(service: Service, given: object) -> object:
    """The normalised answer, or the sentence that says what to mend."""
    answers, problems = validate_answers(service, {"q": given}, ("en",))
    return problems[0].detail if problems else answers.get("q")


@pytest.mark.parametrize(
    ("condition", "answer", "expected"),
    [
        (Condition(question="q", equals="a"), "a", True),
        (Condition(question="q", equals="a"), "b", False),
        (Condition(question="q", equals="a"), None, False),
        (Condition(question="q", equals="a"), ["b", "a"], True),
        (Condition(question="q", equals=True), True, True),
        (Condition(question="q", equals=True), 1, False),
        (Condition(question="q", equals=1), True, False),
        (Condition(question="q", equals=2), 2.0, True),
        (Condition(question="q", any_of=("a", "b")), "b", True),
        (Condition(question="q", any_of=("a", "b")), ["c"], False),
        (Condition(question="q", any_of=("a", "b")), ["c", "b"], True),
        (Condition(question="q", at_least=3), 3, True),
        (Condition(question="q", at_least=3), 2.9, False),
        (Condition(question="q", at_most=3), 3.1, False),
        (Condition(question="q", at_least=0), "5", False),
        (Condition(question="q", at_least=0), True, False),
        (Condition(question="q", at_least=1, at_most=2, equals=2), 2, True),
        (Condition(question="q", answered=True), "x", True),
        (Condition(question="q", answered=True), "", False),
        (Condition(question="q", answered=True), [], False),
        (Condition(question="q", answered=True), False, True),
        (Condition(question="q", answered=False), None, True),
        (Condition(question="q", answered=False), 0, False),
    ],
)
def test_a_condition_holds_as_written(condition: Condition, answer: Answer, expected: bool) -> None:
    assert holds((condition,), {"q": answer}) is expected


def test_all_conditions_must_hold_and_none_always_holds() -> None:
    both_of = (Condition(question="a", equals="x"), Condition(question="b", equals="y"))
    assert holds((), {})
    assert holds(both_of, {"a": "x", "b": "y"})
    assert not holds(both_of, {"a": "x"})


def test_a_question_is_asked_when_its_conditions_hold() -> None:
    assert [q.code for q in visible_questions(POTHOLE, {})] == ["size"]
    assert [q.code for q in visible_questions(POTHOLE, {"size": "large"})] == ["size", "depth"]


def test_an_answer_that_was_not_asked_for_opens_no_further_question() -> None:
    third = Question(
        code="third", datatype=Datatype.TEXT, texts=both("x"), when=(Condition(question="depth", at_least=1),)
    )
    service = msgspec.structs.replace(POTHOLE, questions=(*POTHOLE.questions, third))
    assert [q.code for q in visible_questions(service, {"size": "small", "depth": 5})] == ["size"]


@pytest.mark.parametrize(
    ("datatype", "given", "kept"),
    [
        (Datatype.STRING, "  Elm St ", "Elm St"),
        (Datatype.TEXT, "a\nb", "a\nb"),
        (Datatype.STRING, "ñ 🐕", "ñ 🐕"),
        (Datatype.STRING, "   ", None),
        (Datatype.NUMBER, 3, 3),
        (Datatype.NUMBER, 3.0, 3),
        (Datatype.NUMBER, "3.5", 3.5),
        (Datatype.NUMBER, "-7", -7),
        (Datatype.NUMBER, 0, 0),
        (Datatype.DATETIME, "2026-07-04", "2026-07-04"),
        (Datatype.DATETIME, "2026-07-04T14:30", "2026-07-04T14:30:00"),
        (Datatype.DATETIME, "2026-07-04T14:30:00Z", "2026-07-04T14:30:00+00:00"),
        (Datatype.BOOLEAN, False, False),
        (Datatype.BOOLEAN, "true", True),
        (Datatype.SINGLEVALUELIST, "red", "red"),
        (Datatype.MULTIVALUELIST, ["blue", "red", "blue"], ["red", "blue"]),
        (Datatype.MULTIVALUELIST, "green", ["green"]),
        (Datatype.MULTIVALUELIST, [], None),
        (Datatype.STRING, None, None),
    ],
)
def test_a_good_answer_is_kept_in_one_spelling(datatype: Datatype, given: object, kept: Answer) -> None:
    choices = CHOICES if "list" in datatype else ()
    value = answered(asking(datatype, choices=choices), given)
    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    ("datatype", "given", "says"),
    [
        (Datatype.STRING, 5, "text"),
        (Datatype.STRING, ["a"], "text"),
        (Datatype.STRING, "x" * 21, "at most 20 characters, not 21"),
        (Datatype.STRING, "a\0b", "not text"),
        (Datatype.TEXT, "\ud800", "not text"),
        (Datatype.NUMBER, "five", "a number"),
        (Datatype.NUMBER, "1_000", "a number"),
        (Datatype.NUMBER, "٣", "a number"),
        (Datatype.NUMBER, "+-5", "a number"),
        (Datatype.NUMBER, True, "a number"),
        (Datatype.NUMBER, {}, "a number"),
        (Datatype.NUMBER, float("nan"), "can keep"),
        (Datatype.NUMBER, float("inf"), "can keep"),
        (Datatype.NUMBER, 10**400, "can keep"),
        (Datatype.DATETIME, "tomorrow", "2026-07-04"),
        (Datatype.DATETIME, "2026-02-30", "2026-07-04"),
        (Datatype.DATETIME, 20260704, "2026-07-04"),
        (Datatype.BOOLEAN, 1, "true or false"),
        (Datatype.BOOLEAN, "yes", "true or false"),
        (Datatype.SINGLEVALUELIST, "pink", "one of red, green, blue"),
        (Datatype.SINGLEVALUELIST, ["red"], "one of"),
        (Datatype.MULTIVALUELIST, ["red", "pink"], "choose from"),
        (Datatype.MULTIVALUELIST, [["red"]], "choose from"),
        (Datatype.MULTIVALUELIST, 7, "choose from"),
    ],
)
def test_a_bad_answer_is_told_in_one_sentence(datatype: Datatype, given: object, says: str) -> None:
    choices = CHOICES if "list" in datatype else ()
    sentence = answered(asking(datatype, choices=choices, max_length=20), given)
    assert isinstance(sentence, str)
    assert sentence.startswith("What?: ")
    assert says in sentence


def test_a_number_keeps_within_its_bounds() -> None:
    service = asking(Datatype.NUMBER, minimum=0.0, maximum=10.0)
    assert answered(service, 10) == 10
    assert "0 or more" in str(answered(service, -1))
    assert "10 or less" in str(answered(service, 10.5))


def test_a_required_question_must_be_answered_only_when_it_is_asked() -> None:
    depth = msgspec.structs.replace(POTHOLE.questions[1], required=True)
    service = msgspec.structs.replace(POTHOLE, questions=(POTHOLE.questions[0], depth))
    assert validate_answers(service, {"size": "small"}, ("en",)) == ({"size": "small"}, [])
    _, problems = validate_answers(service, {"size": "large"}, ("en",))
    assert [problem.field for problem in problems] == ["answers.depth"]
    _, problems = validate_answers(service, {}, ("en",))
    assert [problem.field for problem in problems] == ["answers.size"]


def test_an_answer_to_a_question_that_is_not_asked_is_refused() -> None:
    answers, problems = validate_answers(POTHOLE, {"size": "small", "depth": 3}, ("en",))
    assert answers == {"size": "small"}
    assert [problem.field for problem in problems] == ["answers.depth"]
    assert "not asked" in problems[0].detail


def test_an_empty_answer_to_a_question_that_is_not_asked_is_no_answer() -> None:
    assert validate_answers(POTHOLE, {"size": "small", "depth": ""}, ("en",)) == ({"size": "small"}, [])


def test_an_unknown_question_is_named_safely() -> None:
    _, problems = validate_answers(POTHOLE, {"size": "small", "x\0\ud800" + "y" * 500: 1}, ("en",))
    assert [problem.detail for problem in problems] == ["This service has no such question."]
    assert len(problems[0].field) < 120
    problems[0].field.encode()
    assert "\0" not in problems[0].field


def test_a_question_is_named_in_the_residents_language() -> None:
    _, problems = validate_answers(asking(Datatype.NUMBER), {"q": "x"}, ("es", "en"))
    assert problems[0].detail.startswith("¿Qué?")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(
    answers=st.dictionaries(st.sampled_from(["size", "depth", "danger", "look", "q", "other"]), json_values),
    datatype=st.sampled_from(Datatype),
)
def test_whatever_is_sent_is_kept_as_it_may_be_or_refused(answers: dict[str, object], datatype: Datatype) -> None:
    for service in (*small_catalogue().services, asking(datatype, choices=CHOICES)):
        good, problems = validate_answers(service, answers, ("en",))
        again: Answers = good
        if not problems:
            assert validate_answers(service, dict(good), ("en",)) == (good, [])
        assert set(again) <= {question.code for question in visible_questions(service, good)}
