"""A service's questions as ordinary form fields: what is asked depends on what was answered, page after page, without scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from loop311.catalog.conditions import validate_answers, visible_questions
from loop311.catalog.definitions import Answers, Choice, Datatype, Question, Service
from loop311.desk.forms import StyledForm
from loop311.requests.sentences import say

PREFIX = "q-"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to tell the resident because of an answer."""

    text: str
    is_emergency: bool


def raw_answers(service: Service, data: QueryDict) -> dict[str, object]:
    """What was sent, for the questions of the service only; empty answers are left out."""
    given: dict[str, object] = {}
    for question in service.questions:
        values = [value.strip() for value in data.getlist(PREFIX + question.code) if value.strip()]
        if values:
            given[question.code] = values if question.datatype is Datatype.MULTIVALUELIST else values[0]
    return given


class QuestionForm(StyledForm):
    """The questions asked so far. `asked` are those the person has seen; `is_complete` when no further one follows."""

    def __init__(self, service: Service, language: str, data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.service, self.language = service, language
        self.given = raw_answers(service, data) if data is not None else {}
        self.answers, problems = validate_answers(service, self.given, (language,))
        self.questions = visible_questions(service, self.answers)
        seen = set(data.getlist("asked")) if data is not None else set()
        self.is_complete = data is not None and {q.code for q in self.questions} <= seen
        for question in self.questions:
            self.fields[PREFIX + question.code] = self._field(question)
        self._problems = {fault.field.removeprefix("answers."): fault.detail for fault in problems}

    def _field(self, question: Question) -> forms.Field:
        field = field_of(question, self.language)
        self.dress(field)
        return field

    def clean(self) -> dict[str, Any]:
        """Faults count only for questions that were seen; answers to questions no longer asked are dropped."""
        for question in self.questions:
            detail = self._problems.get(question.code)
            if detail and self.is_complete:
                self.add_error(PREFIX + question.code, detail)
        return self.cleaned_data

    def advice(self) -> list[Advice]:
        return advice(self.service, self.answers, self.language)

    def carried(self) -> list[tuple[str, str]]:
        """The answers as hidden fields of the next page."""
        pairs: list[tuple[str, str]] = []
        for question in self.questions:
            value = self.given.get(question.code, [])
            values = value if isinstance(value, list) else [str(value)]
            pairs += [(PREFIX + question.code, str(each)) for each in values]
        return pairs + [("asked", question.code) for question in self.questions]


def advice(service: Service, answers: Answers, language: str) -> list[Advice]:
    found = []
    for question in service.questions:
        answer = answers.get(question.code)
        chosen: list[object] = [*answer] if isinstance(answer, list) else [answer]
        for choice in question.choices:
            text = say(choice.advice, language)
            if choice.code in chosen and (text or choice.emergency):
                found.append(Advice(text or str(_("This is an emergency: dial 911.")), choice.emergency))
    return found


def field_of(question: Question, language: str) -> forms.Field:
    label = say(question.texts, language, question.code)
    text = say(question.help, language)
    options: dict[str, Any] = {"label": label, "help_text": text, "required": False}
    choices = [(choice.code, _named(choice, language)) for choice in question.choices]
    if question.datatype is Datatype.SINGLEVALUELIST:
        many = len(choices) > 7
        widget: forms.Widget = forms.Select() if many else forms.RadioSelect()
        return forms.ChoiceField(choices=[("", "-"), *choices] if many else choices, widget=widget, **options)
    if question.datatype is Datatype.MULTIVALUELIST:
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **options)
    if question.datatype is Datatype.BOOLEAN:
        return forms.ChoiceField(choices=[("true", _("Yes")), ("false", _("No"))], widget=forms.RadioSelect, **options)
    return forms.CharField(widget=_line(question), **options)


def _line(question: Question) -> forms.Widget:
    if question.datatype is Datatype.TEXT:
        return forms.Textarea()
    if question.datatype is Datatype.NUMBER:
        return forms.TextInput(attrs={"inputmode": "decimal"})
    if question.datatype is Datatype.DATETIME:
        return forms.TextInput(attrs={"type": "datetime-local"})
    return forms.TextInput()


def _named(choice: Choice, language: str) -> str:
    return say(choice.texts, language, choice.code)


def read(service: Service, answers: Mapping[str, object], language: str) -> Sequence[tuple[str, str]]:
    """Question and answer as people read them, in the service's order; codes the service no longer has come last."""
    questions = {question.code: question for question in service.questions}
    ordered = [code for code in questions if code in answers] + [code for code in answers if code not in questions]
    return [(_asked(questions.get(code), code, language), _answered(questions.get(code), answers[code], language))
            for code in ordered]  # fmt: skip


def _asked(question: Question | None, code: str, language: str) -> str:
    return say(question.texts, language, code) if question else code.replace("_", " ")


def _answered(question: Question | None, answer: object, language: str) -> str:
    if isinstance(answer, bool):
        return str(_("Yes") if answer else _("No"))
    names = {choice.code: _named(choice, language) for choice in question.choices} if question else {}
    values = answer if isinstance(answer, list) else [answer]
    return ", ".join(names.get(str(value), str(value)) for value in values)
