"""The fields of the contact screen, as typed so far. The services decide what is right; their sentences stand at the fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from loop311.catalog.definitions import Datatype, Question, Service
from loop311.desk.access import Desk
from loop311.desk.asking import PREFIX, QuestionForm
from loop311.desk.contact.content import Content
from loop311.desk.contact.saying import Said, Tongues
from loop311.desk.filing import LANGUAGES
from loop311.desk.forms import StyledForm
from loop311.interactions.policies import ContactOutcome

OUTCOMES = {
    ContactOutcome.REQUEST: _("Request filed"),
    ContactOutcome.INFORMATION: _("Information given"),
    ContactOutcome.FOLLOW_UP: _("About an existing request"),
    ContactOutcome.CALLBACK: _("Call-back promised"),
    ContactOutcome.TRANSFERRED: _("Handed to 911 or another number"),
    ContactOutcome.ABANDONED: _("Caller gone"),
}


def _line(label: Any, longest: int = 200, **attrs: str) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=longest, widget=forms.TextInput(attrs=attrs))


class ContactForm(StyledForm):
    """Everything that is typed on the screen but the answers."""

    who = _line(_("Phone, e-mail, name, address or number"), autocomplete="off", spellcheck="false")
    name = _line(_("Name"), autocomplete="off")
    phone = _line(_("Mobile phone"), 40, autocomplete="off", inputmode="tel")
    email = _line(_("E-mail"), 254, autocomplete="off", inputmode="email")
    language = forms.ChoiceField(label=_("Language"), required=False)
    on_behalf_of = _line(_("On behalf of"), autocomplete="off")
    anonymous = forms.BooleanField(label=_("Wants to stay anonymous"), required=False)
    want = forms.CharField(label=_("In the caller's words"), required=False, max_length=20_000, widget=forms.Textarea)
    address = _line(_("Address or crossing"), 300, autocomplete="off", spellcheck="false")
    location_note = _line(_("How to find it"), 1000, autocomplete="off")
    day = forms.DateField(label=_("Day"), required=False, widget=forms.TextInput(attrs={"type": "date"}))
    start = forms.TimeField(label=_("From"), required=False, widget=forms.TextInput(attrs={"type": "time"}))
    end = forms.TimeField(label=_("To"), required=False, widget=forms.TextInput(attrs={"type": "time"}))
    reason = _line(_("What about"), 2000)
    topic = forms.ChoiceField(label=_("Topic"), required=False)
    outcome = forms.ChoiceField(label=_("Outcome"), required=False, choices=[("", _("As it is")), *OUTCOMES.items()])

    def __init__(self, desk: Desk, content: Content, topics: Mapping[str, str]) -> None:
        super().__init__(as_sent(content), auto_id="c-%s")
        self._choose("language", [(code, LANGUAGES.get(code, code)) for code in desk.city.languages])
        self._choose("topic", [("", _("As it is")), *topics.items()])
        self.fields["want"].widget.attrs["rows"] = "2"

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices


class Questions(QuestionForm):
    """A service's questions, read aloud in the caller's language with the desk's own words beside."""

    def __init__(self, service: Service, tongues: Tongues, content: Content) -> None:
        self._tongues = tongues
        super().__init__(service, tongues.caller, as_sent(content), auto_id="c-%s")

    def _field(self, question: Question) -> forms.Field:
        field = super()._field(question)
        field.label = beside(self._tongues.both(question.texts, question.code))
        field.help_text = beside(self._tongues.both(question.help))
        if isinstance(field, forms.ChoiceField) and question.choices and not isinstance(field.widget, forms.Select):
            field.choices = [(c.code, beside(self._tongues.both(c.texts, c.code))) for c in question.choices]
        elif isinstance(field, forms.ChoiceField) and question.datatype is Datatype.BOOLEAN:
            field.choices = [(c, beside(self._tongues.phrase(word))) for c, word in (("true", "yes"), ("false", "no"))]
        return field

    @property
    def safety(self) -> list[forms.BoundField]:
        return [self[PREFIX + question.code] for question in self.questions if question.safety]

    @property
    def others(self) -> list[forms.BoundField]:
        return [self[PREFIX + question.code] for question in self.questions if not question.safety]

    @property
    def danger(self) -> bool:
        return any(each.is_emergency for each in self.advice())


def beside(said: Said) -> str | SafeString:
    """Both languages, each marked as what it is, so that it is also spoken rightly by a screen reader."""
    if not said.desk_words:
        return said.words
    pattern = '<span lang="{}">{}</span> <span class="beside" lang="{}">{}</span>'
    return format_html(pattern, said.language, said.words, said.desk_language, said.desk_words)


def as_sent(content: Content) -> QueryDict:
    data = QueryDict(mutable=True)
    for field, values in content.typed.items():
        data.setlist(field, list(values))
    return data
