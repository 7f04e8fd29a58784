"""What is chosen in a queue, and what is done with the chosen rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from loop311.accounts.models import StaffMember
from loop311.catalog.definitions import Priority
from loop311.desk.access import Desk
from loop311.desk.forms import STATE_NAMES, StyledForm
from loop311.desk.reading import area_choices, service_names
from loop311.requests.policies import WORKABLE

PRIORITY_NAMES = {
    Priority.EMERGENCY: _("Emergency"),
    Priority.URGENT: _("Urgent"),
    Priority.STANDARD: _("Standard"),
    Priority.LOW: _("Low"),
}
_ANY = ("", _("All"))


class QueueForm(StyledForm):
    """The choices; each is one of `reading._NARROW`."""

    due = forms.ChoiceField(label=_("Due"), required=False, choices=[
        _ANY, ("late", _("Late")), ("soon", _("Within a day")), ("today", _("By the end of today")), ("none", _("No date")),
    ])  # fmt: skip
    who = forms.ChoiceField(label=_("Who"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[_ANY, *((s.value, n) for s, n in STATE_NAMES.items() if s in WORKABLE)],
    )
    priority = forms.ChoiceField(
        label=_("Priority"), required=False, choices=[_ANY, *((p.value, n) for p, n in PRIORITY_NAMES.items())]
    )
    service = forms.ChoiceField(label=_("Service"), required=False)
    area = forms.ChoiceField(label=_("Area"), required=False)
    q = forms.CharField(label=_("Number or address"), required=False, max_length=200)
    after = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, desk: Desk, people: Sequence[StaffMember], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(str(member.pk), member.name) for member in people]
        self._choose("who", [_ANY, ("me", _("Me")), ("nobody", _("Nobody yet")), *named])
        self._choose("service", [_ANY, *service_names(desk).items()])
        self._choose("area", [_ANY, *area_choices(desk)])

    def _choose(self, name: str, choices: Sequence[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    @property
    def query(self) -> str:
        """The choices that leave something out, as they stand in an address; without the page."""
        kept = {name: value for name, value in self.cleaned_data.items() if value and name != "after"}
        return urlencode(kept)


class FilterForm(StyledForm):
    """To keep the present choices under a name."""

    name = forms.CharField(label=_("Name of these choices"), max_length=60)
    for_team = forms.BooleanField(label=_("Show it to the whole team"), required=False)
    query = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)


class BulkForm(StyledForm):
    """One thing to do with every picked row."""

    do = forms.ChoiceField(label=_("With the picked ones"))
    assignee = forms.ChoiceField(label=_("Who takes them"), required=False)
    team = forms.ChoiceField(label=_("Which team"), required=False)

    def __init__(
        self, acts: Sequence[tuple[str, Any]], people: Sequence[StaffMember], teams: Sequence[tuple[str, str]],
        *args: Any, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, auto_id="bulk-%s", **kwargs)
        choices: dict[str, list[tuple[Any, Any]]] = {
            "do": [("", _("Choose")), *acts],
            "assignee": [("", _("The team as a whole")), *((str(member.pk), member.name) for member in people)],
            "team": [("", _("Choose")), *teams],
        }
        for name, given in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
            field.choices = given


class DigestForm(StyledForm):
    is_wanted = forms.BooleanField(label=_("Send it to me"), required=False)
    hour = forms.TypedChoiceField(
        label=_("At"), coerce=int, choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        help_text=_("By the city's clock."),
    )  # fmt: skip
