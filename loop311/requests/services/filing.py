"""Taking a request down: validated, placed, routed, promised, numbered, all in one transaction."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from loop311.accounts.models import Team
from loop311.catalog.conditions import validate_answers
from loop311.catalog.definitions import Answers, PlaceNeed, PromisePolicy, Service, Step
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.models import CatalogueVersion
from loop311.catalog.models import Service as ServiceRow
from loop311.catalog.services import at as catalogue_at
from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction
from loop311.interactions.policies import Channel
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import next_number
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.ledger.policies import canonical
from loop311.ledger.services import append
from loop311.places.index import area_index
from loop311.promises import policies as promise_policies
from loop311.requests.models import Promise, Request
from loop311.requests.policies import PromiseReason, State
from loop311.requests.services import access, joining
from loop311.requests.services.handing import hand_over_by_rule
from loop311.requests.services.promising import Terms, first_escalation, terms
from loop311.residents import services as residents
from loop311.residents.models import Resident
from loop311.routing.policies import Decision, decide

MAX_DESCRIPTION = 20_000
MAX_SHORT_TEXT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What a resident asks, as taken down. Latitude and longitude are WGS84 degrees, both or neither."""

    service_code: str
    answers: Mapping[str, object] = field(default_factory=dict)
    description: str = ""
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    location_note: str = ""
    channel: Channel = Channel.PHONE
    language: str = ""
    resident: Resident | None = None
    """None for an anonymous request."""
    on_behalf_of: str = ""
    interaction: Interaction | None = None
    """The contact it is asked in; one is begun when there is none yet."""
    leading: Request | None = None
    """An open request for the same thing in the world: this one is filed joined to it, with a number of its own."""
    knows_conditions: bool = True
    """False where who filed could not see that a question follows from another's answer: then it may stay unanswered."""

    def digest(self) -> bytes:
        """SHA-256 of all that was asked, to recognise the same message."""
        joined = {"leading": self.leading.pk} if self.leading else {}
        return access.digest_of(
            {
                **joined,
                "service": self.service_code,
                "answers": {code: answer for code, answer in self.answers.items()},  # noqa: C416 - any mapping to a dict
                "description": self.description,
                "address": self.address,
                "position": [self.latitude, self.longitude],
                "note": self.location_note,
                "channel": self.channel,
                "resident": self.resident.pk if self.resident else None,
                "on_behalf_of": self.on_behalf_of,
                "interaction": self.interaction.pk if self.interaction else None,
            }
        )


@transaction.atomic
def file(
    jurisdiction: Jurisdiction, filing: Filing, *, by: Actor, key: str | None = None, at: datetime | None = None
) -> Request:
    """File one request; with the same `key` from the same sender again, give the one that was filed.

    Raises Invalid naming every field to mend: the service, answers, place, texts.
    """
    access.permit(by, "file")
    sender = access.sender_of(by, "file")
    if key is not None and (known := access.already_done(sender, key, filing.digest(), by=by)):
        return known
    at = at or now()
    if filing.leading is not None:
        joining.hold(filing.leading, by=by)
    version, index = catalogue_at(jurisdiction, at)
    service = _service(index, filing)
    answers = _checked(filing, service, jurisdiction)
    areas = _areas(jurisdiction, filing, at)
    decision = decide(index, service.code, answers, areas)
    request = _insert(jurisdiction, filing, version, terms(jurisdiction, version.pk, service.code), decision, answers,
                      areas, by=by, at=at)  # fmt: skip
    request = _routed(request, filing.leading, decision, by=by, at=at)
    if key is not None:
        access.remember(sender, key, filing.digest(), request, by=by, at=at)
    return request


def _service(index: CatalogueIndex, filing: Filing) -> Service:
    service = index.services.get(filing.service_code)
    if service is None or service.historical:
        raise Invalid(
            f"The city has no service {filing.service_code[:80]!r}.",
            fields=[FieldProblem("service_code", "This is not in the present catalogue.")],
        )
    return service


