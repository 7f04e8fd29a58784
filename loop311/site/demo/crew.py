"""Who acts in the demo city, ready to be picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from loop311.accounts.models import StaffMember, Team
from loop311.kit.actor import Actor, ActorKind
from loop311.requests.models import Request
from loop311.residents.models import Resident

_RESIDENT_MAY = frozenset({"requests.file", "requests.confirm", "requests.dispute", "requests.comment"})


@dataclass(frozen=True, slots=True)
class Member:
    staff: StaffMember
    actor: Actor


@dataclass(frozen=True, slots=True)
class Crew:
    system: Actor
    concierges: Sequence[Member]
    members: Mapping[str, Sequence[Member]]
    """Team code -> its people, the lead first."""
    teams: Mapping[str, Team]

    def concierge(self, rng: Random) -> Actor:
        return rng.choice(self.concierges).actor

    def worker(self, request: Request, rng: Random) -> Member:
        """Somebody of the accountable team; not always the lead."""
        return rng.choice(self.members[self.code_of(request)])

    def code_of(self, request: Request) -> str:
        return next(code for code, team in self.teams.items() if team.pk == request.team_id)

    def neighboring_team(self, request: Request) -> Team | None:
        """Another team of the same department, to which a call taker may send it by mistake."""
        own = self.teams[self.code_of(request)]
        others = [t for t in self.teams.values() if t.department_id == own.department_id and t.pk != own.pk]
        return min(others, key=lambda team: team.code, default=None)


def resident_actor(resident: Resident) -> Actor:
    """The resident's own hand, on the web or in the app."""
    return Actor(ActorKind.RESIDENT, resident.jurisdiction_id, resident.pk, _RESIDENT_MAY)
