"""Call-backs: promised, tried, kept, failed, late. Nothing here changes a request: a failed call never ends a problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.db import transaction

from loop311.accounts.models import StaffMember, Team
from loop311.callbacks.models import Attempt, Callback
from loop311.callbacks.policies import (
    POINTS_OF_WAY,
    SPOKEN_TO,
    AttemptOutcome,
    CallbackState,
    CancelReason,
    HandOverReason,
    Way,
    failure_refusal,
    window_refusal,
)
from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction
from loop311.interactions.policies import Channel
from loop311.kit.actor import Actor, ActorKind, system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from loop311.kit.sweeps import pass_over
from loop311.ledger import services as ledger
from loop311.requests.models import Request
from loop311.residents import services as residents
from loop311.residents.models import Resident

SUBJECT = "callback"
log = structlog.get_logger(__name__)
_AT_ONCE = 500
"""Late ones marked in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is promised. The window is two instants; team and contact point are found when not given."""

    window_start: datetime
    window_end: datetime
    reason: str = ""
    way: Way = Way.CALL
    request: Request | None = None
    interaction: Interaction | None = None
    """The contact it is asked for in; one of the staff's own is begun when there is none."""
    team: Team | None = None
    """Accountable; the request's team when not given."""
    owner: StaffMember | None = None
    contact_point_id: int | None = None


@transaction.atomic
def promise(resident: Resident, wish: Wish, *, by: Actor, at: datetime | None = None) -> Callback:
    """Promise to ring the one who stands for this resident."""
    _permit(by)
    _same_city(by, resident, wish.request, wish.interaction, wish.team, wish.owner)
    at = at or now()
    resident = residents.standing(resident)
    if not residents.hold(resident.jurisdiction_id, resident.pk):
        raise Conflict("This resident was erased; there is nobody to ring.")
    refusal = window_refusal(wish.window_start, wish.window_end, at)
    if refusal:
        raise Invalid(refusal, fields=[FieldProblem("window_end", refusal)])
    contact = wish.interaction or interactions.begin(
        resident.jurisdiction, Channel.STAFF, resident=resident, by=by, at=at
    )
    callback = Callback.objects.create(
        jurisdiction_id=resident.jurisdiction_id,
        resident=resident,
        request=wish.request,
        interaction=contact,
        team_id=_team_id(wish),
        owner=_owner(wish.owner),
        way=wish.way,
        contact_point_id=_point_id(resident, wish.way, wish.contact_point_id),
        window_start=wish.window_start,
        window_end=wish.window_end,
        reason=wish.reason.strip(),
        promised_at=at,
    )
    ledger.append("callback.promised", SUBJECT, callback.pk, _promised(callback), by=by, at=at, first=True)
    return callback


def _promised(callback: Callback) -> dict[str, object]:
    return {
        "interaction": callback.interaction_id,
        "team": callback.team_id,
        "owner": callback.owner_id,
        "way": callback.way,
        **_about(callback),
    }


def _about(callback: Callback) -> dict[str, object]:
    """Stands in every event of a call-back: whom, what about, when; messages to the resident are made from it."""
    return {
        "resident": callback.resident_id,
        "request": callback.request_id,
        "window_from": callback.window_start.isoformat(),
        "window_to": callback.window_end.isoformat(),
    }


@transaction.atomic
def reassign(
    callback: Callback,
    *,
    by: Actor,
    team: Team | None = None,
    owner: StaffMember | None = None,
    reason: str = "",
    version: int | None = None,
    at: datetime | None = None,
) -> Callback:
    """Give it to another team (then the owner is free unless named) or to another member of staff."""
    _same_city(by, team, owner)
    callback = _open(callback, by, version)
    if team is None and owner is None:
        raise Invalid("Name a team or a member of staff.", fields=[FieldProblem("owner", "Empty.")])
    callback.team = team or callback.team
    callback.owner = _owner(owner)
    why = _listed(HandOverReason, "reason", reason) if reason else ""
    body = {"team": callback.team_id, "owner": callback.owner_id, "reason": why}
    return _write(callback, "callback.reassigned", body, ["team", "owner"], by=by, at=at or now())


