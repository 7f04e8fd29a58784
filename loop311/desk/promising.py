"""Promising a call-back: a window of one day by the city's clocks or the resident's, for a request or a question."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from loop311.accounts.models import Team
from loop311.callbacks import services
from loop311.callbacks.models import Callback
from loop311.callbacks.policies import POINTS_OF_WAY, Way
from loop311.desk.access import Desk
from loop311.desk.calling import WAYS
from loop311.desk.forms import StyledForm
from loop311.desk.people.page import zone_of
from loop311.desk.people.words import zone_name
from loop311.desk.reading import own_teams, team, team_names
from loop311.kit.problems import FieldProblem, Invalid
from loop311.requests.models import Request
from loop311.residents import services as residents
from loop311.residents.models import Resident

Given = Mapping[str, Any]


class PromiseForm(StyledForm):
    day = forms.DateField(label=_("Day"), widget=forms.TextInput(attrs={"type": "date"}))
    start = forms.TimeField(label=_("From"), widget=forms.TextInput(attrs={"type": "time"}))
    end = forms.TimeField(label=_("To"), widget=forms.TextInput(attrs={"type": "time"}))
    clock = forms.ChoiceField(label=_("By which clock"), required=False, widget=forms.RadioSelect)
    way = forms.ChoiceField(label=_("How"), required=False)
    contact_point = forms.ChoiceField(label=_("Where"), required=False)
    team = forms.ChoiceField(label=_("Which team is accountable"), required=False)
    by_me = forms.BooleanField(label=_("I will ring myself"), required=False)
    reason = forms.CharField(label=_("What about"), required=False, max_length=2000, widget=forms.Textarea)

    def __init__(self, desk: Desk, resident: Resident | None, request: Request | None, data: Any = None) -> None:
        super().__init__(data, initial={"clock": "resident"})
        self.resident = residents.standing(resident) if resident else None
        self.zone = zone_of(self.resident, desk) if self.resident else desk.city.zone
        self._choose_clock(desk)
        points = residents.contact_points(self.resident) if self.resident else ()
        kinds = {point.kind for point in points}
        self._choose("way", [(w.value, WAYS[w]) for w in Way if not POINTS_OF_WAY[w] or POINTS_OF_WAY[w] & kinds])
        self._choose("contact_point", [("", _("The first that fits")), *((str(p.id), p.address) for p in points)])
        if request is not None:
            del self.fields["team"]
        else:
            own = [(each.code, "") for each in own_teams(desk)]
            names = team_names(desk)
            first = [(code, names[code]) for code, _name in own]
            self._choose("team", [*first, *(entry for entry in names.items() if entry not in first)])

    def _choose_clock(self, desk: Desk) -> None:
        if self.zone == desk.city.zone:
            del self.fields["clock"]
        else:
            theirs, ours = zone_name(str(self.zone)), zone_name(desk.city.time_zone)
            named = _("The resident's ({zone})").format(zone=theirs), _("The city's ({zone})").format(zone=ours)
            self._choose("clock", [("resident", named[0]), ("city", named[1])])

    def _choose(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices


def promise(desk: Desk, form: PromiseForm, request: Request | None) -> Callback:
    """Promise to ring the resident of the form."""
    if form.resident is None:
        raise Invalid(now_("The request is anonymous; there is nobody to ring."))
    given = form.cleaned_data
    zone = desk.city.zone if given.get("clock") == "city" else form.zone
    wish = services.Wish(
        window_start=_instant(given, "start", zone),
        window_end=_instant(given, "end", zone),
        reason=given["reason"],
        way=Way(given["way"] or Way.CALL),
        request=request,
        team=_team(desk, given),
        owner=desk.staff if given["by_me"] else None,
        contact_point_id=int(given["contact_point"]) if given["contact_point"] else None,
    )
    try:
        return services.promise(form.resident, wish, by=desk.actor)
    except Invalid as problem:
        here = [FieldProblem("end" if f.field == "window_end" else f.field, f.detail) for f in problem.fields]
        raise Invalid(problem.detail, fields=here) from problem


def _instant(given: Given, which: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(given["day"], given[which], zone)


def _team(desk: Desk, given: Given) -> Team | None:
    return team(desk, given["team"]) if given.get("team") else None