def _checked(filing: Filing, service: Service, jurisdiction: Jurisdiction) -> Answers:
    """The normalised answers; Invalid with every fault of the answers, texts and place at once."""
    answers, faults = validate_answers(
        service, filing.answers, jurisdiction.languages, knows_conditions=filing.knows_conditions
    )
    faults = [*_resident_faults(filing), *_text_faults(filing), *faults, *_place_faults(filing, service)]
    if faults:
        raise Invalid(" ".join(f"{f.field}: {f.detail}" for f in faults[:5]), fields=faults)
    return answers


def _resident_faults(filing: Filing) -> list[FieldProblem]:
    """Words taken down for somebody who was erased, be it at this instant, would never be erased."""
    if filing.resident is None or residents.hold(filing.resident.jurisdiction_id, filing.resident.pk):
        return []
    return [FieldProblem("resident_id", "This resident was erased.")]


def _text_faults(filing: Filing) -> list[FieldProblem]:
    texts = {
        "description": (filing.description, MAX_DESCRIPTION),
        "address": (filing.address, MAX_SHORT_TEXT),
        "location_note": (filing.location_note, MAX_SHORT_TEXT),
        "on_behalf_of": (filing.on_behalf_of, MAX_SHORT_TEXT),
    }
    long = [FieldProblem(name, f"This is longer than {most} characters.") for name, (text, most) in texts.items()
            if len(text) > most]  # fmt: skip
    return long + [FieldProblem(name, "This holds a character that cannot be stored.") for name, (text, _) in texts.items()
                   if not _storable(text)]  # fmt: skip


def _storable(text: str) -> bool:
    """PostgreSQL keeps neither NUL nor half a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _place_faults(filing: Filing, service: Service) -> list[FieldProblem]:
    latitude, longitude = filing.latitude, filing.longitude
    if (latitude is None) != (longitude is None):
        return [
            FieldProblem(
                "longitude" if longitude is None else "latitude", "Give both latitude and longitude, or neither."
            )
        ]
    if latitude is not None and longitude is not None:
        # Written so that NaN fails too.
        ok = {"latitude": -90 <= latitude <= 90, "longitude": -180 <= longitude <= 180}
        return [FieldProblem(name, "This is not in degrees.") for name, good in ok.items() if not good]
    if service.place is PlaceNeed.REQUIRED and not filing.address.strip():
        return [FieldProblem("address", "This service needs an address or a position.")]
    return []


def _areas(jurisdiction: Jurisdiction, filing: Filing, at: datetime) -> dict[str, str]:
    if filing.latitude is None or filing.longitude is None:
        return {}
    index = area_index(jurisdiction.pk, at.astimezone(jurisdiction.zone).date())
    if not index.inside_city(filing.latitude, filing.longitude):
        raise Invalid(
            f"The position lies outside {jurisdiction.name}.",
            fields=[
                FieldProblem("latitude", "This lies outside the city."),
                FieldProblem("longitude", "This lies outside the city."),
            ],
        )
    return index.areas_at(filing.latitude, filing.longitude)


_IDENTIFY = """
SELECT s.id, s.jurisdiction_id, s.code, s.group, s.department_code, s.names::text, s.is_offered,
       t.id, t.jurisdiction_id, t.department_id, t.code, t.names::text, t.email
