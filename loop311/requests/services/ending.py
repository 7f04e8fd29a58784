"""Proof and end: evidence, done, declined, the resident's yes or no, and the close after the dispute window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from loop311.catalog.definitions import Ending, EvidenceKind, Outcome
from loop311.kit.actor import Actor, system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Invalid
from loop311.requests.models import Comment, Evidence, Request
from loop311.requests.policies import KEPT_SOMEWHERE, State, Verb, missing_evidence
from loop311.requests.services import access, following
from loop311.requests.services.promising import first_escalation, terms_of
from loop311.requests.services.working import respond, resume_clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One piece of evidence. `digest` is the SHA-256 of the thing itself; position in WGS84 degrees."""

    kind: EvidenceKind
    reference: str = ""
    digest: bytes | None = None
    latitude: float | None = None
    longitude: float | None = None
    note: str = ""


@transaction.atomic
def add_evidence(
    request: Request,
    proof: Proof,
    *,
    by: Actor,
    version: int | None = None,
    key: str | None = None,
    at: datetime | None = None,
) -> Request:
    """Add something that proves work; the same `key` again adds nothing."""
    at = at or now()
    request = access.lock(request.pk, by=by)
    digest = access.digest_of(
        {
            "request": request.pk,
            "kind": proof.kind,
            "reference": proof.reference,
            "digest": proof.digest.hex() if proof.digest else None,
            "position": [proof.latitude, proof.longitude],
            "note": proof.note,
        }
    )
    sender = access.sender_of(by, Verb.ADD_EVIDENCE)
    if key is not None and access.already_done(sender, key, digest, by=by):
        return request
    access.begin(request, Verb.ADD_EVIDENCE, by=by, version=version)
    _check_proof(proof)
    keep(request, proof, by=by, at=at)
    if key is not None:
        access.remember(sender, key, digest, request, by=by, at=at)
    return request


def _check_proof(proof: Proof) -> None:
    if proof.kind is EvidenceKind.RESIDENT_YES:
        raise Invalid(
            "The resident's yes is taken by confirming the request, not as a piece of evidence.",
            fields=[FieldProblem("kind", "This cannot be added as evidence.")],
        )
    if proof.kind in KEPT_SOMEWHERE and not (proof.reference.strip() or proof.digest):
        raise Invalid(
            f"Say where the {proof.kind.value} is kept (a file, a link, a number, a reading), or attach the file itself.",
            fields=[FieldProblem("reference", "This is missing.")],
        )
    if proof.kind is EvidenceKind.POSITION and (proof.latitude is None or proof.longitude is None):
        raise Invalid("A position needs latitude and longitude.", fields=[FieldProblem("latitude", "This is missing.")])


def keep(request: Request, proof: Proof, *, by: Actor, at: datetime) -> Evidence:
    evidence = Evidence.objects.create(
        jurisdiction_id=request.jurisdiction_id,
        request=request,
        kind=proof.kind,
        at=at,
        actor_kind=by.kind.value,
        actor_ref=by.ref,
        latitude=proof.latitude,
        longitude=proof.longitude,
        reference=proof.reference,
        digest=proof.digest,
        note=proof.note,
    )
    body = {"evidence": evidence.pk, "kind": proof.kind, "digest": proof.digest.hex() if proof.digest else None}
    access.write(request, "request.evidence_added", body, by=by, at=at)
    return evidence


