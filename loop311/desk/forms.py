"""What staff type. Fields carry the classes of the design system; the services decide what is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from loop311.catalog.definitions import Ending, EvidenceKind
from loop311.desk.access import Desk
from loop311.desk.reading import area_choices, members, service_names, team_names
from loop311.kit.images import READ_HERE
from loop311.kit.problems import FieldProblem, Invalid, Problem
from loop311.kit.uploads import Upload, upload
from loop311.requests.models import Request
from loop311.requests.policies import State, Verb, may_follow
from loop311.requests.queries import Near
from loop311.requests.sentences import say
from loop311.requests.services import Terms

Choices = Sequence[tuple[Any, Any]]

STATE_NAMES = {
    State.RECEIVED: _("Received"),
    State.ASSIGNED: _("Assigned"),
    State.IN_PROGRESS: _("In progress"),
    State.WAITING: _("Waiting"),
    State.HANDED_OVER: _("Handed over"),
    State.DONE: _("Done"),
    State.CLOSED: _("Closed"),
    State.DECLINED: _("Declined"),
    State.JOINED: _("Joined"),
}
EVIDENCE_NAMES = {
    EvidenceKind.PHOTO: _("Photo"),
    EvidenceKind.INSPECTION: _("Inspection"),
    EvidenceKind.POSITION: _("Position and time of a crew"),
    EvidenceKind.METER: _("Reading or scan"),
    EvidenceKind.DOCUMENT: _("Document"),
    EvidenceKind.STATEMENT: _("My signed statement"),
    EvidenceKind.RECORD: _("Record in another system"),
}

_CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.Textarea, "usa-textarea"),
    (forms.RadioSelect, "usa-radio__input"),
    (forms.CheckboxSelectMultiple, "usa-checkbox__input"),
    (forms.CheckboxInput, "usa-checkbox__input"),
    (forms.Select, "usa-select"),
    (forms.TextInput, "usa-input"),
)


def dress(field: forms.Field) -> None:
    """The classes of the design system."""
    widget = field.widget
    css = next((css for kind, css in _CLASSES if isinstance(widget, kind)), "")
    if css:
        widget.attrs.setdefault("class", css)
    if isinstance(widget, forms.Textarea):
        widget.attrs["rows"] = "3"


class StyledForm(forms.Form):
    """Fields look as the design system has them, and one that is wrong says so."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            dress(field)

    def dress(self, field: forms.Field) -> None:
        dress(field)

    def add_problem(self, problem: Problem) -> None:
        """What a service refused: each sentence at its field where there is one, else above the form."""
        unplaced = []
        for fault in problem.fields:
            if fault.field in self.fields:
                self.add_error(fault.field, fault.detail)
            else:
                unplaced.append(fault.detail)
        if unplaced or not problem.fields:
            self.add_error(None, problem.detail)


# --- Finding -----------------------------------------------------------------------------------------------------------


class ListForm(StyledForm):
    """The filters of the list."""

    state = forms.ChoiceField(label=_("State"), required=False)
    team = forms.ChoiceField(label=_("Team"), required=False)
    service = forms.ChoiceField(label=_("Service"), required=False)
    area = forms.ChoiceField(label=_("Area"), required=False)
    q = forms.CharField(label=_("Number or address"), required=False, max_length=200)
    overdue = forms.BooleanField(label=_("Only late ones"), required=False)
    resident = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    before = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, desk: Desk, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        anything = ("", _("All"))
        states = [("open", _("All open")), *((state.value, name) for state, name in STATE_NAMES.items())]
        self._choose("state", [anything, *states])
        self._choose("team", [anything, *team_names(desk).items()])
        self._choose("service", [anything, *service_names(desk).items()])
        self._choose("area", [anything, *area_choices(desk)])

    def _choose(self, name: str, choices: Choices) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices


class SearchForm(StyledForm):
    q = forms.CharField(label=_("Number, address, name, phone or e-mail"), max_length=200)


# --- Verbs -------------------------------------------------------------------------------------------------------------


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return files.getlist(name) if hasattr(files, "getlist") else files.get(name)


