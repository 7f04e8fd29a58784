"""What happens to the joined requests when their leading one moves: each reporter's own chain says so, so each is told."""

from __future__ import annotations

from datetime import datetime

from loop311.catalog.definitions import EvidenceKind
from loop311.kit.actor import Actor
from loop311.requests.models import Evidence, Request
from loop311.requests.policies import State
from loop311.requests.services import access

_MIRRORED = ("outcome", "outcome_note", "done_at", "ended_at", "dispute_until")


def followers(leading: Request, *states: State) -> list[Request]:
    """Locked in the order of their ids, so that two verbs on one family cannot deadlock."""
    found = Request.objects.select_for_update(of=("self",)).select_related("jurisdiction")
    return list(
        found.filter(jurisdiction_id=leading.jurisdiction_id, leading_id=leading.pk, state__in=states).order_by("pk")
    )


def tell_done(leading: Request, *, by: Actor, at: datetime) -> None:
    """The work is reported done; a follower stays joined, and its reporter may say no."""
    for follower in followers(leading, State.JOINED):
        _mirror(follower, leading)
        body = {"leading": leading.pk, "outcome": leading.outcome}
        access.write(follower, "request.leader_done", body, by=by, at=at, fields=_MIRRORED)


def end_with_leader(leading: Request, *, by: Actor, at: datetime) -> None:
    """The leading request is closed or declined: so is each follower, and each reporter is told the true end."""
    for follower in followers(leading, State.JOINED):
        _mirror(follower, leading)
        follower.state = leading.state
        body = {"leading": leading.pk, "outcome": leading.outcome}
        access.write(follower, "request.leader_closed", body, by=by, at=at, fields=("state", *_MIRRORED))


def tell_reopened(leading: Request, *, by: Actor, at: datetime) -> None:
    """Somebody said no: followers wait again."""
    for follower in followers(leading, State.JOINED, State.DECLINED):
        follower.state = State.JOINED
        _mirror(follower, leading)
        access.write(
            follower, "request.leader_reopened", {"leading": leading.pk}, by=by, at=at, fields=("state", *_MIRRORED)
        )


def _mirror(follower: Request, leading: Request) -> None:
    for field in _MIRRORED:
        setattr(follower, field, getattr(leading, field))


def all_said_yes(leading: Request) -> bool:
    """Nobody who reported it, and can be asked, is left to say no. Anonymous reporters cannot be asked."""
    reporters = set(
        Request.objects.filter(
            jurisdiction_id=leading.jurisdiction_id, leading_id=leading.pk, state=State.JOINED, resident__isnull=False
        ).values_list("pk", flat=True)
    )
    if leading.resident_id is not None or not reporters:
        reporters.add(leading.pk)
    said = Evidence.objects.filter(
        jurisdiction_id=leading.jurisdiction_id,
        request=leading,
        kind=EvidenceKind.RESIDENT_YES,
        pk__gt=leading.evidence_after,
    ).values_list("reference", flat=True)
    return reporters <= {int(reference.split(":")[1]) for reference in said}


def leave(follower: Request, leading: Request, *, by: Actor, at: datetime) -> None:
    """The follower is its own request again; the caller saves `leading` and `state`."""
    follower.leading = None
    follower.state = State.RECEIVED
    leading.joined_count -= 1
    access.write(leading, "request.follower_left", {"follower": follower.pk}, by=by, at=at, fields=("joined_count",))
