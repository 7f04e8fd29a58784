"""From a report of theirs to what follows here: the request's own verbs, or a mismatch. Nothing is guessed or counts twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction

from loop311.catalog.definitions import EvidenceKind
from loop311.kit.actor import Actor, system
from loop311.kit.problems import Conflict, Problem
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.requests.policies import State, Verb, may_follow
from loop311.workorders.connectors.base import ChangeKind, Proven, Report
from loop311.workorders.mapping import Meaning, StatusMap, meaning_of, outcome_of
from loop311.workorders.models import Incoming, Link, Order
from loop311.workorders.policies import MismatchKind, OrderState, web_address
from loop311.workorders.services import access, agreeing, following, mismatching

NOTHING, OLDER = "nothing", "older"
_KINDS = frozenset(EvidenceKind) - {EvidenceKind.RESIDENT_YES}
_MOST_WORDS = 19_000


def unheard(link: Link, reports: Sequence[Report]) -> list[Report]:
    """Without those that were heard already: who is asked by key answers with all that is open, each minute again."""
    ids = {report.id[:400] for report in reports}
    known = Incoming.objects.filter(jurisdiction_id=link.jurisdiction_id, link=link, report__in=ids)
    heard = set(known.values_list("report", flat=True))
    return [report for report in reports if report.id[:400] not in heard]


def is_ours(link: Link, report: Report) -> bool:
    """Whether it is about a record of an order."""
    return _find(link, report) is not None


@transaction.atomic
def hear(link: Link, report: Report, at: datetime) -> str | None:
    """What it became; None when it is of nothing of ours, or was heard already."""
    found = _find(link, report)
    if found is None:
        return None
    request = access.hold_request(link.jurisdiction_id, found.request_id)
    order = access.hold_order(found.pk, jurisdiction_id=link.jurisdiction_id)
    known = Incoming.objects.filter(jurisdiction_id=link.jurisdiction_id, link=link, report=report.id[:400])
    if known.exists():
        return None
    by = access.of_link(link)
    _name(order, report, by=by, at=at)
    following.share_number(request, order, by=system(link.jurisdiction_id), at=at)
    became = _take(request, order, report, by=by, at=at)
    Incoming.objects.create(
        jurisdiction_id=link.jurisdiction_id, link=link, order=order, report=report.id[:400],
        status=report.status[:200], happened_at=report.at, heard_at=at, became=became,
    )  # fmt: skip
    fields = ("their_status", "their_at", "their_url")
    access.write(order, "workorder.reported", {"became": became}, fields, by=by, at=at)
    return became


def _find(link: Link, report: Report) -> Order | None:
    """By their key, else by our mark, as long as the record that bears it may be the order's."""
    orders = Order.objects.of_city(link.jurisdiction_id).filter(link=link)
    if report.their_key and (found := orders.filter(their_key=report.their_key).first()):
        return found
    marked = orders.filter(reference=report.reference).first() if report.reference else None
    if marked is not None and marked.their_key and report.their_key:
        return None  # a second record with our mark: the comparison shows it
    return marked


def _name(order: Order, report: Report, *, by: Actor, at: datetime) -> None:
    """They have named their key."""
    if order.their_key or not report.their_key:
        return
    order.their_key, order.their_url, order.acknowledged_at = report.their_key, web_address(report.their_url), at
    if order.state == OrderState.SENT:
        order.state = OrderState.ACKNOWLEDGED
        order.next_at = at if order.outgoing.filter(ended_at__isnull=True).exists() else None
    fields = ("their_key", "their_url", "acknowledged_at", "state", "next_at")
    access.write(order, "workorder.acknowledged", {"found": True}, fields, by=by, at=at)


def _take(request: Request, order: Order, report: Report, *, by: Actor, at: datetime) -> str:
    order.their_url = web_address(report.their_url) or order.their_url
    if report.words.strip():
        _comment(request, order, report, by=by, at=at)
    proved = [_prove(request, proof, by=by, at=at) for proof in report.evidence]
    if report.status and (order.their_at is None or report.at >= order.their_at):
        order.their_status, order.their_at = report.status[:200], report.at
        return apply(request, order, by=by, at=at)
    if any(proved) and order.their_status:
        return apply(request, order, by=by, at=at)  # what was missing to believe them may be here now
    return OLDER if report.status else NOTHING


def _comment(request: Request, order: Order, report: Report, *, by: Actor, at: datetime) -> None:
    """For the staff here; what the resident is told is the team's to say."""
    words = report.words.replace("\x00", "").strip()[:_MOST_WORDS]
    requests.comment(request, text=f"{order.link.name}: {words}", by=by, at=at)


def _prove(request: Request, proof: Proven, *, by: Actor, at: datetime) -> bool:
    """Whether it counts as evidence; what is no evidence here, or comes too late, stays as a comment."""
    if proof.kind in _KINDS:
        kept = requests.Proof(
            kind=EvidenceKind(proof.kind), reference=proof.reference[:2000], note=proof.note[:2000],
            latitude=proof.latitude, longitude=proof.longitude,
        )  # fmt: skip
        try:
            requests.add_evidence(request, kept, by=by, at=at)
        except Problem:
            pass
        else:
            return True
    words = " ".join(filter(None, [proof.kind, proof.reference, proof.note])).replace("\x00", "")[:_MOST_WORDS]
    if words.strip():
        requests.comment(request, text=words, by=by, at=at)
    return False


