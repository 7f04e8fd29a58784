"""The team's verbs: assign, start, wait, resume, hand over, re-route, change the service."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from loop311.accounts.models import StaffMember, Team
from loop311.catalog.conditions import validate_answers
from loop311.catalog.definitions import Answers, Step
from loop311.catalog.services import at as catalogue_at
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.requests.models import Comment, Request
from loop311.requests.policies import PromiseReason, State, Verb
from loop311.requests.services import access
from loop311.requests.services.filing import identify, words_digest
from loop311.requests.services.handing import hand_over_by_rule, hand_to
from loop311.requests.services.promising import (
    Terms,
    due_after_stops,
    first_escalation,
    next_promise,
    run_clock,
    stop_clock,
    terms,
    terms_of,
)
from loop311.routing.policies import Decision, decide


@transaction.atomic
def assign(
    request: Request,
    *,
    by: Actor,
    assignee: StaffMember | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Request:
    """A member of the accountable team takes it, or (None) the team as a whole does."""
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.ASSIGN, by=by, version=version)
    if assignee is not None and not belongs(assignee, request.team):
        raise Invalid(
            "Only an active member of the accountable team can be assigned; re-route the request first.",
            fields=[FieldProblem("assignee", "Not an active member of the team.")],
        )
    request.assignee = assignee
    request.state = State.ASSIGNED
    body = {"assignee": assignee.pk if assignee else None, "team": request.team_id}
    access.write(request, "request.assigned", body, by=by, at=at or now(), fields=("assignee", "state"))
    return request


def belongs(staff: StaffMember, team: Team) -> bool:
    """Whether the person works in the team now."""
    return staff.jurisdiction_id == team.jurisdiction_id and staff.is_active and staff.teams.filter(pk=team.pk).exists()


@transaction.atomic
def start(request: Request, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Request:
    """Work begins; this is the first response if there was none."""
    at = at or now()
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.START, by=by, version=version)
    request.state = State.IN_PROGRESS
    respond(request, at)
    access.write(request, "request.started", {}, by=by, at=at, fields=("state", "first_responded_at"))
    return request


def respond(request: Request, at: datetime) -> None:
    """Note the first response, once; the caller saves `first_responded_at`."""
    if request.first_responded_at is None:
        request.first_responded_at = at


@transaction.atomic
def wait(
    request: Request, *, reason: str, by: Actor, version: int | None = None, at: datetime | None = None
) -> Request:
    """Stop the clock, for one of the reasons the service's promise allows."""
    at = at or now()
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.WAIT, by=by, version=version)
    under = terms_of(request)
    allowed = under.policy.stop_reasons if under.policy else ()
    if reason not in allowed:
        raise Invalid(
            f"The clock of this service does not stop for {reason[:80]!r}; it stops for: {', '.join(allowed) or 'nothing'}.",
            fields=[FieldProblem("reason", "Not on the service's closed list.")],
        )
    longest = under.index.stop_reasons[reason].longest
    stop_clock(request, reason, at=at, ends_by=at + longest if longest else None)
    request.state = State.WAITING
    request.waiting_reason = reason
    request.escalate_at = None
    respond(request, at)
    fields = ("state", "waiting_reason", "escalate_at", "first_responded_at")
    access.write(request, "request.waiting", {"reason": reason}, by=by, at=at, fields=fields)
    return request


@transaction.atomic
def resume(request: Request, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Request:
    """The clock runs again; if the date moves, it is a new promise with this reason."""
    at = at or now()
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.RESUME, by=by, version=version)
    request.state = State.IN_PROGRESS
    resume_clock(request, by=by, at=at)
    fields = ("state", "waiting_reason", "due_at", "escalate_at")
    access.write(request, "request.resumed", {}, by=by, at=at, fields=fields)
    return request


def resume_clock(request: Request, *, by: Actor, at: datetime) -> None:
    """End a stop of the clock, if there is one, before whatever comes next; the caller saves due_at and escalate_at."""
    request.waiting_reason = ""
    promise = run_clock(request, at=at)
    if promise is not None:
        body = {"step": promise.step, "due_at": promise.due_at.isoformat(), "reason": promise.reason}
        access.write(request, "request.promise_changed", body, by=by, at=at, fields=("due_at",))


@transaction.atomic
def hand_over(
    request: Request,
    *,
    owner: str,
    reference: str = "",
    by: Actor,
    version: int | None = None,
    at: datetime | None = None,
) -> Request:
    """Somebody outside the city is responsible; the team keeps watching, under the same number and clock."""
    at = at or now()
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.HAND_OVER, by=by, version=version)
    if owner not in terms_of(request).index.owners:
        raise Invalid(
            f"The catalogue knows no outside owner {owner[:80]!r}.",
            fields=[FieldProblem("owner", "Not in the catalogue.")],
        )
    respond(request, at)
    hand_to(request, owner, reference[:200], by=by, at=at, fields=("first_responded_at",))
    return request


