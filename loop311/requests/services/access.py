"""How every verb begins and ends: lock, permission, state, version; then write, with the next version, and the event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from loop311.kit.actor import Actor
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from loop311.ledger.services import append
from loop311.requests.models import FilingKey, Request
from loop311.requests.policies import State, Verb, may_follow
from loop311.residents import services as residents

SUBJECT = "request"


def permit(by: Actor, verb: Verb | str) -> None:
    if not by.may(f"requests.{verb}"):
        raise Forbidden(f"Your role does not allow this: {str(verb).replace('_', ' ')} a request.")


def lock(request_id: int, *, by: Actor) -> Request:
    """The row, locked until the transaction ends; NotFound if it is not of the actor's city."""
    found = (
        Request.objects.select_for_update(of=("self",))
        .select_related("jurisdiction")
        .filter(jurisdiction_id=by.jurisdiction_id, pk=request_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such request in this city.")
    return found


def lock_family(request_id: int, *, by: Actor) -> tuple[Request, Request | None]:
    """The request and its leading one, if it follows one: the leading one is always locked first, so no two verbs deadlock."""
    for _ in range(3):
        leading_id = (
            Request.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=request_id)
            .values_list("leading_id", flat=True)
            .first()
        )
        held = transaction.savepoint()
        leading = lock(leading_id, by=by) if leading_id else None
        request = lock(request_id, by=by)
        if request.leading_id == leading_id:
            transaction.savepoint_commit(held)
            return request, leading
        transaction.savepoint_rollback(held)  # lets go of both, to hold them in the right order
    raise Conflict("Somebody is joining and separating this request just now; try again.")


def hold_reporter(request: Request) -> None:
    """Before a resident's own words are written: Conflict when who reported it was erased, who otherwise stays until the end."""
    if request.resident_id is not None and not residents.hold(request.jurisdiction_id, request.resident_id):
        raise Conflict("Who reported this was erased; nothing of theirs is written down any more.")


_JOINING = 3111
"""Our class of advisory locks."""


def one_at_a_time(by: Actor) -> None:
    """Until the transaction ends, nobody else in this city joins requests: two joins may want the same two rows crosswise."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_JOINING, by.jurisdiction_id % 2**31])


def begin(request: Request, verb: Verb, *, by: Actor, version: int | None) -> None:
    """Refuse a verb the actor may not use, a stale view of the request, or a state the verb cannot follow."""
    permit(by, verb)
    check_version(request, version)
    if not may_follow(verb, State(request.state)):
        raise Conflict(
            f"Request {request.number} is {_spoken(request.state)}; that does not allow: {_spoken(verb)}.",
            extra={"number": request.number, "state": request.state, "version": request.version},
        )


def check_version(request: Request, version: int | None) -> None:
    """Refuse a stale view of the request."""
    if version is not None and version != request.version:
        raise Conflict(
            f"Request {request.number} was changed meanwhile: it is {_spoken(request.state)} now. Look again, then decide.",
            extra={"number": request.number, "state": request.state, "version": request.version},
        )


def _spoken(word: str) -> str:
    return str(word).replace("_", " ")


def write(
    request: Request, kind: str, body: Mapping[str, object], *, by: Actor, at: datetime, fields: tuple[str, ...] = ()
) -> int:
    """Save `fields` under the next version and append the event, which carries state and version; returns the event's id."""
    request.version += 1
    request.updated_at = at
    request.save(update_fields=[*fields, "version", "updated_at"])
    return append(
        kind,
        SUBJECT,
        request.pk,
        {"number": request.number, "state": request.state, "version": request.version, **body},
        by=by,
        at=at,
        concerns=concerned(request, body.get("from_team")),
    )


def concerned(request: Request, from_team: object = None) -> list[str]:
    """Whose queues show the request, or did."""
    return [f"team:{request.team_id}", *([f"team:{from_team}"] if isinstance(from_team, int) else [])]


# --- The same message twice -------------------------------------------------------------------------------------------


def digest_of(parts: Mapping[str, object]) -> bytes:
    """SHA-256 of a message as it came, before anything in it was checked: any JSON value is taken, NaN too."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).digest()


def already_done(sender: str, key: str, digest: bytes, *, by: Actor) -> Request | None:
    """The request this key was used for, if it was. Concurrent uses of one key wait here for each other.

    Raises Invalid when the same key comes with another content.
    """
    if not 1 <= len(key) <= 200:
        raise Invalid("An idempotency key has 1 to 200 characters.")
    lock_name = f"{by.jurisdiction_id}:{sender}:{key}"
    number = int.from_bytes(hashlib.sha256(lock_name.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        cursor.execute(
            "SELECT digest, request_id FROM requests_filingkey WHERE jurisdiction_id = %s AND sender = %s AND key = %s",
            [by.jurisdiction_id, sender, key],
        )
        used = cursor.fetchone()
    if used is None:
        return None
    if bytes(used[0]) != digest:
        raise Invalid(
            "This idempotency key was used before for something else; use a new key for a new message.",
            fields=[FieldProblem("Idempotency-Key", "This was used before.")],
        )
    return Request.objects.select_related("jurisdiction").get(jurisdiction_id=by.jurisdiction_id, pk=used[1])


def remember(sender: str, key: str, digest: bytes, request: Request, *, by: Actor, at: datetime) -> None:
    FilingKey.objects.create(
        jurisdiction_id=by.jurisdiction_id, sender=sender, key=key, digest=digest, request=request, at=at
    )


def sender_of(by: Actor, verb: str) -> str:
    return f"{by.kind.value}:{by.ref}:{verb}"