FROM catalog_service s JOIN accounts_team t ON t.jurisdiction_id = s.jurisdiction_id
WHERE s.jurisdiction_id = %s AND s.code = %s AND t.code = %s
"""
_SERVICE = ("id", "jurisdiction_id", "code", "group", "department_code", "names", "is_offered")
_TEAM = ("id", "jurisdiction_id", "department_id", "code", "names", "email")


def identify(jurisdiction_id: int, service_code: str, team_code: str) -> tuple[ServiceRow, Team]:
    """The rows of a service and a team by their codes, whole, in one query. The catalogue was checked, so both exist."""
    with connection.cursor() as cursor:
        cursor.execute(_IDENTIFY, [jurisdiction_id, service_code, team_code])
        row = list(cursor.fetchone())
    row[5], row[11] = json.loads(row[5]), json.loads(row[11])
    return ServiceRow.from_db("default", _SERVICE, row[:7]), Team.from_db("default", _TEAM, row[7:])


def _insert(
    jurisdiction: Jurisdiction,
    filing: Filing,
    version: CatalogueVersion,
    under: Terms,
    decision: Decision,
    answers: Answers,
    areas: dict[str, str],
    *,
    by: Actor,
    at: datetime,
) -> Request:
    interaction = filing.interaction or interactions.begin(
        jurisdiction,
        filing.channel,
        by=by,
        resident=filing.resident,
        on_behalf_of=filing.on_behalf_of,
        language=filing.language,
        at=at,
        is_held=True,
    )
    service, team = identify(jurisdiction.pk, under.service.code, decision.team)
    planned = {p.step: p.due_at for p in promise_policies.plan(_policy(under), decision.priority, at, under.clocks)}
    due_at = planned[Step.RESOLUTION]
    salt = secrets.token_bytes(16)
    request = Request.objects.create(
        jurisdiction=jurisdiction,
        number=next_number(jurisdiction, "request", at),
        interaction=interaction,
        resident=filing.resident,
        catalogue_version=version,
        service=service,
        team=team,
        state=State.RECEIVED,
        priority=decision.priority,
        channel=interaction.channel,
        description=filing.description,
        answers=answers,
        address=filing.address.strip(),
        latitude=filing.latitude,
        longitude=filing.longitude,
        location_note=filing.location_note,
        areas=areas,
        publicity=under.service.publicity,
        completion=under.completion,
        received_at=at,
        updated_at=at,
        first_response_due_at=planned.get(Step.FIRST_RESPONSE),
        due_at=due_at,
        escalate_at=first_escalation(under.policy, due_at),
        salt=salt,
    )
    Promise.objects.bulk_create(
        [
            Promise(
                jurisdiction=jurisdiction,
                request=request,
                step=step,
                sequence=1,
                due_at=due,
                made_at=at,
                reason=PromiseReason.FILED,
                catalogue_version=version,
                policy=_policy(under).code,
            )
            for step, due in planned.items()
        ]
    )
    append(
        "request.filed",
        access.SUBJECT,
        request.pk,
        {
            "number": request.number,
            "state": request.state,
            "version": request.version,
            "service": under.service.code,
            "catalogue": version.number,
            "team": decision.team,
            "rule": decision.routing_rule,
            "priority": decision.priority,
            "channel": request.channel,
            "areas": areas,
            "interaction": interaction.pk,
            "resident": request.resident_id,
            "promises": {step: due.isoformat() for step, due in planned.items()},
            "words": words_digest(request),
        },
        by=by,
        at=at,
        first=True,
        concerns=access.concerned(request),
    )
    return request


def _routed(request: Request, leading: Request | None, decision: Decision, *, by: Actor, at: datetime) -> Request:
    """What happens at once: it follows the leading request, or by geometry or answers somebody outside has it."""
    if leading is not None:
        return joining.join(request, leading=leading, by=by, at=at)
    hand_over_by_rule(request, decision.hand_over, by=by, at=at)
    return request


def _policy(under: Terms) -> PromisePolicy:
    if under.policy is None:
        raise Invalid("Nothing can be filed under a service without a promise.")
    return under.policy


def words_digest(request: Request) -> str:
    """Salted SHA-256 (hex) of what the resident said; stands in the ledger in its place."""
    said = {
        "answers": request.answers,
        "description": request.description,
        "address": request.address,
        "position": [request.latitude, request.longitude],
        "note": request.location_note,
    }
    return hashlib.sha256(bytes(request.salt) + canonical(said).encode()).hexdigest()
