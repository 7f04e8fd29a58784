"""What people type about their own sign-in and, as administrators, about their colleagues'."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from loop311.accounts.models import Department, StaffMember
from loop311.accounts.policies import ALWAYS_SECOND_FACTOR, Role
from loop311.desk.access import Desk
from loop311.desk.forms import StyledForm
from loop311.desk.reading import team_names
from loop311.requests.sentences import say

ROLE_NAMES = {
    Role.CONCIERGE: _("Concierge"),
    Role.TEAM_MEMBER: _("Team member"),
    Role.TEAM_LEAD: _("Team lead"),
    Role.DEPARTMENT_MANAGER: _("Department manager"),
    Role.SUPERVISOR: _("Supervisor"),
    Role.CONFIGURATION_MANAGER: _("Configuration manager"),
    Role.COORDINATOR: _("Coordinator"),
    Role.AUDITOR: _("Auditor: reads all, changes nothing"),
    Role.ADMINISTRATOR: _("Administrator"),
}


class ForgotForm(StyledForm):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )


class NewPasswordForm(StyledForm):
    password = forms.CharField(
        label=_("New password"),
        help_text=_("At least ten characters; a sentence is easy to remember."),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class StaffForm(StyledForm):
    """A colleague: name, roles, teams, department."""

    name = forms.CharField(label=_("Name, as screens show it"), max_length=200)
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=list(ROLE_NAMES.items()), widget=forms.CheckboxSelectMultiple
    )
    teams = forms.MultipleChoiceField(label=_("Teams"), required=False, widget=forms.CheckboxSelectMultiple)
    department = forms.ChoiceField(label=_("Department"), required=False)

    def __init__(self, desk: Desk, data: Any = None, *, staff: StaffMember | None = None) -> None:
        initial = _as_is(staff) if staff else {}
        super().__init__(data, initial=initial, auto_id="staff-%s")
        rows = Department.objects.filter(jurisdiction=desk.city).order_by("code")
        names = [(row.code, say(row.names, desk.language, row.code)) for row in rows]
        self.fields["teams"].choices = list(team_names(desk).items())  # type: ignore[attr-defined]
        self.fields["department"].choices = [("", _("none")), *names]  # type: ignore[attr-defined]


class NewStaffForm(StaffForm):
    email = forms.EmailField(label=_("E-mail: the name to sign in with"), max_length=254)
    field_order = ("email", "name", "roles", "teams", "department")


class SecondFactorForm(StyledForm):
    """Which further roles need a second factor in this city."""

    roles = forms.MultipleChoiceField(
        label=_("Roles that need a second factor as well"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=[(role, name) for role, name in ROLE_NAMES.items() if role not in ALWAYS_SECOND_FACTOR],
    )  # fmt: skip


def _as_is(staff: StaffMember) -> dict[str, Any]:
    return {
        "name": staff.name,
        "roles": staff.roles,
        "teams": [team.code for team in staff.teams.all()],
        "department": staff.department.code if staff.department else "",
    }
