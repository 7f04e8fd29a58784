"""Contacts and filing in memory: what the services of those rooms do to rows, done to what `memory` keeps.

Decisions are those of the rooms: routing, promises, which answers are answers.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property

from loop311.catalog.conditions import validate_answers
from loop311.catalog.definitions import Step
from loop311.interactions.models import Interaction, InteractionLink
from loop311.interactions.policies import ContactOutcome
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, ActorKind
from loop311.places.index import AreaIndex, area_index
from loop311.promises import policies as promise_policies
from loop311.requests.models import Request
from loop311.requests.policies import PromiseReason, State
from loop311.requests.services import Filing
from loop311.requests.services.filing import words_digest
from loop311.requests.services.handing import reference_digest
from loop311.requests.services.promising import first_escalation
from loop311.residents.models import Resident
from loop311.routing.policies import Decision, decide
from loop311.site.demo.memory import Life, Memory


class Doors(Memory):
    # --- Contacts ------------------------------------------------------------------------------------------------------

    def begin_contact(
        self,
        jurisdiction: Jurisdiction,
        channel: str,
        *,
        by: Actor,
        resident: Resident | None = None,
        language: str = "",
        at: datetime,
    ) -> Interaction:
        row = Interaction(
            pk=self.take_id("interactions_interaction"),
            jurisdiction=jurisdiction,
            channel=channel,
            resident=resident,
            staff_id=by.ref if by.kind is ActorKind.STAFF else None,
            language=language or (resident.language if resident else ""),
            started_at=at,
        )
        self.contact(row)
        body = {"channel": row.channel, "resident": row.resident_id, "staff": row.staff_id}
        self.event("interaction.begun", "interaction", row.pk, body, by, at)
        return row

    def end_contact(
        self, interaction: Interaction, *, outcome: ContactOutcome, by: Actor, topic: str, at: datetime
    ) -> None:
        interaction.outcome, interaction.topic, interaction.ended_at = outcome.value, topic, at
        self.event(
            "interaction.ended", "interaction", interaction.pk, {"outcome": outcome.value, "topic": topic}, by, at
        )

    def link_contact(self, interaction: Interaction, request: Request, *, by: Actor, at: datetime) -> None:
        self.link_row(
            InteractionLink(
                jurisdiction_id=self.jurisdiction.pk,
                interaction=interaction,
                subject_type="request",
                subject_id=request.pk,
                at=at,
            )
        )
        self.event(
            "interaction.linked", "interaction", interaction.pk, {"subject": "request", "id": request.pk}, by, at
        )

    # --- Filing --------------------------------------------------------------------------------------------------------

    @cached_property
    def _areas(self) -> AreaIndex:
        return area_index(self.jurisdiction.pk, self.version.effective_at.date())

    def file(self, jurisdiction: Jurisdiction, filing: Filing, *, by: Actor, at: datetime) -> Request:
        under = self.terms(filing.service_code)
        answers, faults = validate_answers(under.service, filing.answers, jurisdiction.languages)
        if faults or under.policy is None or filing.interaction is None:
            raise ValueError(f"the plan asks the impossible of {filing.service_code}: {faults}")
        areas: dict[str, str] = {}
        if filing.latitude is not None and filing.longitude is not None:
            areas = self._areas.areas_at(filing.latitude, filing.longitude)
        decision = decide(self.index, under.service.code, answers, areas)
        planned = promise_policies.plan(under.policy, decision.priority, at, under.clocks)
        due = {promise.step: promise.due_at for promise in planned}
        request = Request(
            pk=self.take_id("requests_request"),
            jurisdiction=jurisdiction,
            number=self.next_number(at),
            interaction=filing.interaction,
            resident=filing.resident,
            catalogue_version=self.version,
            service=self.services[under.service.code],
            team_id=self.teams[decision.team],
            state=State.RECEIVED,
            priority=decision.priority,
            channel=filing.interaction.channel,
            description=filing.description,
            answers=answers,
            address=filing.address,
            latitude=filing.latitude,
            longitude=filing.longitude,
            areas=areas,
            publicity=under.service.publicity,
            completion=under.completion,
            received_at=at,
            updated_at=at,
            first_response_due_at=due.get(Step.FIRST_RESPONSE),
            due_at=due[Step.RESOLUTION],
            escalate_at=first_escalation(under.policy, due[Step.RESOLUTION]),
            salt=secrets.token_bytes(16),
        )
        life = self.begin(request)
        for step, due_at in due.items():
            self.promise(life, step, due_at, PromiseReason.FILED, at=at)
        self.event("request.filed", "request", request.pk, self._filed(request, decision, due), by, at)
        self.hand_over_by_rule(life, decision.hand_over, by=by, at=at)
        return request

    def hand_over_by_rule(self, life: Life, owner: str | None, *, by: Actor, at: datetime) -> None:
        """At filing and when the service is changed; the owner's number stays if it was the owner before."""
        if owner:
            known = life.request.handed_reference if life.request.handed_to == owner else ""
            self.hand_to(life, owner, known, by=by, at=at)

    def hand_to(self, life: Life, owner: str, reference: str, *, by: Actor, at: datetime) -> None:
        request = life.request
        request.state, request.handed_to, request.handed_reference = State.HANDED_OVER, owner, reference
        body = {"owner": owner, "digest": reference_digest(request)}
        self.write(life, "request.handed_over", body, by=by, at=at)

    def _filed(self, request: Request, decision: Decision, due: Mapping[Step, datetime]) -> dict[str, object]:
        return {
            "number": request.number,
            "state": request.state,
            "version": request.version,
            "service": request.service.code,
            "catalogue": self.version.number,
            "team": decision.team,
            "rule": decision.routing_rule,
            "priority": decision.priority,
            "channel": request.channel,
            "areas": request.areas,
            "interaction": request.interaction_id,
            "resident": request.resident_id,
            "promises": {step: due_at.isoformat() for step, due_at in due.items()},
            "words": words_digest(request),
        }
