"""The catalogue as Open311 tells it: services, and their questions as attributes."""

from __future__ import annotations

from collections.abc import Sequence

from loop311.catalog.conditions import validate_answers, visible_questions
from loop311.catalog.definitions import Answers, Condition, Datatype, Publicity, Question, Service
from loop311.catalog.index import CatalogueIndex, text_in
from loop311.georeport.model import Attribute, AttributeValue, ServiceDefinition, ServiceItem
from loop311.kit.problems import NotFound

_YES_NO = {"en": (("true", "Yes"), ("false", "No")), "es": (("true", "Sí"), ("false", "No"))}


def offered(index: CatalogueIndex) -> list[Service]:
    """What anybody may ask for over this door, in the catalogue's order."""
    return [service for service in index.catalogue.services if is_offered(service)]


def is_offered(service: Service) -> bool:
    return not service.historical and service.publicity is not Publicity.HIDDEN


def service_of(index: CatalogueIndex, code: str) -> Service:
    """Raises NotFound, also for a hidden one."""
    found = index.services.get(code)
    if found is None or not is_offered(found):
        raise NotFound(f"There is no service_code {code[:80]!r}.")
    return found


def item(index: CatalogueIndex, service: Service, language: str) -> ServiceItem:
    words = service.keywords.get(language) or service.keywords.get(index.languages[0]) or ()
    return ServiceItem(
        service_code=service.code,
        service_name=index.text(service.names, language),
        description=index.text(service.descriptions, language) or None,
        metadata=bool(service.questions),
        type=service.open311.value,
        keywords=",".join(word.replace(",", " ") for word in words) or None,
        group=index.text(index.groups[service.group].names, language),
    )


def definition(index: CatalogueIndex, service: Service, language: str) -> ServiceDefinition:
    attributes = [_attribute(index, service, each, order, language) for order, each in enumerate(service.questions, 1)]
    return ServiceDefinition(service_code=service.code, attributes=tuple(attributes))


def _attribute(index: CatalogueIndex, service: Service, question: Question, order: int, language: str) -> Attribute:
    """One that is asked only after some answers cannot be required here: the format knows no conditions; its help says so."""
    is_boolean = question.datatype is Datatype.BOOLEAN
    choices = [AttributeValue(key=c.code, name=index.text(c.texts, language)) for c in question.choices]
    if is_boolean:
        choices = [AttributeValue(key=k, name=n) for k, n in _YES_NO.get(language.split("-")[0], _YES_NO["en"])]
    return Attribute(
        variable=True,
        code=question.code,
        datatype=Datatype.SINGLEVALUELIST.value if is_boolean else question.datatype.value,
        required=question.required and not question.when,
        datatype_description=" ".join(
            filter(None, (index.text(question.help, language), _only_if(index, service, question, language)))
        )
        or None,
        order=order,
        description=index.text(question.texts, language),
        values=tuple(choices),
    )


_ONLY_IF = {"en": "Only if “{question}” is: {answers}.", "es": "Solo si «{question}» es: {answers}."}


def _only_if(index: CatalogueIndex, service: Service, question: Question, language: str) -> str:
    """On which choices it follows, for whoever reads the form; other conditions are not put into words."""
    pattern = _ONLY_IF.get(language.split("-")[0], _ONLY_IF["en"])
    asked = {each.code: each for each in service.questions}
    return " ".join(
        pattern.format(question=index.text(asked[each.question].texts, language), answers=chosen)
        for each in question.when
        if (chosen := _chosen(index, asked[each.question], each, language))
    )


def _chosen(index: CatalogueIndex, asked: Question, condition: Condition, language: str) -> str:
    values = (condition.equals, *condition.any_of)
    wanted = [str(each).lower() if isinstance(each, bool) else str(each) for each in values if each is not None]
    names = dict(_YES_NO.get(language.split("-")[0], _YES_NO["en"])) if asked.datatype is Datatype.BOOLEAN else {}
    names |= {choice.code: index.text(choice.texts, language) for choice in asked.choices}
    return ", ".join(names[each] for each in wanted if each in names)


def unanswered(service: Service, given: Answers, languages: Sequence[str]) -> list[str]:
    """Required questions, in words, that follow from these answers and have none."""
    asked = visible_questions(service, given)
    return [text_in(each.texts, languages) for each in asked if each.required and given.get(each.code) is None]


def answers(
    service: Service, given: dict[str, list[str]], languages: Sequence[str]
) -> tuple[dict[str, object], dict[str, list[str]]]:
    """The attributes as answers, and what the service does not ask for: at all, or not with the other answers.

    The format knows no conditions, so an app shows every question, and what it sends for those that are not asked is no fault.
    """
    questions = {question.code: question for question in service.questions}
    known = {code: _answer(questions[code], values) for code, values in given.items() if code in questions}
    others = {code: values for code, values in given.items() if code not in questions}
    unasked = _unasked(service, known, languages)
    others |= {code: given[code] for code in known if code in unasked}
    return {code: answer for code, answer in known.items() if code not in unasked}, others


def _unasked(service: Service, known: dict[str, object], languages: Sequence[str]) -> set[str]:
    """Judged one after the other, as they are asked: what is not asked decides nothing."""
    taken = dict(known)
    while True:
        good, _ = validate_answers(service, taken, languages)
        asked = {question.code for question in visible_questions(service, good)}
        beyond = next(
            (code for code in (q.code for q in service.questions) if code in taken and code not in asked), None
        )
        if beyond is None:
            return set(known) - set(taken)
        del taken[beyond]


def _answer(question: Question, values: list[str]) -> object:
    """Keys match in any case."""
    codes = {choice.code.lower(): choice.code for choice in question.choices}
    chosen = [codes.get(value.lower(), value) for value in values]
    if question.datatype is Datatype.MULTIVALUELIST:
        return chosen
    if question.datatype is Datatype.BOOLEAN:
        return {"true": True, "false": False}.get(chosen[-1].lower(), chosen[-1])
    return chosen[-1]
