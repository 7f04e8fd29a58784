"""Which questions are asked, and whether an answer is one. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

from loop311.catalog.definitions import Answer, Answers, Condition, Datatype, Question, Service
from loop311.catalog.index import text_in
from loop311.kit.problems import FieldProblem

LARGEST_NUMBER = 1e15
"""Beyond this a number no longer fits exactly into what databases and browsers count with."""

_UNANSWERED = "this must be answered"
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?")


def holds(conditions: Iterable[Condition], answers: Mapping[str, Answer]) -> bool:
    """Whether every condition is true of the answers; no condition at all is true."""
    return all(_holds(condition, answers.get(condition.question)) for condition in conditions)


def visible_questions(service: Service, answers: Mapping[str, Answer]) -> list[Question]:
    """The questions asked, given these answers, in order. An answer to a question that is not asked counts for nothing."""
    asked: list[Question] = []
    counted: dict[str, Answer] = {}
    for question in service.questions:
        if holds(question.when, counted):
            asked.append(question)
            counted[question.code] = answers.get(question.code)
    return asked


def validate_answers(
    service: Service, answers: Mapping[str, object], languages: Sequence[str], *, knows_conditions: bool = True
) -> tuple[Answers, list[FieldProblem]]:
    """The answers in one spelling (see `_READERS`), and what must be mended; unanswered questions are left out.

    `languages`: in which to name a question in a sentence, best first. `knows_conditions`: False for a form that cannot say which
    questions follow from which answers; then those that do may stay unanswered.
    """
    good: Answers = {}
    problems = [
        FieldProblem(f"answers.{_shown(code)}", "This service has no such question.")
        for code in answers
        if code not in {question.code for question in service.questions}
    ]
    for question in service.questions:
        value, wrong = _validate(question, answers.get(question.code), good)
        if wrong == _UNANSWERED and question.when and not knows_conditions:
            continue
        if wrong:
            detail = f"{text_in(question.texts, languages) or question.code}: {wrong}."
            problems.append(FieldProblem(f"answers.{question.code}", detail))
        elif value is not None:
            good[question.code] = value
    return good, problems


def same(answer: Answer, wanted: str | int | float | bool) -> bool:
    """Equality that does not take true for 1."""
    return answer == wanted and isinstance(answer, bool) == isinstance(wanted, bool)


def _holds(condition: Condition, answer: Answer) -> bool:
    if not _is_answered(answer):
        return condition.answered is False
    if condition.answered is False:
        return False
    given: tuple[Answer, ...] = tuple(answer) if isinstance(answer, list) else (answer,)
    equals = condition.equals
    if equals is not None and not any(same(one, equals) for one in given):
        return False
    if condition.any_of and not any(one in condition.any_of for one in given):
        return False
    return _within(answer, condition.at_least, condition.at_most)


def _is_answered(answer: object) -> bool:
    return answer is not None and answer != "" and answer != []


def _within(answer: Answer, least: float | None, most: float | None) -> bool:
    if least is None and most is None:
        return True
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        return False
    return (least is None or answer >= least) and (most is None or answer <= most)


def _validate(question: Question, given: object, earlier: Answers) -> tuple[Answer, str]:
    """(normalised value, '') or (None, what is wrong); (None, '') when it is rightly left out."""
    if isinstance(given, str):
        given = given.strip()
    asked = holds(question.when, earlier)
    if not _is_answered(given):
        return None, _UNANSWERED if asked and question.required else ""
    if not asked:
        return None, "this is not asked with the other answers given, leave it out"
    try:
        return _READERS[question.datatype](question, given), ""
    except ValueError as error:
        return None, str(error)


def _text(question: Question, given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("answer with text")
    if len(given) > question.max_length:
        raise ValueError(f"use at most {question.max_length} characters, not {len(given)}")
    if not _is_storable(given):
        raise ValueError("leave out characters that are not text")
    return given


def _is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold it: no NUL, no half of a surrogate pair."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _number(question: Question, given: object) -> int | float:
    number = _parsed_number(given)
    if question.minimum is not None and number < question.minimum:
        raise ValueError(f"give {question.minimum:g} or more")
    if question.maximum is not None and number > question.maximum:
        raise ValueError(f"give {question.maximum:g} or less")
    return number


def _parsed_number(given: object) -> int | float:
    """A whole number as int, any other as float; text is read as forms and Open311 send it."""
    if isinstance(given, str) and _NUMBER.fullmatch(given):
        given = float(given) if "." in given else int(given)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError("answer with a number")
    if not -LARGEST_NUMBER <= given <= LARGEST_NUMBER:  # also refuses NaN
        raise ValueError("this is not a number we can keep")
    return int(given) if isinstance(given, float) and given.is_integer() else given


def _datetime(_question: Question, given: object) -> str:
    """ISO 8601: a date, or a date and time; a time without a zone is the city's own."""
    if not isinstance(given, str) or len(given) > 40:
        raise ValueError("answer with a date or a time such as 2026-07-04T14:30")
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(given).isoformat()
    except ValueError as error:
        raise ValueError("answer with a date or a time such as 2026-07-04T14:30") from error


def _choice(question: Question, given: object) -> str:
    codes = [choice.code for choice in question.choices]
    if not isinstance(given, str) or given not in codes:
        raise ValueError(f"choose one of {', '.join(codes)}")
    return given


def _choices(question: Question, given: object) -> list[str]:
    """Each once, in the order in which they are offered."""
    codes = [choice.code for choice in question.choices]
    chosen = [given] if isinstance(given, str) else given
    if not isinstance(chosen, list) or any(not isinstance(one, str) or one not in codes for one in chosen):
        raise ValueError(f"choose from {', '.join(codes)}")
    return [code for code in codes if code in chosen]


def _boolean(_question: Question, given: object) -> bool:
    if isinstance(given, bool):
        return given
    if given not in ("true", "false"):
        raise ValueError("answer true or false")
    return given == "true"


_READERS: dict[Datatype, Callable[[Question, object], Answer]] = {
    Datatype.STRING: _text,
    Datatype.TEXT: _text,
    Datatype.NUMBER: _number,
    Datatype.DATETIME: _datetime,
    Datatype.SINGLEVALUELIST: _choice,
    Datatype.MULTIVALUELIST: _choices,
    Datatype.BOOLEAN: _boolean,
}


def _shown(code: object) -> str:
    """Somebody else's key, safe to repeat."""
    return str(code)[:80].encode("ascii", "backslashreplace").decode().replace("\0", "\\0")
