"""What is said about an order, put together when it is said: from the request as it stands, in the mapping's words."""

from __future__ import annotations

import mimetypes
import re
from datetime import datetime

import msgspec
from django.conf import settings

from loop311.catalog.services import index_of
from loop311.requests.models import Attachment, Comment, Evidence, Request
from loop311.requests.services.attaching import store
from loop311.residents.policies import PointKind
from loop311.residents.services import contact_points, standing
from loop311.workorders.connectors import base
from loop311.workorders.connectors.base import Attached, Change, ChangeKind, Contact, Proven
from loop311.workorders.mapping import Facts, Held, LinkMap, translate
from loop311.workorders.models import Link, Order, Outgoing
from loop311.workorders.services import access

_FILE = re.compile(r"/desk/requests/(?P<number>[0-9A-Za-z-]{1,40})/files/(?P<id>[0-9]{1,18})/$")

_STATES = {
    "received": "It is open again.",
    "assigned": "Somebody of the team has it.",
    "in_progress": "Work has begun.",
    "waiting": "The clock stands still: {reason}.",
    "done": "It is reported done: {outcome}.",
    "closed": "It is over: {outcome}.",
    "declined": "It was declined: {outcome}.",
}


def order_words(order: Order) -> base.Outgoing | Held:
    request = _request(order)
    link = access.mapping(order.link)
    mapped = link.services.get(order.service)
    facts = Facts(
        number=request.number,
        reference=order.reference,
        service=order.service,
        description=request.description,
        address=request.address,
        latitude=request.latitude,
        longitude=request.longitude,
        answers=request.answers,
        priority=request.priority,
        received_at=request.received_at,
        due_at=request.due_at,
        url=f"{settings.BASE_URL}/desk/requests/{request.number}/",
        contact=_contact(request) if mapped and mapped.contact else None,
        their_key=order.their_key,
        their_url=order.their_url,
        token=order.token,
        opened_at=order.opened_at,
    )
    return translate(link, index_of(request.catalogue_version_id), facts)


def plain_words(order: Order) -> base.Outgoing:
    """As much as it takes to name the order, where the mapping no longer translates it: to look it up, change or cancel it."""
    request = _request(order)
    return base.Outgoing(
        number=request.number,
        reference=order.reference,
        service=order.service,
        theirs=order.theirs,
        title=request.number,
        received_at=request.received_at,
        their_key=order.their_key,
        their_url=order.their_url,
        token=order.token,
        opened_at=order.opened_at,
    )


def _request(order: Order) -> Request:
    wanted = Request.objects.select_related("jurisdiction", "service", "resident")
    return wanted.get(jurisdiction_id=order.jurisdiction_id, pk=order.request_id)


def _contact(request: Request) -> Contact | None:
    if request.resident is None:
        return None
    person = standing(request.resident)
    points = contact_points(person)
    phone = next((p.address for p in points if p.kind in (PointKind.MOBILE, PointKind.PHONE)), "")
    email = next((p.address for p in points if p.kind == PointKind.EMAIL), "")
    return Contact(name=person.name, phone=phone, email=email)


def change_words(order: Order, said: Outgoing) -> Change | None:
    """None: there is nothing left to say (the words were erased meanwhile)."""
    kind = ChangeKind(said.kind)
    make = _MAKERS[kind]
    made = make(order, said)
    if made is None:
        return None
    return msgspec.structs.replace(made, again=said.doubtful)


def _bare(order: Order, said: Outgoing, text: str) -> Change:
    return Change(id=f"{order.reference}-{said.pk}", kind=ChangeKind(said.kind), at=said.at, text=text)


def _comment(order: Order, said: Outgoing) -> Change | None:
    if said.body.get("reports"):
        return _bare(order, said, _reports(_request(order).joined_count))
    row = Comment.objects.filter(jurisdiction_id=order.jurisdiction_id, pk=said.body["comment"]).first()
    text = said.body.get("text") if row is None else row.text
    return _bare(order, said, str(text)) if text else None


def _reports(others: int) -> str:
    """How many report it says how much it matters; who they are is not theirs to know."""
    if not others:
        return "Nobody else reports this any more."
    return f"{others + 1} reports of this problem by now; one work order for all of them."