@transaction.atomic
def reroute(
    request: Request, *, team: Team, by: Actor, version: int | None = None, at: datetime | None = None
) -> Request:
    """Another team becomes accountable; number, clock and promises stay. A person decides so: no routing rule is asked."""
    at = at or now()
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.REROUTE, by=by, version=version)
    if team.jurisdiction_id != request.jurisdiction_id or team.pk == request.team_id:
        raise Invalid(
            "Choose another team of this city.",
            fields=[FieldProblem("team", "This one already, or not of this city.")],
        )
    resume_clock(request, by=by, at=at)
    before, request.team = request.team_id, team
    request.assignee = None
    request.state = State.RECEIVED
    fields = ("team", "assignee", "state", "waiting_reason", "due_at", "escalate_at")
    access.write(request, "request.rerouted", {"from_team": before, "to_team": team.pk}, by=by, at=at, fields=fields)
    return request


@transaction.atomic
def change_service(
    request: Request,
    *,
    service_code: str,
    by: Actor,
    answers: Mapping[str, object] | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Request:
    """It is asked under another service, of the present catalogue: new team and promise, same number, history, first promise.

    As at filing, a routing rule of the new service may hand it over to somebody outside at once.
    Answers to questions both services ask are kept unless given anew; all earlier answers stay as an internal comment.
    """
    at = at or now()
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.CHANGE_SERVICE, by=by, version=version)
    catalogue, index = catalogue_at(request.jurisdiction, at)
    if service_code not in index.services or index.services[service_code].historical:
        raise Invalid(
            f"The city has no service {service_code[:80]!r}.",
            fields=[FieldProblem("service_code", "This is not offered.")],
        )
    under = terms(request.jurisdiction, catalogue.pk, service_code)
    merged = _carried(request, under, answers or {})
    resume_clock(request, by=by, at=at)
    _keep_answers(request, by=by, at=at)
    before = request.service.code
    request.catalogue_version = catalogue
    decision = _move(request, under, merged, at)
    body = {
        "from_service": before,
        "to_service": service_code,
        "catalogue": catalogue.number,
        "team": request.team_id,
        "due_at": request.due_at and request.due_at.isoformat(),
        "words": words_digest(request),
    }
    fields = (
        "catalogue_version", "service", "team", "assignee", "state", "priority", "answers", "completion", "publicity",
        "due_at", "escalate_at", "waiting_reason",
    )  # fmt: skip
    access.write(request, "request.service_changed", body, by=by, at=at, fields=fields)
    hand_over_by_rule(request, decision.hand_over, by=by, at=at)
    return request


def _carried(request: Request, under: Terms, given: Mapping[str, object]) -> Answers:
    codes = {question.code for question in under.service.questions}
    kept = {code: answer for code, answer in request.answers.items() if code in codes}
    answers, faults = validate_answers(under.service, {**kept, **given}, request.jurisdiction.languages)
    if faults and kept:
        answers, faults = validate_answers(under.service, given, request.jurisdiction.languages)
    if faults:
        raise Invalid(" ".join(f"{f.field}: {f.detail}" for f in faults[:5]), fields=faults)
    return answers


def _keep_answers(request: Request, *, by: Actor, at: datetime) -> None:
    """What was answered under the earlier service stays readable."""
    if request.answers:
        lines = [f"{code}: {answer}" for code, answer in request.answers.items()]
        Comment.objects.create(
            jurisdiction_id=request.jurisdiction_id,
            request=request,
            at=at,
            actor_kind=by.kind.value,
            actor_ref=by.ref,
            text="\n".join([f"Answers given under {request.service.code}:", *lines]),
        )


def _move(request: Request, under: Terms, answers: Answers, at: datetime) -> Decision:
    """Route and promise anew, from the day the resident first asked."""
    decision = decide(under.index, under.service.code, answers, request.areas)
    request.service, request.team = identify(request.jurisdiction_id, under.service.code, decision.team)
    request.assignee = None
    request.state = State.RECEIVED
    request.priority = decision.priority
    request.answers = answers
    request.completion = under.completion
    request.publicity = under.service.publicity
    if under.policy is None:
        return decision
    due_at = due_after_stops(request, under, at=at)
    if due_at != request.due_at:
        next_promise(request, Step.RESOLUTION, due_at, PromiseReason.SERVICE_CHANGED, at=at)
        request.due_at = due_at
    request.escalate_at = first_escalation(under.policy, due_at)
    return decision
