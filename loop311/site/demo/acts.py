"""One function for each act of a story: who does it in Port Alder, through the service that does it everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta

from loop311.catalog.definitions import EvidenceKind
from loop311.interactions.policies import Channel, ContactOutcome
from loop311.kit.actor import Actor
from loop311.requests.models import Request
from loop311.requests.services import Proof
from loop311.site.demo.answers import answers
from loop311.site.demo.crew import resident_actor
from loop311.site.demo.filing import Filed
from loop311.site.demo.founding import Founded
from loop311.site.demo.stories import Act, Step
from loop311.site.demo.streets import CENTER

_NO = {"en": "Demo: it is still there.", "es": "Prueba: todavía está ahí."}
_NOTE = "Demo note: seen on site, work is planned."


def perform(city: Founded, filed: Filed, step: Step) -> None:
    """Do it; raises Conflict when another act has made it impossible."""
    filed.request = _ACTS[step.act](city, filed, step)


def _assign(city: Founded, filed: Filed, step: Step) -> Request:
    member = city.crew.worker(filed.request, filed.rng)
    return city.hands.assign(filed.request, by=member.actor, assignee=member.staff, at=step.at)


def _start(city: Founded, filed: Filed, step: Step) -> Request:
    return city.hands.start(filed.request, by=_worker(city, filed), at=step.at)


def _wait(city: Founded, filed: Filed, step: Step) -> Request:
    return city.hands.wait(filed.request, reason=step.word, by=_worker(city, filed), at=step.at)


def _resume(city: Founded, filed: Filed, step: Step) -> Request:
    return city.hands.resume(filed.request, by=_worker(city, filed), at=step.at)


def _refer(city: Founded, filed: Filed, step: Step) -> Request:
    owner = filed.request.handed_to
    reference = f"{owner[:3].upper()}-{filed.rng.randint(10_000, 99_999)}"
    return city.hands.hand_over(filed.request, owner=owner, reference=reference, by=_worker(city, filed), at=step.at)


def _misroute(city: Founded, filed: Filed, step: Step) -> Request:
    wrong = city.crew.neighboring_team(filed.request)
    if wrong is None:
        return filed.request
    filed.right_team = city.crew.teams[city.crew.code_of(filed.request)]
    return city.hands.reroute(filed.request, team=wrong, by=city.crew.concierge(filed.rng), at=step.at)


def _return(city: Founded, filed: Filed, step: Step) -> Request:
    if filed.right_team is None:
        return filed.request
    lead = city.crew.members[city.crew.code_of(filed.request)][0]
    return city.hands.reroute(filed.request, team=filed.right_team, by=lead.actor, at=step.at)


def _note(city: Founded, filed: Filed, step: Step) -> Request:
    return city.hands.comment(filed.request, text=_NOTE, by=_worker(city, filed), at=step.at)


def _ask_again(city: Founded, filed: Filed, step: Step) -> Request:
    by = city.crew.concierge(filed.rng)
    contact = city.hands.begin_contact(city.jurisdiction, Channel.PHONE, by=by, resident=filed.resident, at=step.at)
    city.hands.link_contact(contact, filed.request, by=by, at=step.at)
    ended = step.at + timedelta(seconds=filed.rng.randint(40, 150))
    city.hands.end_contact(contact, outcome=ContactOutcome.FOLLOW_UP, topic=filed.service.code, by=by, at=ended)
    return filed.request


def _change_service(city: Founded, filed: Filed, step: Step) -> Request:
    service = city.index.services[step.word]
    given = answers(filed.rng, service, step.at, "en")
    by = city.crew.concierge(filed.rng)
    changed = city.hands.change_service(filed.request, service_code=service.code, answers=given, by=by, at=step.at)
    filed.service = service
    return changed


def _evidence(city: Founded, filed: Filed, step: Step) -> Request:
    kind = EvidenceKind(step.word)
    reference = f"demo-{kind.value}-{filed.rng.randint(100_000, 999_999)}"
    latitude, longitude = filed.request.latitude, filed.request.longitude
    if kind is EvidenceKind.POSITION and (latitude is None or longitude is None):
        latitude, longitude = CENTER
    proof = Proof(
        kind=kind,
        reference=reference,
        digest=hashlib.sha256(reference.encode()).digest(),
        latitude=latitude,
        longitude=longitude,
    )
    return city.hands.add_evidence(filed.request, proof, by=_worker(city, filed), at=step.at)


def _resolve(city: Founded, filed: Filed, step: Step) -> Request:
    return city.hands.resolve(filed.request, outcome=step.word, by=_worker(city, filed), at=step.at)


def _decline(city: Founded, filed: Filed, step: Step) -> Request:
    return city.hands.decline(filed.request, outcome=step.word, by=_worker(city, filed), at=step.at)


def _confirm(city: Founded, filed: Filed, step: Step) -> Request:
    return city.hands.confirm(filed.request, by=_voice(city, filed), at=step.at)


def _dispute(city: Founded, filed: Filed, step: Step) -> Request:
    language = filed.resident.language if filed.resident else "en"
    return city.hands.dispute(filed.request, text=_NO[language], by=_voice(city, filed), at=step.at)


def _separate(city: Founded, filed: Filed, step: Step) -> Request:
    return city.hands.separate(filed.request, by=city.crew.concierge(filed.rng), at=step.at)


def _close(city: Founded, filed: Filed, step: Step) -> Request:
    return city.hands.close_undisputed(filed.request, by=city.crew.system, at=step.at)


def _worker(city: Founded, filed: Filed) -> Actor:
    return city.crew.worker(filed.request, filed.rng).actor


def _voice(city: Founded, filed: Filed) -> Actor:
    """The resident's word: by their own hand, or taken down by a concierge."""
    if filed.resident is not None and filed.rng.random() < 0.6:
        return resident_actor(filed.resident)
    return city.crew.concierge(filed.rng)


_ACTS: dict[Act, Callable[[Founded, Filed, Step], Request]] = {
    Act.ASSIGN: _assign,
    Act.START: _start,
    Act.WAIT: _wait,
    Act.RESUME: _resume,
    Act.REFER: _refer,
    Act.MISROUTE: _misroute,
    Act.RETURN: _return,
    Act.NOTE: _note,
    Act.ASK_AGAIN: _ask_again,
    Act.CHANGE_SERVICE: _change_service,
    Act.EVIDENCE: _evidence,
    Act.RESOLVE: _resolve,
    Act.DECLINE: _decline,
    Act.CONFIRM: _confirm,
    Act.DISPUTE: _dispute,
    Act.SEPARATE: _separate,
    Act.CLOSE: _close,
}
