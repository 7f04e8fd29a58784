"""Questions: each can be asked and answered, in an order that makes sense, safety first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from loop311.catalog.checks.finding import Finding, error, warning
from loop311.catalog.checks.situations import TooMany, answer_sets, can_hold
from loop311.catalog.conditions import holds
from loop311.catalog.definitions import Condition, Datatype, Question, Service

_LISTS = (Datatype.SINGLEVALUELIST, Datatype.MULTIVALUELIST)
LONGEST_ANSWER = 10_000


def check_questions(service: Service) -> Iterator[Finding]:
    path = f"services.{service.code}.questions"
    yield from _safety(path, service)
    earlier: dict[str, Question] = {}
    broken = False
    for question in service.questions:
        here = f"{path}.{question.code}"
        yield from _question(here, question)
        wrong = list(_order(here, question, earlier, service)) or list(check_conditions(here, question.when, earlier))
        broken = broken or bool(wrong)
        yield from wrong
        earlier[question.code] = question
    if not broken:
        yield from _unreachable(path, service)


def check_conditions(path: str, conditions: Sequence[Condition], known: Mapping[str, Question]) -> Iterator[Finding]:
    """Each condition by itself: it looks at a question of the service, for an answer that this question can have."""
    for number, condition in enumerate(conditions, start=1):
        here = f"{path}.when[{number}]"
        question = known.get(condition.question)
        if question is None:
            yield error(here, f"There is no question {condition.question!r}.")
        elif condition == Condition(question=condition.question):
            yield error(here, "This condition tests nothing: say equals, any_of, at_least, at_most or answered.")
        else:
            yield from _impossible(here, condition, question)


def _impossible(path: str, condition: Condition, question: Question) -> Iterator[Finding]:
    """At most one reason why this can never hold."""
    wanted = [*condition.any_of, *([] if condition.equals is None else [condition.equals])]
    codes = {choice.code for choice in question.choices}
    bounded = condition.at_least is not None or condition.at_most is not None
    lost = [one for one in wanted if not _fits(one, question, codes)]
    if lost and question.datatype in _LISTS:
        yield error(path, f"Question {question.code!r} has no choice {lost[0]!r}.")
    elif lost:
        yield error(path, f"Question {question.code!r} is answered with a {question.datatype}, never with this.")
    elif bounded and question.datatype is not Datatype.NUMBER:
        yield error(path, f"Question {question.code!r} is not a number, so at_least and at_most never hold.")
    elif condition.answered is False and (wanted or bounded):
        yield error(path, "No answer can be absent and something else too: give answered alone.")
    elif not can_hold([condition], {question.code: question}):
        yield error(path, f"No answer to question {question.code!r} fulfils this.")


def _fits(wanted: str | int | float | bool, question: Question, codes: Collection[str]) -> bool:
    if question.datatype in _LISTS:
        return wanted in codes
    if question.datatype is Datatype.BOOLEAN:
        return isinstance(wanted, bool)
    if question.datatype is Datatype.NUMBER:
        return isinstance(wanted, int | float) and not isinstance(wanted, bool)
    return isinstance(wanted, str)


def _order(path: str, question: Question, earlier: Mapping[str, Question], service: Service) -> Iterator[Finding]:
    later = {other.code for other in service.questions} - set(earlier)
    for number, condition in enumerate(question.when, start=1):
        if condition.question in later:
            sentence = f"{condition.question!r} is not asked before this question, so this can never be asked."
            yield error(f"{path}.when[{number}]", sentence)


def _unreachable(path: str, service: Service) -> Iterator[Finding]:
    questions = {question.code: question for question in service.questions}
    conditional = [question for question in service.questions if question.when]
    if not conditional:
        return
    try:
        sets = answer_sets(service)
    except TooMany:
        lost = [question for question in conditional if not can_hold(question.when, questions)]
    else:
        lost = [q for q in conditional if not any(holds(q.when, answers) for answers in sets)]
    for question in lost:
        yield error(f"{path}.{question.code}", "This can never be asked: no answers before it fulfil its conditions.")


def _safety(path: str, service: Service) -> Iterator[Finding]:
    for position, question in enumerate(service.questions):
        here = f"{path}.{question.code}"
        if not question.safety:
            if any(choice.emergency for choice in question.choices):
                yield error(here, "A choice says that somebody is in danger: make this the safety question.")
            continue
        if any(other.safety for other in service.questions[:position]):
            yield error(here, "This is a second safety question: a service has one.")
        elif position:
            yield error(here, "The safety question must be the first.")
        if not question.required:
            yield error(here, "The safety question must be required.")
        if not any(choice.emergency for choice in question.choices):
            yield warning(here, "No answer to this safety question is an emergency.")


def _question(path: str, question: Question) -> Iterator[Finding]:
    if question.datatype in _LISTS and not question.choices:
        yield error(path, "This question has no choices to answer with.")
    if question.datatype not in _LISTS and question.choices:
        yield error(path, f"A {question.datatype} question has no choices.")
    for choice in question.choices:
        if choice.emergency and not choice.advice:
            yield error(f"{path}.choices.{choice.code}", "Say what to do now (advice) when this is an emergency.")
    if not 1 <= question.max_length <= LONGEST_ANSWER:
        yield error(f"{path}.max_length", f"An answer may have 1 to {LONGEST_ANSWER} characters.")
    yield from _bounds(path, question)


def _bounds(path: str, question: Question) -> Iterator[Finding]:
    low, high = question.minimum, question.maximum
    if question.datatype is not Datatype.NUMBER and (low is not None or high is not None):
        yield error(path, "Only a number has a minimum and a maximum.")
    elif low is not None and high is not None and low > high:
        yield error(path, f"No number is at least {low:g} and at most {high:g}.")