@transaction.atomic
def attempt(
    callback: Callback,
    *,
    outcome: str,
    by: Actor,
    way: str = Way.CALL,
    contact_point_id: int | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> Callback:
    """Write down one try. When the resident was spoken to, the promise is kept with it."""
    callback = _open(callback, by, version)
    at = at or now()
    tried = Attempt.objects.create(
        jurisdiction_id=callback.jurisdiction_id,
        callback=callback,
        at=at,
        way=_listed(Way, "way", way),
        outcome=_listed(AttemptOutcome, "outcome", outcome),
        contact_point_id=_tried_point(callback, Way(way), contact_point_id),
        actor_kind=by.kind,
        actor_ref=by.ref,
    )
    body: dict[str, object] = {"attempt": tried.pk, "way": tried.way, "outcome": tried.outcome}
    callback = _write(callback, "callback.attempted", body, [], by=by, at=at)
    return _end(callback, CallbackState.KEPT, by=by, at=at) if tried.outcome in SPOKEN_TO else callback


def keep(callback: Callback, *, by: Actor, way: str = Way.CALL, at: datetime | None = None) -> Callback:
    """The resident was spoken to."""
    return attempt(callback, outcome=AttemptOutcome.REACHED, way=way, by=by, at=at)


@transaction.atomic
def fail(callback: Callback, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Callback:
    """Nobody could be reached: in two ways at least, and since the window began. The request it was about stays as it is."""
    callback = _open(callback, by, version)
    tries = list(callback.attempts.all())
    in_window = any(row.at >= callback.window_start for row in tries)
    refusal = failure_refusal([row.tried() for row in tries], in_window=in_window)
    if refusal:
        raise Conflict(refusal)
    return _end(callback, CallbackState.FAILED, by=by, at=at or now())


@transaction.atomic
def cancel(
    callback: Callback, *, reason: str, by: Actor, version: int | None = None, at: datetime | None = None
) -> Callback:
    """It is not needed any more, for a reason on the list."""
    callback = _open(callback, by, version)
    callback.cancel_reason = _listed(CancelReason, "reason", reason)
    if reason == CancelReason.RESIDENT_ERASED and by.kind is not ActorKind.SYSTEM:
        detail = "That a resident was erased follows from erasing; choose another reason."
        raise Invalid(detail, fields=[FieldProblem("reason", detail)])
    return _end(callback, CallbackState.CANCELLED, by=by, at=at or now())


def mark_late(at: datetime | None = None) -> int:
    """Every open one whose window has passed is said to be late, once, in every city; returns how many.

    One that cannot be marked is logged and holds up no other.
    """
    at = at or now()
    tried, failed = 0, set[int]()
    while batch := _mark_batch(at, failed):
        tried += batch
    return tried - len(failed)


@transaction.atomic
def _mark_batch(at: datetime, failed: set[int]) -> int:
    """How many were tried; those that failed are added to `failed` and not tried again."""
    rows = Callback.objects.late(at).filter(late_at__isnull=True).exclude(pk__in=failed)
    found = list(rows.select_for_update(skip_locked=True).order_by("window_end")[:_AT_ONCE])
    for callback in found:
        try:
            with transaction.atomic():
                _mark(callback, at)
        except Exception:
            failed.add(callback.pk)
            pass_over()
            log.exception("call-back not marked late", callback=callback.pk, jurisdiction=callback.jurisdiction_id)
    return len(found)


def _mark(callback: Callback, at: datetime) -> None:
    callback.late_at = at
    late_by = max(at - callback.window_end, timedelta())
    body = {"minutes": int(late_by.total_seconds() // 60), "team": callback.team_id, "owner": callback.owner_id}
    _write(callback, "callback.late", body, ["late_at"], by=system(callback.jurisdiction_id), at=at)


def get(callback_id: int, *, by: Actor) -> Callback:
    """A call-back of the actor's city, or NotFound."""
    found = Callback.objects.of_city(by.jurisdiction_id).filter(pk=callback_id).select_related("jurisdiction").first()
    if found is None:
        raise NotFound("There is no such call-back.")
    return found


@transaction.atomic
def erase_words(resident_ids: Sequence[int], *, by: Actor) -> int:
    """Empty what the call-backs of these residents were about; returns how many."""
    rows = Callback.objects.of_city(by.jurisdiction_id).filter(resident_id__in=resident_ids).exclude(reason="")
    found = list(rows.select_for_update().order_by("pk"))
    for callback in found:
        callback.reason = ""
        _write(callback, "callback.words_erased", {}, ["reason"], by=by, at=now())
    return len(found)


def forget_resident(event_id: int) -> None:
    """Handler of `resident.erased`: the words go, and what is still open ends, for there is nobody to ring."""
    ids, by = residents.erased_in(event_id)
    erase_words(ids, by=by)
    end_for_erased(ids, by=by)


@transaction.atomic
def end_for_erased(resident_ids: Sequence[int], *, by: Actor) -> int:
    """Cancel every open call-back of these residents, with that reason; returns how many."""
    rows = Callback.objects.of_city(by.jurisdiction_id).open().filter(resident_id__in=resident_ids).order_by("pk")
    found = list(rows)
    for callback in found:
        cancel(callback, reason=CancelReason.RESIDENT_ERASED, by=by)
    return len(found)


# --- Shared by the verbs -----------------------------------------------------------------------------------------------


def _permit(by: Actor) -> None:
    if not by.may("callbacks.write"):
        raise Forbidden("You may not change call-backs.")


def _open(callback: Callback, by: Actor, version: int | None) -> Callback:
    """The row, held; NotFound in another city, Conflict when it has ended or was changed meanwhile."""
    rows = Callback.objects.of_city(by.jurisdiction_id).select_for_update(of=("self",)).select_related("jurisdiction")
    found = rows.filter(pk=callback.pk).first()
    if found is None:
        raise NotFound("There is no such call-back.")
    _permit(by)
    if version is not None and version != found.version:
        raise Conflict(
            "Somebody has changed this call-back meanwhile; read it again.", extra={"version": found.version}
        )
    if found.state != CallbackState.OPEN:
        raise Conflict(f"This call-back was {found.state} already.", extra={"state": found.state})
    return found


def _end(callback: Callback, state: CallbackState, *, by: Actor, at: datetime) -> Callback:
    callback.state = state
    callback.ended_at = at
    body = {"on_time": at <= callback.window_end, "reason": callback.cancel_reason}
    return _write(callback, f"callback.{state}", body, ["state", "ended_at", "cancel_reason"], by=by, at=at)


def _write(
    callback: Callback, kind: str, body: Mapping[str, object], fields: list[str], *, by: Actor, at: datetime
) -> Callback:
    callback.version += 1
    callback.save(update_fields=[*fields, "version"])
    ledger.append(kind, SUBJECT, callback.pk, {**body, **_about(callback)}, by=by, at=at)
    return callback


def _same_city(by: Actor, *rows: Resident | Request | Interaction | Team | StaffMember | None) -> None:
    for row in rows:
        if row is not None and row.jurisdiction_id != by.jurisdiction_id:
            raise NotFound(f"There is no such {row._meta.verbose_name} in this city.")


def _team_id(wish: Wish) -> int:
    if wish.team is not None:
        return int(wish.team.pk)
    if wish.request is not None:
        return int(wish.request.team_id)
    raise Invalid("Say which team is accountable.", fields=[FieldProblem("team", "A call-back needs a team.")])


def _owner(owner: StaffMember | None) -> StaffMember | None:
    if owner is not None and not owner.is_active:
        raise Invalid("This member of staff has left.", fields=[FieldProblem("owner", "Has left.")])
    return owner


def _point_id(resident: Resident, way: Way, wanted: int | None) -> int | None:
    """The contact point to use: the one wanted if it is the resident's and fits, else the first that fits."""
    kinds = POINTS_OF_WAY[way]
    fitting = [point.id for point in residents.contact_points(resident) if point.kind in kinds]
    if wanted is not None:
        if wanted not in fitting:
            detail = "This contact point is not one of the resident's that can be used in this way."
            raise Invalid(detail, fields=[FieldProblem("contact_point", detail)])
        return wanted
    if kinds and not fitting:
        detail = f"The resident has no contact point for a {way}; add one first."
        raise Invalid(detail, fields=[FieldProblem("contact_point", detail)])
    return fitting[0] if fitting else None


def _tried_point(callback: Callback, way: Way, wanted: int | None) -> int | None:
    """Where it was tried: what was promised when the same way was taken, otherwise what the resident has for it."""
    if wanted is None and way == callback.way:
        return callback.contact_point_id
    return _point_id(callback.resident, way, wanted)


def _listed(kinds: type[StrEnum], field: str, value: str) -> str:
    try:
        return kinds(value).value
    except ValueError as error:
        detail = f"{value!r} is not one of {', '.join(kinds)}."
        raise Invalid(detail, fields=[FieldProblem(field, detail)]) from error
