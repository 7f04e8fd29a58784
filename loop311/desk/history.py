"""A request's whole story in plain sentences, from its chain in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import msgspec
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loop311.accounts.models import StaffMember, Team
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.models import Service
from loop311.desk.access import Desk
from loop311.desk.reading import staff_names
from loop311.kit.actor import ActorKind
from loop311.ledger.models import Event
from loop311.requests.models import Request
from loop311.requests.sentences import say
from loop311.requests.services.handing import reference_digest

SENTENCES: dict[str, object] = {
    "request.filed": gettext_lazy("Filed and routed to {team}."),
    "request.assigned": gettext_lazy("Assigned to {assignee}."),
    "request.started": gettext_lazy("Work has begun."),
    "request.waiting": gettext_lazy("The clock was stopped until {reason}."),
    "request.resumed": gettext_lazy("The clock runs again."),
    "request.handed_over": gettext_lazy("Handed over to {owner}. Their number: {reference}."),
    "request.evidence_added": gettext_lazy("Evidence was added: {evidence}."),
    "request.attached": gettext_lazy("A {role} that shows the problem was added."),
    "request.done": gettext_lazy("Reported done: {outcome}"),
    "request.declined": gettext_lazy("Declined: {outcome}"),
    "request.confirmed": gettext_lazy("The resident said yes, it is done."),
    "request.closed": gettext_lazy("Closed: {why}."),
    "request.reopened": gettext_lazy("Reopened: {said_no}. The original clock goes on."),
    "request.joined": gettext_lazy("Joined to {leading}, the same problem."),
    "request.separated": gettext_lazy("Separated from {leading}; a problem of its own after all."),
    "request.follower_joined": gettext_lazy("Report {follower} of the same problem was joined to this one."),
    "request.follower_left": gettext_lazy("Report {follower} was separated from this one."),
    "request.leader_done": gettext_lazy("The leading request {leading} is reported done: {outcome}"),
    "request.leader_closed": gettext_lazy("Ended with the leading request {leading}: {outcome}"),
    "request.leader_reopened": gettext_lazy("The leading request {leading} was reopened."),
    "request.commented": gettext_lazy("{comment} was added."),
    "request.rerouted": gettext_lazy("Moved from {from_team} to {to_team}."),
    "request.service_changed": gettext_lazy(
        "The service was changed from {from_service} to {to_service}; now with {team}."
    ),
    "request.promise_changed": gettext_lazy("New promise: {due}, because {because}."),
    "request.escalated": gettext_lazy("Escalated: {level}."),
    "request.words_erased": gettext_lazy("The resident's words were erased."),
    "request.imported": gettext_lazy("Taken over from another system."),
    "request.import_updated": gettext_lazy("Changed in the other system."),
}
"""Every kind of requests.events has its sentence; a test compares the two lists."""

WHY = {
    "confirmed": gettext_lazy("the resident confirmed it"),
    "undisputed": gettext_lazy("nobody objected in time"),
}
BECAUSE = {
    "filed": gettext_lazy("it was filed"),
    "resumed": gettext_lazy("the clock had stood still"),
    "service_changed": gettext_lazy("the service was changed"),
    "priority_changed": gettext_lazy("the priority was changed"),
    "reopened": gettext_lazy("it was reopened"),
    "imported": gettext_lazy("it came with the import"),
}
ROLES = {"photo": gettext_lazy("photo"), "document": gettext_lazy("document")}
LEVEL = {
    "at_risk": gettext_lazy("the promise is at risk"),
    "late": gettext_lazy("the promise is broken"),
    "later": gettext_lazy("still late"),
}
ACTORS = {
    ActorKind.RESIDENT: gettext_lazy("Resident"),
    ActorKind.APPLICATION: gettext_lazy("Application"),
    ActorKind.SYSTEM: gettext_lazy("Loop311"),
}

Body = Mapping[str, object]
_Reader = Callable[[Body], str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as people read it. `version`: of the request after it, 0 where it did not change."""

    kind: str
    at: datetime
    who: str
    sentence: str
    version: int
    staff: int = 0
    """Id of the member of staff who did it, 0 for everybody else."""

    def is_by(self, member: StaffMember) -> bool:
        return self.staff == member.pk


def history(desk: Desk, request: Request, index: CatalogueIndex) -> list[Entry]:
    """Oldest first; five queries whatever the length."""
    events = Event.objects.filter(jurisdiction=desk.city, subject_type="request", subject_id=request.pk)
    rows = list(events.order_by("sequence").values_list("kind", "at", "actor_kind", "actor_ref", "body"))
    bodies = [cast("Body", msgspec.json.decode(row[4])) for row in rows]
    words = _Words(desk, request, index, bodies, [row[3] for row in rows if row[2] == ActorKind.STAFF])
    return [
        Entry(
            kind,
            at,
            words.actor(actor_kind, ref),
            words.sentence(kind, body),
            _number(body.get("version")),
            ref if actor_kind == ActorKind.STAFF else 0,
        )
        for (kind, at, actor_kind, ref, _raw), body in zip(rows, bodies, strict=True)
    ]


