"""What is typed about a resident: one small form for somebody new, and one for each thing that can be changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from loop311.desk.access import Desk
from loop311.desk.filing import LANGUAGES
from loop311.desk.forms import StyledForm
from loop311.desk.people.words import POINT_KINDS, PURPOSES, ZONES, zone_name
from loop311.kit.problems import FieldProblem, Invalid
from loop311.residents.models import Resident
from loop311.residents.policies import Kind, PointKind
from loop311.residents.services import PointInput


def languages(desk: Desk, present: str = "") -> list[tuple[str, Any]]:
    """The city's, and the one that is written down already."""
    codes = dict.fromkeys([*desk.city.languages, *([present] if present else [])])
    return [(code, LANGUAGES.get(code, code)) for code in codes]


class _AboutForm(StyledForm):
    name = forms.CharField(label=_("Name"), required=False, max_length=200)
    language = forms.ChoiceField(label=_("Language"))
    address = forms.CharField(label=_("Address"), required=False, max_length=300)

    def __init__(self, desk: Desk, *args: Any, present: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose("language", languages(desk, present))

    def choose(self, name: str, choices: Sequence[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices


class NewForm(_AboutForm):
    """Somebody new: a name or a way to reach them is enough."""

    field_order = ("name", "phone", "email", "language", "address", "is_organisation", "anyway")
    phone = forms.CharField(label=_("Mobile phone"), required=False, max_length=40)
    email = forms.CharField(label=_("E-mail"), required=False, max_length=254)
    is_organisation = forms.BooleanField(label=_("An organisation"), required=False)
    anyway = forms.BooleanField(label=_("None of them: write down somebody new"), required=False)

    def points(self) -> list[PointInput]:
        given = (("mobile", "phone"), ("email", "email"))
        typed = {field: self.cleaned_data[field] for _kind, field in given}
        return [PointInput(kind, typed[field]) for kind, field in given if typed[field]]

    def kind(self) -> str:
        return Kind.ORGANISATION if self.cleaned_data["is_organisation"] else Kind.PERSON


class EditForm(_AboutForm):
    field_order = ("name", "language", "time_zone", "address", "note", "version")
    time_zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("Call-backs are promised by the resident's clock."), required=False
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=10_000, widget=forms.Textarea)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    @classmethod
    def of(cls, desk: Desk, person: Resident, data: Any = None) -> EditForm:
        present = {
            name: getattr(person, name) for name in ("name", "language", "time_zone", "address", "note", "version")
        }
        form = cls(desk, data, initial=present, present=person.language)
        zones = dict.fromkeys([*ZONES, *([person.time_zone] if person.time_zone else [])])
        own = _("The city's: {zone}").format(zone=zone_name(desk.city.time_zone))
        form.choose(
            "time_zone", [("", own), *((zone, zone_name(zone)) for zone in zones if zone != desk.city.time_zone)]
        )
        return form


class PointForm(StyledForm):
    kind = forms.ChoiceField(label=_("Kind"), choices=[(kind.value, name) for kind, name in POINT_KINDS.items()])
    address = forms.CharField(label=_("Number or address"), max_length=254)

    def point(self) -> PointInput:
        return PointInput(PointKind(self.cleaned_data["kind"]), self.cleaned_data["address"])


class ConsentForm(StyledForm):
    purpose = forms.ChoiceField(label=_("To what"), choices=list(PURPOSES.items()))
    given = forms.ChoiceField(
        label=_("What the resident said"), choices=[("yes", _("Yes")), ("no", _("No"))], widget=forms.RadioSelect
    )


class MergeForm(StyledForm):
    reason = forms.CharField(label=_("Why they are one"), required=False, max_length=200)
    kept_version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)
    gone_version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    @property
    def versions(self) -> tuple[int, int]:
        return self.cleaned_data["kept_version"], self.cleaned_data["gone_version"]


def at_fields(problem: Invalid) -> Invalid:
    """The room's names of fields as these forms have them: 'contact_points.0.address' -> 'address' (or phone, e-mail)."""
    fields = [FieldProblem(_here(fault.field), fault.detail) for fault in problem.fields]
    return Invalid(problem.detail, fields=fields)


def _here(field: str) -> str:
    return field.rpartition(".")[2] if field.startswith("contact_points") else field