class VerbForm(StyledForm):
    """Posts the version its reader saw, so that nobody overwrites what happened meanwhile."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near], *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = request.version
        self.prepare(desk, request, under, near)

    def prepare(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near]) -> None:
        """Fill in what may be chosen."""

    def refresh(self, request: Request) -> None:
        """After a conflict: what was typed stays, the version becomes the present one."""
        self.data = {**self.data.dict(), "version": str(request.version)}  # type: ignore[attr-defined]  # a QueryDict

    def choose(self, name: str, choices: Choices) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared by the form
        field.choices = choices


class AssignForm(VerbForm):
    assignee = forms.ChoiceField(label=_("Who takes it"), required=False)

    def prepare(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near]) -> None:
        people = [(staff.pk, staff.name) for staff in members(request.team)]
        self.choose("assignee", [("", _("The team as a whole")), *people])
        self.fields["assignee"].initial = request.assignee_id or ""


class WaitForm(VerbForm):
    reason = forms.ChoiceField(label=_("We can go on when"))

    def prepare(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near]) -> None:
        codes = under.policy.stop_reasons if under.policy else ()
        texts = [(code, say(under.index.stop_reasons[code].texts, desk.language, code)) for code in codes]
        self.choose("reason", texts)


class HandOverForm(VerbForm):
    owner = forms.ChoiceField(label=_("Who is responsible"))
    reference = forms.CharField(label=_("Their number"), required=False, max_length=200)

    def prepare(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near]) -> None:
        owners = [(code, say(owner.names, desk.language, code)) for code, owner in under.index.owners.items()]
        self.choose("owner", owners)


class EvidenceForm(VerbForm):
    kind = forms.ChoiceField(label=_("What proves the work"), choices=[(k.value, n) for k, n in EVIDENCE_NAMES.items()])
    reference = forms.CharField(
        label=_("Where it is kept"),
        help_text=_("A file, a link, a number, a reading."),
        required=False,
        max_length=500,
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)
    latitude = forms.FloatField(label=_("Latitude"), required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(label=_("Longitude"), required=False, min_value=-180, max_value=180)

    def prepare(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near]) -> None:
        for name in ("latitude", "longitude"):
            self.fields[name].widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "usa-input"})
        wanted = {kind for group in request.completion for kind in group}
        names = sorted(EVIDENCE_NAMES.items(), key=lambda entry: entry[0].value not in wanted)
        self.choose("kind", [(kind.value, name) for kind, name in names])


class FilesField(forms.FileField):
    """One or more files, as `Upload`s."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> list[Upload]:
        return [upload(super(FilesField, self).clean(each, initial)) for each in data or [None]]


class AttachForm(VerbForm):
    photos = FilesField(
        label=_("Photos or PDFs"),
        help_text=_("JPEG, PNG or WebP to 20 MB, PDF to 10 MB, together to 25 MB."),
        widget=SeveralFiles(attrs={"accept": READ_HERE, "class": "usa-file-input-plain"}),
        error_messages={"required": _("Choose a photo or a PDF."), "empty": _("The file is empty.")},
    )
    shows = forms.ChoiceField(label=_("What they show"), widget=forms.RadioSelect)
    note = forms.CharField(label=_("Note"), required=False, max_length=2000, widget=forms.Textarea)

    def prepare(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near]) -> None:
        may_prove = may_follow(Verb.ADD_EVIDENCE, State(request.state))
        work = [("work", _("The work, as proof that it was done"))] if may_prove else []
        self.choose("shows", [*work, ("problem", _("The problem, as it was found"))])
        self.fields["shows"].initial = (
            "work" if may_prove and request.state not in ("received", "assigned") else "problem"
        )

    def add_problem(self, problem: Problem) -> None:
        """What is wrong with a file stands at the field of the files."""
        faults = [FieldProblem("photos", fault.detail) for fault in problem.fields if fault.field == "file"]
        super().add_problem(Invalid(problem.detail, fields=faults) if faults else problem)


class OutcomeForm(VerbForm):
    ending = Ending.DONE
    outcome = forms.ChoiceField(label=_("Outcome"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Words for the resident"),
        help_text=_("Sent with the outcome to everybody who reported it. For colleagues, write a comment."),
        required=False,
        max_length=2000,
        widget=forms.Textarea,
    )

    def prepare(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near]) -> None:
        outcomes = [each for each in under.index.outcomes_of(under.service) if each.ending is self.ending]
        self.choose("outcome", [(each.code, say(each.texts, desk.language, each.code)) for each in outcomes])


class DeclineForm(OutcomeForm):
    ending = Ending.DECLINED


class DisputeForm(VerbForm):
    text = forms.CharField(label=_("What the resident says"), required=False, max_length=20_000, widget=forms.Textarea)


class JoinForm(VerbForm):
    leading = forms.CharField(label=_("Number of the other request"), max_length=40)

    def prepare(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near]) -> None:
        if near:
            self.fields["leading"].widget.attrs["list"] = "nearby"


class CommentForm(VerbForm):
    text = forms.CharField(label=_("Comment"), max_length=20_000, widget=forms.Textarea)
    is_public = forms.BooleanField(label=_("The resident may read it"), required=False)


class RerouteForm(VerbForm):
    team = forms.ChoiceField(label=_("The team that is responsible"))

    def prepare(self, desk: Desk, request: Request, under: Terms, near: Sequence[Near]) -> None:
        self.choose("team", [entry for entry in team_names(desk).items() if entry[0] != request.team.code])