@transaction.atomic
def resolve(
    request: Request,
    *,
    outcome: str,
    note: str = "",
    by: Actor,
    version: int | None = None,
    at: datetime | None = None,
) -> Request:
    """Report it done. Needs an outcome of the service that means done, and the evidence its completion rule asks for.

    It is over only when the resident says yes or the dispute window has passed.
    """
    at = at or now()
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.RESOLVE, by=by, version=version)
    chosen = _outcome(request, outcome, Ending.DONE)
    if request.source:  # what was taken over open ends here as everything does: by the service's own rule
        request.completion = terms_of(request).completion
    if chosen.no_proof:
        _accept_statement(request, note, by=by, at=at)
    _ask_for_proof(request)
    resume_clock(request, by=by, at=at)
    _end(request, State.DONE, outcome, note, at)
    request.done_at = at
    fields = (*_ENDING_FIELDS, "completion", "done_at")
    access.write(request, "request.done", {"outcome": outcome}, by=by, at=at, fields=fields)
    following.tell_done(request, by=by, at=at)
    return request


_ENDING_FIELDS = (
    "state", "outcome", "outcome_note", "dispute_until", "first_responded_at", "escalate_at", "waiting_reason", "due_at",
)  # fmt: skip


def _outcome(request: Request, code: str, ending: Ending) -> Outcome:
    under = terms_of(request)
    possible = [under.index.outcomes[each] for each in under.service.outcomes]
    chosen = next((each for each in possible if each.code == code and each.ending is ending), None)
    if chosen is None:
        names = ", ".join(each.code for each in possible if each.ending is ending) or "none"
        raise Invalid(
            f"{code[:80]!r} is not an outcome of this service; possible are: {names}.",
            fields=[FieldProblem("outcome", "Not on the service's closed list.")],
        )
    return chosen


def _accept_statement(request: Request, note: str, *, by: Actor, at: datetime) -> None:
    """An outcome that is information by nature is proved by the statement of whoever gives it."""
    request.completion = [[EvidenceKind.STATEMENT.value]]
    keep(request, Proof(kind=EvidenceKind.STATEMENT, note=note), by=by, at=at)


def _ask_for_proof(request: Request) -> None:
    present = Evidence.objects.filter(
        jurisdiction_id=request.jurisdiction_id, request=request, pk__gt=request.evidence_after
    ).values_list("kind", flat=True)
    missing = missing_evidence(request.completion, present)
    if missing:
        wanted = "; ".join(" or ".join(kind.replace("_", " ") for kind in group) for group in missing)
        raise Conflict(
            f"Request {request.number} cannot be done without proof: {wanted}. Add it, then resolve.",
            extra={"number": request.number, "missing_evidence": [list(group) for group in missing]},
        )


def _end(request: Request, state: State, outcome: str, note: str, at: datetime) -> None:
    request.state = state
    request.outcome = outcome
    request.outcome_note = note
    request.dispute_until = at + timedelta(days=terms_of(request).service.dispute_days)
    request.escalate_at = None
    respond(request, at)


@transaction.atomic
def decline(
    request: Request,
    *,
    outcome: str,
    note: str = "",
    by: Actor,
    version: int | None = None,
    at: datetime | None = None,
) -> Request:
    """The city can't do this, for a reason on the service's list; the resident may object."""
    at = at or now()
    request = access.lock(request.pk, by=by)
    access.begin(request, Verb.DECLINE, by=by, version=version)
    _outcome(request, outcome, Ending.DECLINED)
    resume_clock(request, by=by, at=at)
    _end(request, State.DECLINED, outcome, note, at)
    request.done_at = request.ended_at = at
    fields = (*_ENDING_FIELDS, "done_at", "ended_at")
    access.write(request, "request.declined", {"outcome": outcome}, by=by, at=at, fields=fields)
    following.end_with_leader(request, by=by, at=at)
    return request


