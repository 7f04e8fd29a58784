"""One box for a number, an address, or a resident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loop311.desk.access import Desk
from loop311.desk.reading import Listing, listing
from loop311.kit.problems import Invalid
from loop311.requests.models import Request
from loop311.requests.queries import Wanted
from loop311.residents import services as residents
from loop311.residents.models import Resident

MOST = 20


@dataclass(frozen=True, slots=True)
class Found:
    """`number`: of the one request that has exactly it; then nothing else is looked for."""

    number: str = ""
    requests: Listing | None = None
    people: Sequence[Resident] = ()


def search(desk: Desk, words: str) -> Found:
    """What the words may mean, for as far as the person may read it."""
    number = (
        Request.objects.filter(jurisdiction=desk.city, number=words.strip()).values_list("number", flat=True).first()
    )
    if number is not None:
        return Found(number=number)
    return Found(requests=listing(desk, Wanted(text=words.strip(), limit=MOST)), people=_people(desk, words))


def _people(desk: Desk, words: str) -> list[Resident]:
    if not desk.actor.may("residents.read"):
        return []
    try:
        return residents.find(words, by=desk.actor, limit=MOST)
    except Invalid:  # too few letters for a name
        return []