def _evidence(order: Order, said: Outgoing) -> Change | None:
    here = {"jurisdiction_id": order.jurisdiction_id}
    if "attachment" in said.body:
        shown = Attachment.objects.filter(**here, pk=said.body["attachment"], erased_at__isnull=True).first()
        if shown is None:
            return None
        proof = Proven(kind=shown.role, reference=_file_url(order, shown), note=shown.note)
        return _with(_bare(order, said, f"A {shown.role} that shows the problem: {proof.reference}"), proof)
    row = Evidence.objects.filter(**here, pk=said.body["evidence"]).first()
    if row is None:
        return None
    file = Attachment.objects.filter(**here, evidence=row, erased_at__isnull=True).first()
    reference = _file_url(order, file) if file else row.reference
    proof = Proven(kind=row.kind, reference=reference, note=row.note, latitude=row.latitude, longitude=row.longitude)
    text = ". ".join(filter(None, [f"Evidence was added here ({row.kind})", row.note, reference]))
    return _with(_bare(order, said, text), proof)


def _with(change: Change, proof: Proven) -> Change:
    return msgspec.structs.replace(change, evidence=(proof,))


def _file_url(order: Order, file: Attachment) -> str:
    """Behind a sign-in, like the request's page."""
    return f"{settings.BASE_URL}/desk/requests/{order.request.number}/files/{file.pk}/"


def _state(order: Order, said: Outgoing) -> Change:
    """The state as it is now, not as it was: a later change says the same again, and theirs never goes back."""
    request = _request(order)
    index = index_of(request.catalogue_version_id)
    language = index.languages[0]
    outcome = index.outcomes.get(request.outcome)
    reason = index.stop_reasons.get(request.waiting_reason)
    text = _STATES.get(request.state, "").format(
        outcome=index.text(outcome.texts, language) if outcome else request.outcome,
        reason=index.text(reason.texts, language) if reason else request.waiting_reason,
    )
    status = _link(order).states.get(request.state, "")
    return msgspec.structs.replace(_bare(order, said, text), state=request.state, status=status)


def _priority(order: Order, said: Outgoing) -> Change:
    request = _request(order)
    theirs = _link(order).priorities.get(request.priority, "")  # type: ignore[call-overload]
    return msgspec.structs.replace(_bare(order, said, f"Priority: {request.priority}."), priority=theirs)


def _due(order: Order, said: Outgoing) -> Change:
    due_at = _request(order).due_at
    text = f"Promised by {_local(order, due_at)}." if due_at else "The promised date has changed."
    return msgspec.structs.replace(_bare(order, said, text), due_at=due_at)


def _local(order: Order, at: datetime) -> str:
    return at.astimezone(order.request.jurisdiction.zone).strftime("%Y-%m-%d %H:%M %Z")


def _erased(order: Order, said: Outgoing) -> Change:
    return _bare(order, said, "What the reporter wrote was erased here at their wish; please erase it too.")


def _link(order: Order) -> LinkMap:
    return access.mapping(order.link)


_MAKERS = {
    ChangeKind.COMMENT: _comment,
    ChangeKind.EVIDENCE: _evidence,
    ChangeKind.STATE: _state,
    ChangeKind.PRIORITY: _priority,
    ChangeKind.DUE: _due,
    ChangeKind.ERASED: _erased,
}

WHY = {
    "request.rerouted": "Another team has it now.",
    "request.handed_over": "Somebody outside the city is responsible.",
    "request.service_changed": "It is asked under another service now.",
    "request.declined": "It was declined here.",
    "request.joined": "It is the same problem as another report.",
}


def why_cancelled(said: Outgoing | None) -> str:
    return WHY.get(str(said.body.get("why", "")) if said else "", "It is no longer for this department.")


def file_behind(link: Link, proof: Proven) -> Attached | None:
    """The file of evidence that was named to them (by its page here); None when it is none, or was erased."""
    found = _FILE.search(proof.reference)
    if found is None:
        return None
    rows = Attachment.objects.filter(jurisdiction_id=link.jurisdiction_id, erased_at__isnull=True)
    row = rows.filter(request__number=found["number"], pk=int(found["id"]), request__orders__link=link).first()
    if row is None:
        return None
    name = f"{row.role}-{row.pk}{mimetypes.guess_extension(row.media_type) or ''}"
    path = store(link.jurisdiction_id).path(bytes(row.digest))
    try:
        return Attached(name=name, content_type=row.media_type, data=path.read_bytes())
    except OSError:
        return None
