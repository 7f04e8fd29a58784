"""Handing over to somebody outside the city: by a rule of the catalogue or by the team, under the same number and clock."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from loop311.kit.actor import Actor
from loop311.requests.models import Request
from loop311.requests.policies import State
from loop311.requests.services import access

_FIELDS = ("state", "handed_to", "handed_reference", "salt")


def hand_to(
    request: Request, owner: str, reference: str, *, by: Actor, at: datetime, fields: tuple[str, ...] = ()
) -> None:
    """Note who is responsible now, with their own number for it; the ledger gets the owner's code and a digest."""
    request.state = State.HANDED_OVER
    request.handed_to = owner
    request.handed_reference = reference
    request.salt = request.salt or secrets.token_bytes(16)  # imported ones have none
    body = {"owner": owner, "digest": reference_digest(request)}
    access.write(request, "request.handed_over", body, by=by, at=at, fields=(*_FIELDS, *fields))


def hand_over_by_rule(request: Request, owner: str | None, *, by: Actor, at: datetime) -> None:
    """Geometry or answers say that somebody outside is responsible; the number they gave before, if it was them, stays."""
    if owner:
        known = request.handed_reference if request.handed_to == owner else ""
        hand_to(request, owner, known, by=by, at=at)


def reference_digest(request: Request) -> str | None:
    """Salted SHA-256 (hex) of the outside owner's number, which people type and which may hold anything; None without one."""
    if not request.handed_reference:
        return None
    return hashlib.sha256(bytes(request.salt) + request.handed_reference.encode()).hexdigest()
