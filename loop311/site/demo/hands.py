"""Who carries out the plan: the services themselves, or the same city in memory, written at once at the end."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction
from loop311.interactions.policies import ContactOutcome
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.requests.services.sweeping import escalate_due
from loop311.residents.models import Resident
from loop311.site.demo.memory_working import InMemory

LEARNED_AT = frozenset({20, 100, 400, 1600, 6400, 25_600, 100_000})
"""After so many requests the database looks at its tables again."""
GROWING = (
    "requests_request", "requests_promise", "requests_evidence", "requests_clockstop", "requests_comment",
    "requests_escalated", "interactions_interaction", "interactions_interactionlink", "ledger_event", "ledger_head",
    "residents_resident", "residents_contactpoint", "accounts_teammembership", "accounts_staffmember",
    "catalog_service", "callbacks_callback", "places_addresspoint", "places_area",
)  # fmt: skip


class ThroughServices:
    """Slow and plainly right."""

    file = staticmethod(requests.file)
    assign = staticmethod(requests.assign)
    start = staticmethod(requests.start)
    wait = staticmethod(requests.wait)
    resume = staticmethod(requests.resume)
    hand_over = staticmethod(requests.hand_over)
    reroute = staticmethod(requests.reroute)
    comment = staticmethod(requests.comment)
    change_service = staticmethod(requests.change_service)
    add_evidence = staticmethod(requests.add_evidence)
    resolve = staticmethod(requests.resolve)
    decline = staticmethod(requests.decline)
    confirm = staticmethod(requests.confirm)
    dispute = staticmethod(requests.dispute)
    join = staticmethod(requests.join)
    separate = staticmethod(requests.separate)
    close_undisputed = staticmethod(requests.close_undisputed)

    def __init__(self, jurisdiction: Jurisdiction) -> None:
        self.jurisdiction = jurisdiction

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
        return interactions.begin(jurisdiction, channel, by=by, resident=resident, language=language, at=at)

    def end_contact(
        self, interaction: Interaction, *, outcome: ContactOutcome, by: Actor, topic: str, at: datetime
    ) -> None:
        interactions.end(interaction, outcome=outcome, topic=topic, by=by, at=at)

    def link_contact(self, interaction: Interaction, request: Request, *, by: Actor, at: datetime) -> None:
        interactions.link(interaction, "request", request.pk, by=by, at=at)

    def escalate_due(self, at: datetime) -> int:
        return escalate_due(at, jurisdiction_id=self.jurisdiction.pk)

    def filed(self, count: int) -> None:
        """So many are filed."""
        if count in LEARNED_AT:
            learn()

    def save(self) -> None:
        """All is in the database already."""


def learn() -> None:
    """Let the database look at its tables: autovacuum comes late, and without statistics it reads them whole."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(GROWING)}")


Hands = ThroughServices | InMemory
