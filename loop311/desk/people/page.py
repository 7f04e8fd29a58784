"""Everything of one resident, over all identities, with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from loop311.accounts.models import StaffMember
from loop311.callbacks.models import Callback
from loop311.desk.access import Desk
from loop311.desk.reading import PAGE, Listing, listing, staff_names, topic_names
from loop311.interactions.queries import LastContact, last_of
from loop311.kit.problems import NotFound
from loop311.notifications.models import Message
from loop311.requests.queries import Wanted
from loop311.residents import services as residents
from loop311.residents.models import ContactPoint, Merge, Resident
from loop311.residents.queries import Known, known, standing_for

MOST = 30


@dataclass(frozen=True, slots=True)
class ResidentPage:
    """What the person may not read is empty."""

    known: Known
    merges: Sequence[Merge]
    listing: Listing
    contacts: Sequence[tuple[LastContact, str, str]]
    """Each with the member of staff and what it was about."""
    callbacks: Sequence[Callback]
    messages: Sequence[Message]
    zone: ZoneInfo
    """The resident's own."""
    zone_differs: bool

    @property
    def person(self) -> Resident:
        return self.known.resident


def standing_id(desk: Desk, resident_id: int) -> int:
    """Who stands for this resident now; an erased one for itself. NotFound in another city."""
    found = standing_for(desk.city.pk, [resident_id]).get(resident_id)
    return found or residents.standing(residents.get(resident_id, by=desk.actor)).pk


def person_known(desk: Desk, resident_id: int) -> Known:
    found = known(desk.city.pk, [resident_id])
    if not found:
        raise NotFound("There is no such resident.")
    return found[0]


def resident_page(desk: Desk, found: Known) -> ResidentPage:
    ids, person = list(found.identities), found.resident
    zone = zone_of(person, desk)
    return ResidentPage(
        known=found,
        merges=residents.merges_of(person),
        listing=_requests(desk, ids),
        contacts=_contacts(desk, ids),
        callbacks=_callbacks(desk, ids),
        messages=_messages(desk, ids),
        zone=zone,
        zone_differs=zone != desk.city.zone,
    )


def zone_of(person: Resident, desk: Desk) -> ZoneInfo:
    """Where the resident's clocks are."""
    return ZoneInfo(person.time_zone) if person.time_zone else desk.city.zone


def _requests(desk: Desk, ids: Sequence[int]) -> Listing:
    may = desk.actor.may("requests.read")
    return listing(desk, Wanted(resident_ids=ids, limit=PAGE)) if may else Listing((), "")


def _contacts(desk: Desk, ids: Sequence[int]) -> list[tuple[LastContact, str, str]]:
    if not desk.actor.may("interactions.read"):
        return []
    found = last_of(desk.city.pk, ids, each=MOST)[:MOST]
    names = staff_names(desk, [each.staff_id for each in found if each.staff_id])
    topics = topic_names(desk, [each.topic for each in found])
    return [(each, names.get(each.staff_id or 0, ""), topics.get(each.topic, "")) for each in found]


def _callbacks(desk: Desk, ids: Sequence[int]) -> list[Callback]:
    if not desk.actor.may("callbacks.read"):
        return []
    rows = Callback.objects.of_city(desk.city.pk).filter(resident_id__in=ids).select_related("team", "owner", "request")
    return list(rows.order_by("-window_end", "-pk")[:MOST])


def _messages(desk: Desk, ids: Sequence[int]) -> list[Message]:
    """By the contact points, removed ones too: they have an index, and nothing is sent but to one."""
    points = ContactPoint.objects.filter(jurisdiction=desk.city, resident_id__in=ids)
    rows = Message.objects.filter(
        jurisdiction=desk.city, contact_point_id__in=list(points.values_list("pk", flat=True))
    )
    return list(rows.select_related("request", "contact_point").order_by("-pk")[:MOST])


def colleagues(desk: Desk) -> list[StaffMember]:
    """Everybody who works for the city, by name."""
    return list(StaffMember.objects.filter(jurisdiction=desk.city, is_active=True).order_by("name", "pk"))
