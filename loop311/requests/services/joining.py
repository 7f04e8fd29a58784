"""Joining reports of the same thing in the world, and separating them again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Invalid
from loop311.requests.models import Request
from loop311.requests.policies import WORKABLE, State, Verb
from loop311.requests.services import access, following
from loop311.requests.services.promising import first_escalation, terms_of


def hold(leading: Request, *, by: Actor) -> Request:
    """Before a request is filed joined to it: the leading request (or the one it follows itself), locked and still worked on.

    Taken before the city's next number, so that nobody else's filing waits for what this one waits for.
    """
    access.permit(by, Verb.JOIN)
    access.one_at_a_time(by)
    follows = Request.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=leading.pk).values_list(
        "leading_id", flat=True
    )
    held = access.lock(follows.first() or leading.pk, by=by)
    _check_leading(held)
    return held


@transaction.atomic
def join(
    request: Request, *, leading: Request, by: Actor, version: int | None = None, at: datetime | None = None
) -> Request:
    """Make it follow a leading request (or the one that request itself follows): own number, told the true end."""
    at = at or now()
    leading = hold(leading, by=by)
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.JOIN, by=by, version=version)
    _check(request, leading)
    request.leading = leading
    request.state = State.JOINED
    request.escalate_at = None
    leading.joined_count += 1
    body = {"leading": leading.pk}
    access.write(request, "request.joined", body, by=by, at=at, fields=("leading", "state", "escalate_at"))
    access.write(leading, "request.follower_joined", {"follower": request.pk}, by=by, at=at, fields=("joined_count",))
    return request


def _check_leading(leading: Request) -> None:
    if leading.leading_id is not None:
        raise Conflict(f"Request {leading.number} has just been joined to another; look again.")
    if State(leading.state) not in WORKABLE:
        raise Conflict(f"Request {leading.number} is no longer being worked on; a new report must stand by itself.")


def _check(request: Request, leading: Request) -> None:
    if leading.pk == request.pk:
        raise Invalid("A request cannot follow itself.", fields=[FieldProblem("leading", "This is the same request.")])
    if request.joined_count:
        raise Conflict(f"Request {request.number} leads {request.joined_count} others; join that one to this instead.")


@transaction.atomic
def separate(request: Request, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Request:
    """A problem of its own after all: it is open again under its original clock."""
    at = at or now()
    request, leading = access.lock_family(request.pk, by=by)
    access.begin(request, Verb.SEPARATE, by=by, version=version)
    if leading is not None:
        following.leave(request, leading, by=by, at=at)
    request.escalate_at = first_escalation(terms_of(request).policy, request.due_at)
    request.outcome = request.outcome_note = ""
    request.done_at = request.ended_at = request.dispute_until = None
    fields = (
        "leading", "state", "escalate_at", "outcome", "outcome_note", "done_at", "ended_at", "dispute_until",
    )  # fmt: skip
    body = {"leading": leading.pk if leading else None}
    access.write(request, "request.separated", body, by=by, at=at, fields=fields)
    return request
