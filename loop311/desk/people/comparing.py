"""Two residents side by side: what each brings, what the one that stays would show, and why they cannot be one if they cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from loop311.callbacks.models import Callback
from loop311.desk.access import Desk
from loop311.desk.people.page import person_known
from loop311.interactions.models import Interaction
from loop311.kit.problems import NotFound
from loop311.requests.models import Request
from loop311.requests.policies import OPEN_STATES
from loop311.residents import services as residents
from loop311.residents.policies import Point
from loop311.residents.queries import Known


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two, over its identities."""

    known: Known
    requests: int
    open_requests: int
    contacts: int
    callbacks: int
    """Open ones."""
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Agreed:
    """What would hold for one purpose; `differs` when the two have said different things."""

    purpose: str
    given: bool
    differs: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    kept: Side
    gone: Side
    refusal: str | None
    differences: Sequence[str]
    """Fields in which the kept one's word will stand."""
    points: Sequence[Point]
    agreed: Sequence[Agreed]

    @property
    def languages_differ(self) -> bool:
        return "language" in self.differences


def compare(desk: Desk, kept_id: int, gone_id: int) -> Comparison:
    """The number of queries does not depend on how much there is of either."""
    kept, gone = person_known(desk, kept_id), person_known(desk, gone_id)
    seen = residents.preview_merge(kept.resident, gone.resident, by=desk.actor)
    return Comparison(
        kept=_side(desk, kept),
        gone=_side(desk, gone),
        refusal=seen.refusal,
        differences=seen.differences,
        points=seen.points,
        agreed=_agreed(desk, kept, gone),
    )


def _side(desk: Desk, found: Known) -> Side:
    of = {"jurisdiction": desk.city, "resident_id__in": found.identities}
    contacts = Interaction.objects.filter(**of)
    requests = Request.objects.filter(**of)
    return Side(
        known=found,
        requests=requests.count(),
        open_requests=requests.filter(state__in=sorted(OPEN_STATES)).count(),
        contacts=contacts.count(),
        callbacks=Callback.objects.open().filter(**of).count(),
        last_at=contacts.order_by("-started_at").values_list("started_at", flat=True).first(),
    )


def _agreed(desk: Desk, kept: Known, gone: Known) -> list[Agreed]:
    """The newest word of either counts, as `residents.consents` will read it once they are one."""
    newest = residents.newest_consents(desk.city.pk, [*kept.identities, *gone.identities])
    return [
        Agreed(purpose, given, _differs(purpose, kept.consents, gone.consents)) for purpose, given in newest.items()
    ]


def _differs(purpose: str, one: Mapping[str, bool], other: Mapping[str, bool]) -> bool:
    return purpose in one and purpose in other and one[purpose] != other[purpose]


def pair(chosen: Sequence[str]) -> tuple[int, int]:
    """The two that were ticked; the older one is proposed to stay."""
    ids = sorted({int(each) for each in chosen if each.isdecimal() and len(each) < 19})
    if len(ids) != 2:
        raise NotFound("Choose two residents to compare.")
    return ids[0], ids[1]
