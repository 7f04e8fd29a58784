"""The caller's own words into services, as the desk shows them. It proposes; the person chooses."""

from __future__ import annotations

from dataclasses import dataclass

from loop311.desk.access import Desk
from loop311.requests.sentences import say
from loop311.requests.suggesting import Why, suggest


@dataclass(frozen=True, slots=True)
class Proposal:
    """`why`: the service's own words fit, or only past requests say so. `score` is comparable within one list only."""

    code: str
    name: str
    why: Why
    score: float
    description: str = ""


def propose(desk: Desk, words: str, limit: int = 6) -> list[Proposal]:
    """Best first. A service that asks first about danger is never pushed off the list by what was learned. One small query."""
    _index, found = suggest(desk.city.pk, words, limit)
    return [
        Proposal(
            code=each.service.code,
            name=say(each.service.names, desk.language, each.service.code),
            why=each.why,
            score=each.score,
            description=say(each.service.descriptions, desk.language),
        )
        for each in found
    ]