def since(entries: Sequence[Entry], version: int) -> list[Entry]:
    """What has happened after the version somebody was looking at."""
    return [entry for entry in entries if entry.version > version]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


class _Words:
    """The names behind the ids and codes of a request's events, each kind read once."""

    def __init__(
        self, desk: Desk, request: Request, index: CatalogueIndex, bodies: Sequence[Body], staff: Iterable[int]
    ) -> None:
        self._language = desk.language
        self._request = request
        self._index = index
        assignees = [_number(body.get("assignee")) for body in bodies]
        self._staff = staff_names(desk, {*staff, *assignees})
        teams = Team.objects.filter(jurisdiction=desk.city).values_list("pk", "code", "names")
        self._teams = {key: say(names, self._language, code) for pk, code, names in teams for key in (pk, code)}
        services = Service.objects.filter(jurisdiction=desk.city).values_list("code", "names")
        self._services = {code: say(names, self._language, code) for code, names in services}
        others = {_number(body.get(key)) for body in bodies for key in ("leading", "follower")}
        numbers = Request.objects.filter(jurisdiction=desk.city, pk__in=others)
        self._numbers = dict(numbers.values_list("pk", "number"))

    def actor(self, kind: str, ref: int) -> str:
        if kind == ActorKind.STAFF:
            return self._staff.get(ref, _("Staff"))
        return str(ACTORS.get(ActorKind(kind), kind))

    def sentence(self, kind: str, body: Body) -> str:
        pattern = str(SENTENCES.get(kind, kind))
        return pattern.format_map(
            {name: read(body) for name, read in self._readers().items() if f"{{{name}}}" in pattern}
        )

    def _readers(self) -> dict[str, _Reader]:
        return {
            "team": lambda body: self._team(body.get("team")),
            "from_team": lambda body: self._team(body.get("from_team")),
            "to_team": lambda body: self._team(body.get("to_team")),
            "assignee": lambda body: self._staff.get(_number(body.get("assignee")), self._team(body.get("team"))),
            "reason": lambda body: self._text("stop_reasons", body.get("reason")),
            "owner": lambda body: self._text("owners", body.get("owner")),
            "reference": self._reference,
            "said_no": self._said_no,
            "outcome": lambda body: self._text("outcomes", body.get("outcome")),
            "evidence": lambda body: str(body.get("kind", "")).replace("_", " "),
            "role": lambda body: str(ROLES.get(str(body.get("role")), body.get("role"))),
            "leading": lambda body: self._numbers.get(_number(body.get("leading")), ""),
            "follower": lambda body: self._numbers.get(_number(body.get("follower")), ""),
            "from_service": lambda body: self._service(body.get("from_service")),
            "to_service": lambda body: self._service(body.get("to_service")),
            "comment": lambda body: (
                _("A comment the resident sees") if body.get("public") else _("An internal comment")
            ),
            "why": lambda body: str(WHY.get(str(body.get("why")), body.get("why"))),
            "because": lambda body: str(BECAUSE.get(str(body.get("reason")), body.get("reason"))),
            "level": lambda body: str(LEVEL.get(str(body.get("level")), body.get("level"))),
            "due": lambda body: _spoken(body.get("due_at")),
        }

    def _said_no(self, body: Body) -> str:
        number = self._numbers.get(_number(body.get("follower")))
        if number is None:
            return _("the resident said no")
        return _("who reported {number} said no").format(number=number)

    def _reference(self, body: Body) -> str:
        """The event has a digest of the outside owner's number: shown while the request still has that number."""
        if body.get("reference"):  # as early events carry it
            return str(body["reference"])
        digest = body.get("digest")
        if digest is None:
            return _("not known yet")
        return self._request.handed_reference if digest == reference_digest(self._request) else _("no longer kept")

    def _team(self, key: object) -> str:
        return self._teams.get(key, _("the team")) if isinstance(key, int | str) else _("the team")

    def _service(self, code: object) -> str:
        return self._services.get(str(code), str(code))

    def _text(self, kind: str, code: object) -> str:
        thing = getattr(self._index, kind).get(code)
        if thing is None:
            return str(code or "").replace("-", " ").replace("_", " ")
        return say(getattr(thing, "texts", None) or thing.names, self._language, str(code))


def _spoken(iso: object) -> str:
    return date_format(localtime(datetime.fromisoformat(iso)), "D, M j, P") if isinstance(iso, str) else ""