# --- What a status of theirs means --------------------------------------------------------------------------------------


def apply(request: Request, order: Order, *, by: Actor, at: datetime) -> str:
    """Bring the request to where their status says it is, as far as that is theirs to say; otherwise note the mismatch."""
    request.refresh_from_db()
    meant = meaning_of(access.mapping(order.link), order.their_status)
    if meant is None:
        return _differs(order, request, MismatchKind.UNKNOWN_STATUS, by=by, at=at)
    if agreeing.agree(request, order, order.their_status) and not _moves(request, meant):
        agreeing.mend_if_agreed(request, order, by=by, at=at)
        return NOTHING
    if not order.holds:
        return OLDER  # it is being cancelled there; the comparison sees to the rest
    became = _VERBS[meant.means](request, order, meant, by, at)
    request.refresh_from_db()
    agreeing.mend_if_agreed(request, order, by=by, at=at)
    return became


def _moves(request: Request, meant: StatusMap) -> bool:
    """Within the states that agree, there is still a step to take."""
    if meant.means is Meaning.STARTED:
        return request.state not in (State.IN_PROGRESS, State.HANDED_OVER)
    return meant.means is Meaning.WAITING and request.state not in (State.WAITING, State.HANDED_OVER)


def _differs(order: Order, request: Request, kind: MismatchKind, *, by: Actor, at: datetime) -> str:
    mismatching.note(order.link, kind, by=by, at=at, order=order, ours=request.state, theirs=order.their_status)
    return kind.value


def _nothing(request: Request, order: Order, meant: StatusMap, by: Actor, at: datetime) -> str:
    """Open there; here it is over."""
    return _differs(order, request, MismatchKind.STATE_DIFFERS, by=by, at=at)


def _start(request: Request, order: Order, meant: StatusMap, by: Actor, at: datetime) -> str:
    if request.state == State.WAITING:
        return _try(lambda: requests.resume(request, by=by, at=at), "resumed", request, order, by, at)
    if not may_follow(Verb.START, State(request.state)):
        return _nothing(request, order, meant, by, at)
    return _try(lambda: requests.start(request, by=by, at=at), "started", request, order, by, at)


def _wait(request: Request, order: Order, meant: StatusMap, by: Actor, at: datetime) -> str:
    return _try(lambda: requests.wait(request, reason=meant.reason, by=by, at=at), "waiting", request, order, by, at)


def _resolve(request: Request, order: Order, meant: StatusMap, by: Actor, at: datetime) -> str:
    """Done only with the service's evidence; otherwise it is asked for there, once."""
    outcome = outcome_of(access.mapping(order.link), order.service, meant)
    _bear_witness(request, order, by=by, at=at)
    try:
        requests.resolve(request, outcome=outcome, by=by, at=at)
    except Conflict as problem:
        if "missing_evidence" not in problem.extra:
            return _differs(order, request, MismatchKind.REFUSED_HERE, by=by, at=at)
        _ask_for_evidence(order, problem.detail, by=by, at=at)
        return _differs(order, request, MismatchKind.UNPROVED, by=by, at=at)
    except Problem:
        return _differs(order, request, MismatchKind.REFUSED_HERE, by=by, at=at)
    return "done"


def _bear_witness(request: Request, order: Order, *, by: Actor, at: datetime) -> None:
    """Where the service takes another system's record for evidence, theirs is one."""
    asked = any(EvidenceKind.RECORD in group for group in request.completion)
    if not asked or not may_follow(Verb.ADD_EVIDENCE, State(request.state)):
        return
    shown = request.evidence.filter(kind=EvidenceKind.RECORD, pk__gt=request.evidence_after)
    if not shown.exists():
        proof = requests.Proof(kind=EvidenceKind.RECORD, reference=order.their_url or order.their_key)
        requests.add_evidence(request, proof, by=by, at=at)


def _ask_for_evidence(order: Order, sentence: str, *, by: Actor, at: datetime) -> None:
    asked = order.mismatches.filter(kind=MismatchKind.UNPROVED, mended_at__isnull=True)
    if not asked.exists():
        body = {"comment": 0, "text": f"Closed there, but not proved: {sentence}"}
        following.say(order, ChangeKind.COMMENT, body, event_id=0, at=at)


def _decline(request: Request, order: Order, meant: StatusMap, by: Actor, at: datetime) -> str:
    return _differs(order, request, MismatchKind.DECLINED_THERE, by=by, at=at)


def _gone(request: Request, order: Order, meant: StatusMap, by: Actor, at: datetime) -> str:
    return _differs(order, request, MismatchKind.GONE_THERE, by=by, at=at)


def _try(verb: Callable[[], Request], became: str, request: Request, order: Order, by: Actor, at: datetime) -> str:
    try:
        verb()
    except Problem:
        return _differs(order, request, MismatchKind.REFUSED_HERE, by=by, at=at)
    return became


_VERBS = {
    Meaning.NOTHING: _nothing,
    Meaning.STARTED: _start,
    Meaning.WAITING: _wait,
    Meaning.DONE: _resolve,
    Meaning.DECLINED: _decline,
    Meaning.CANCELLED: _gone,
}
