"""From what a sender says of a place to a position: the city's own addresses know theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from loop311.jurisdictions.models import Jurisdiction
from loop311.open311.policies import refuse
from loop311.places.models import AddressPoint
from loop311.places.policies import normalise

_NOWHERE = "#NOTPINPOINTED#"
"""FixMyStreet's way to say that its sender pointed at nothing."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Both or neither of the degrees."""

    latitude: float | None = None
    longitude: float | None = None
    address: str = ""


def complete(city: Jurisdiction, spot: Spot, address_id: str) -> Spot:
    """With the address behind the id, and the position of an address that is one of ours to the letter.

    An unknown id is passed over where something else says where it is; alone it is Invalid.
    """
    if address_id and address_id != _NOWHERE:
        point = _by_id(city, address_id)
        if point is None and spot == Spot():
            raise refuse("address_id", "There is no such address_id here; send lat and long or address_string.")
        spot = _with(spot, point)
    if spot.address and spot.latitude is None:
        spot = _with(spot, _by_words(city, spot.address))
    return spot


def _with(spot: Spot, point: AddressPoint | None) -> Spot:
    """What the sender said itself stands."""
    if point is None:
        return spot
    spot = replace(spot, address=spot.address or point.text)
    return spot if spot.latitude is not None else replace(spot, latitude=point.latitude, longitude=point.longitude)


def _by_id(city: Jurisdiction, address_id: str) -> AddressPoint | None:
    """By the id of the file the addresses came from, else by our own."""
    rows = AddressPoint.objects.filter(jurisdiction=city)
    found = rows.filter(source_id=address_id[:200]).first()
    if found is None and address_id.isascii() and address_id.isdigit() and len(address_id) < 19:
        found = rows.filter(pk=int(address_id)).first()
    return found


def _by_words(city: Jurisdiction, address: str) -> AddressPoint | None:
    """Only when exactly one is meant: a wrong place is worse than none."""
    wanted = normalise(address[:200])
    if not wanted:
        return None
    found = list(AddressPoint.objects.filter(jurisdiction=city, search__startswith=wanted, search=wanted)[:2])
    return found[0] if len(found) == 1 else None
