"""What a person does about a stuck or contradictory pair."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Invalid
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.workorders.connectors.base import ChangeKind, Report
from loop311.workorders.mapping import LinkMap, Meaning, StatusMap, meaning_of, outcome_of
from loop311.workorders.models import Mismatch, Order
from loop311.workorders.policies import MismatchKind, OrderState
from loop311.workorders.services import access, following, hearing, mismatching, sending


@transaction.atomic
def try_again(order: Order, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Order:
    """What is to be said is said now, whatever it waited for."""
    at = at or now()
    order, _ = _begin(order, by, version)
    waits = bool(order.token) or order.outgoing.filter(ended_at__isnull=True).exists()
    if not waits and order.state != OrderState.PARKED:
        raise Conflict(f"There is nothing more to say about {order.reference}.")
    order.state = OrderState.UNKNOWN if _is_doubtful(order) else sending.settled(order)
    order.next_at, order.fails, order.reason = (at if waits else None), 0, ""
    mismatching.mend(order.link, by=by, at=at, how="try_again", order=order, kinds=[MismatchKind.PARKED])
    return _end(order, "try_again", ("state", "next_at", "fails", "reason"), by=by, at=at)


def _is_doubtful(order: Order) -> bool:
    return order.outgoing.filter(ended_at__isnull=True, doubtful=True).exists()


@transaction.atomic
def send_anew(order: Order, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Order:
    """Somebody has looked there and answers for it: they do not have it. It is created without another look-up."""
    at = at or now()
    order, _ = _begin(order, by, version)
    if order.their_key or not order.outgoing.filter(kind=following.CREATE, ended_at__isnull=True).exists():
        raise Conflict(f"{order.reference} is there already.")
    order.outgoing.filter(ended_at__isnull=True).update(doubtful=False)
    order.state, order.next_at, order.fails, order.reason = OrderState.UNPROCESSED, at, 0, ""
    _settle(order, "send_anew", by=by, at=at)
    return _end(order, "send_anew", ("state", "next_at", "fails", "reason"), by=by, at=at)


def may_mend(order: Order, *, by: Actor) -> None:
    """Before they are asked on somebody's behalf. Raises Forbidden, NotFound or Conflict."""
    with transaction.atomic():
        _begin(order, by, None)