@transaction.atomic
def confirm(request: Request, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Request:
    """The resident's yes. It closes the request, unless others who reported the same may still object.

    On a joined request it is that reporter's yes to the leading one.
    """
    at = at or now()
    request, leading = access.lock_family(request.pk, by=by)
    target = leading if request.state == State.JOINED and leading else request
    access.permit(by, Verb.CONFIRM)
    if target is request:
        access.begin(request, Verb.CONFIRM, by=by, version=version)
    else:
        access.check_version(request, version)
        if target.state != State.DONE:
            raise Conflict(f"The leading request {target.number} is not reported done yet.")
    keep(target, Proof(kind=EvidenceKind.RESIDENT_YES, reference=f"request:{request.pk}"), by=by, at=at)
    access.write(request, "request.confirmed", {"leading": target.pk}, by=by, at=at)
    if following.all_said_yes(target):
        _close(target, "confirmed", by=by, at=at)
        request.refresh_from_db()
    return request


def _close(request: Request, why: str, *, by: Actor, at: datetime) -> None:
    request.state = State.CLOSED
    request.ended_at = at
    access.write(request, "request.closed", {"why": why, "outcome": request.outcome}, by=by, at=at,
                 fields=("state", "ended_at"))  # fmt: skip
    following.end_with_leader(request, by=by, at=at)


@transaction.atomic
def close_undisputed(request: Request, *, by: Actor | None = None, at: datetime | None = None) -> Request:
    """The dispute window has passed without a no. Only the clock may do this; anybody else needs the resident's yes."""
    at = at or now()
    by = by or system(request.jurisdiction_id)
    request = access.lock(request.pk, by=by)
    if request.state != State.DONE or request.leading_id is not None:
        return request
    access.begin(request, Verb.CLOSE, by=by, version=None)
    if request.dispute_until is None or at < request.dispute_until:
        raise Conflict(f"The resident may still object to {request.number}.")
    _close(request, "undisputed", by=by, at=at)
    return request


@transaction.atomic
def dispute(
    request: Request, *, text: str = "", by: Actor, version: int | None = None, at: datetime | None = None
) -> Request:
    """The resident's no: it is open again under its original clock, and what was shown before proves nothing any more.

    On a joined request whose leading one is reported done, it reopens the leading one.
    """
    at = at or now()
    request, leading = access.lock_family(request.pk, by=by)
    access.begin(request, Verb.DISPUTE, by=by, version=version)
    target = _disputed(request, leading)
    if target.dispute_until is not None and at > target.dispute_until:
        raise Conflict(f"The time to object to {target.number} has passed; file a new request that names this number.")
    if text:
        access.hold_reporter(request)
        Comment.objects.create(
            jurisdiction_id=request.jurisdiction_id, request=request, at=at, actor_kind=by.kind.value,
            actor_ref=by.ref, is_public=False, text=text,
        )  # fmt: skip
    if target is request and request.leading_id is not None and leading is not None:
        following.leave(request, leading, by=by, at=at)
    _reopen(target, None if target is request else request, by=by, at=at)
    following.tell_reopened(target, by=by, at=at)
    request.refresh_from_db()
    return request


def _disputed(request: Request, leading: Request | None) -> Request:
    if request.state != State.JOINED or leading is None:
        return request
    if leading.state != State.DONE:
        raise Conflict(
            f"The leading request {leading.number} is not reported done, so there is nothing to object to yet."
        )
    return leading


def _reopen(request: Request, said_on: Request | None, *, by: Actor, at: datetime) -> None:
    """`said_on`: the joined request whose reporter said no; the words stand there."""
    last = Evidence.objects.filter(jurisdiction_id=request.jurisdiction_id, request=request).order_by("-pk").first()
    under = terms_of(request)
    request.state = State.RECEIVED
    request.reopened_count += 1
    request.evidence_after = last.pk if last else 0
    request.completion = under.completion
    request.outcome = request.outcome_note = ""
    request.done_at = request.ended_at = request.dispute_until = None
    request.escalate_at = first_escalation(under.policy, request.due_at)
    fields = (
        "leading", "state", "reopened_count", "evidence_after", "completion", "outcome", "outcome_note", "done_at", "ended_at",
        "dispute_until", "escalate_at",
    )  # fmt: skip
    body = {"count": request.reopened_count, **({"follower": said_on.pk} if said_on else {})}
    access.write(request, "request.reopened", body, by=by, at=at, fields=fields)