@transaction.atomic
def take_theirs(order: Order, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Order:
    """The request becomes what they say, by this person's own right to do so: with evidence, an outcome, a permission."""
    at = at or now()
    order, request = _begin(order, by, version)
    link = access.mapping(order.link)
    meant = meaning_of(link, order.their_status)
    if meant is None:
        raise Conflict(f"Nobody has said what {order.their_status!r} means: write it into links.yaml first.")
    if meant.means is Meaning.DECLINED:
        requests.decline(request, outcome=_their_no(link, order, meant), by=by, at=at)
    elif meant.means is Meaning.DONE:
        requests.resolve(request, outcome=outcome_of(link, order.service, meant), by=by, at=at)
    elif meant.means is Meaning.CANCELLED:
        raise Conflict("They have cancelled it; move the request to whoever does it now, or say there that it is open.")
    else:
        hearing.apply(request, order, by=by, at=at)
    _settle(order, "take_theirs", by=by, at=at)
    return _end(order, "take_theirs", (), by=by, at=at)


def _their_no(link: LinkMap, order: Order, meant: StatusMap) -> str:
    outcome = outcome_of(link, order.service, meant)
    if not outcome:
        raise Conflict(
            f"links.yaml names no outcome for {order.their_status!r}. "
            "Decline the request on its own page, where you choose what the resident is told."
        )
    return outcome


@transaction.atomic
def take_ours(order: Order, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Order:
    """They are told again how it stands here."""
    at = at or now()
    order, request = _begin(order, by, version)
    kind = ChangeKind.STATE.value if order.holds else following.CANCEL
    body = {"state": request.state} if order.holds else {"why": "mended"}
    if order.state in (OrderState.PARKED, OrderState.CANCELLED):
        order.state = sending.settled(order)
    order.next_at = at
    following.say(order, kind, body, event_id=0, at=at)
    _settle(order, "take_ours", by=by, at=at)
    return _end(order, "take_ours", ("state", "next_at"), by=by, at=at)


@transaction.atomic
def link_to(
    order: Order, *, their_key: str, by: Actor, version: int | None = None, at: datetime | None = None
) -> Order:
    """Somebody has found their record: from now on it is this one, and it is not created again."""
    at = at or now()
    order, _ = _begin(order, by, version)
    key = their_key.strip()
    if not key or len(key) > 200:
        raise Invalid("Write their key.", fields=[FieldProblem("their_key", "This is empty or too long.")])
    taken = Order.objects.of_city(order.jurisdiction_id).filter(link=order.link, their_key=key).exclude(pk=order.pk)
    if other := taken.first():
        detail = f"{key} is the record of {other.reference} already."
        raise Invalid(detail, fields=[FieldProblem("their_key", detail)])
    order.outgoing.filter(kind=following.CREATE, ended_at__isnull=True).update(ended_at=at, said=True, doubtful=False)
    order.their_key, order.acknowledged_at, order.reason, order.fails = key, order.acknowledged_at or at, "", 0
    order.state = sending.settled(order)
    order.next_at = at if order.outgoing.filter(ended_at__isnull=True).exists() else None
    _settle(order, "link_to", by=by, at=at)
    fields = ("their_key", "acknowledged_at", "reason", "fails", "state", "next_at")
    return _end(order, "link_to", fields, by=by, at=at)


@transaction.atomic
def cancel_there(order: Order, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Order:
    """The department's record is to end; the request stays here with its number, clock and team."""
    at = at or now()
    order, _ = _begin(order, by, version)
    if not order.holds:
        raise Conflict(f"{order.reference} is being cancelled there already, or is.")
    order.holds = False
    order.outgoing.filter(ended_at__isnull=True).exclude(kind=following.CREATE).update(ended_at=at)
    if order.state == OrderState.PARKED:
        order.state, order.reason = OrderState.UNKNOWN, ""
    order.next_at = at
    following.say(order, following.CANCEL, {"why": following.CALLED_OFF}, event_id=0, at=at)
    _settle(order, "cancel_there", by=by, at=at)
    return _end(order, "cancel_there", ("holds", "state", "reason", "next_at"), by=by, at=at)


@transaction.atomic
def hand_over_anew(order: Order, *, by: Actor, version: int | None = None, at: datetime | None = None) -> Order:
    """Their record is gone and must not be: they get another, under a mark of its own; number and clock here stay."""
    at = at or now()
    order, request = _begin(order, by, version)
    if not order.mismatches.filter(kind=MismatchKind.GONE_THERE, mended_at__isnull=True).exists():
        raise Conflict(f"The record of {order.reference} is not known to be gone there.")
    if following.open_anew(request, order, by=by, at=at) is None:
        raise Conflict("No link takes this request as it stands now; re-route it to whoever does the work.")
    return _end(order, "hand_over_anew", (), by=by, at=at)


@transaction.atomic
def park(order: Order, *, reason: str, by: Actor, version: int | None = None, at: datetime | None = None) -> Order:
    """Nothing more is said until somebody tries again."""
    at = at or now()
    order, request = _begin(order, by, version)
    if not reason.strip() or len(reason) > 500:
        raise Invalid(
            "Say why, in at most 500 characters.", fields=[FieldProblem("reason", "This is empty or too long.")]
        )
    if not order.holds or order.state == OrderState.PARKED:
        raise Conflict(f"{order.reference} is {order.state} already.")
    order.state, order.reason, order.next_at = OrderState.PARKED, reason.strip(), None
    mismatching.note(order.link, MismatchKind.PARKED, by=by, at=at, order=order, ours=request.state)
    return _end(order, "park", ("state", "reason", "next_at"), by=by, at=at)


@transaction.atomic
def note_looked_up(order: Order, report: Report | None, *, by: Actor, at: datetime | None = None) -> str:
    """A person had it looked up there: what was found is heard like any other report. What became of it."""
    at = at or now()
    order, request = _begin(order, by, None)
    if report is None:
        if order.their_key:
            mismatching.note(order.link, MismatchKind.GONE_THERE, by=by, at=at, order=order, ours=request.state)
        return "not_there"
    if not order.their_key:
        link_to(order, their_key=report.their_key, by=by, at=at)
    became = hearing.hear(order.link, report, at) or "known"
    open_ = order.mismatches.filter(mended_at__isnull=True)
    return "untold" if not report.status and open_.exists() else became


@transaction.atomic
def settle_mismatch(mismatch_id: int, *, by: Actor, at: datetime | None = None) -> Mismatch:
    """A person has looked and lets it be; the comparison opens it again if it still is so tomorrow."""
    access.permit(by, "workorders.mend")
    rows = Mismatch.objects.select_for_update(of=("self",)).select_related("link")
    found = rows.filter(jurisdiction_id=by.jurisdiction_id, pk=mismatch_id, mended_at__isnull=True).first()
    if found is None:
        raise Conflict("This has been mended already.")
    mismatching.end(found.link, found, by=by, at=at or now(), how="looked_at")
    return found


def _begin(order: Order, by: Actor, version: int | None) -> tuple[Order, Request]:
    access.permit(by, "workorders.mend")
    found = Order.objects.of_city(by.jurisdiction_id).filter(pk=order.pk).first()
    if found is None:
        return access.hold_order(order.pk, jurisdiction_id=by.jurisdiction_id), order.request  # raises NotFound
    request = access.hold_request(by.jurisdiction_id, found.request_id)
    held = access.hold_order(order.pk, jurisdiction_id=by.jurisdiction_id)
    access.check_version(held, version)
    if held.state == OrderState.SENDING:
        raise Conflict(f"{held.reference} is being sent just now; look again in a moment.")
    return held, request


def _settle(order: Order, how: str, *, by: Actor, at: datetime) -> None:
    mismatching.mend(order.link, by=by, at=at, how=how, order=order)


def _end(order: Order, act: str, fields: tuple[str, ...], *, by: Actor, at: datetime) -> Order:
    access.write(order, "workorder.mended", {"act": act}, fields, by=by, at=at)
    if order.next_at is not None:
        access.wake(order.link_id)
    return order
