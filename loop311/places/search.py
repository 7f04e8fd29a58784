"""Finding an address while it is typed, and the address next to a point. Reads only; a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When, Window
from django.db.models.functions import Length, RowNumber

from loop311.places.models import AddressPoint
from loop311.places.policies import box_around, distance_metres, normalise, parse, spellings

_CONSIDERED = 2_000
"""Of a text as general as 'ave', this many matches are looked at."""
_MAX_TEXT = 200
_MAX_WORDS = 12


class Match(StrEnum):
    EXACT = "exact"  # every word typed is in it
    NEARBY = "nearby"  # the street is right; the house number is the nearest known
    SIMILAR = "similar"  # a likely misspelling


@dataclass(frozen=True, slots=True)
class Found:
    point: AddressPoint
    match: Match


@dataclass(frozen=True, slots=True)
class Near:
    point: AddressPoint
    metres: float


def search(jurisdiction_id: int, text: str, *, limit: int = 10) -> list[Found]:
    """The likeliest addresses for what has been typed so far, best first.

    'elm' and '412 el' find by the beginnings of words, 'elm and third' the intersection; then the same street's nearest
    house numbers; then similar spellings.
    """
    points = AddressPoint.objects.filter(jurisdiction_id=jurisdiction_id)
    query = normalise(text[:_MAX_TEXT])
    if not query:
        return []
    for wording in dict.fromkeys((query, _street_only(text))):
        found = _beginning(points, wording, limit) if wording else []
        if found:
            return [Found(point, Match.EXACT) for point in found]
    nearby = _same_street(points, _street_only(text) or query, limit)
    if nearby:
        return [Found(point, Match.NEARBY) for point in nearby]
    return [Found(point, Match.SIMILAR) for point in _similar(points, query, limit)]


def _street_only(text: str) -> str:
    """Without city, state and postcode, as usaddress reads it: '412 Elm St, Millbrook TX' -> '412 elm st'."""
    parts = parse(text[:_MAX_TEXT])
    return normalise(f"{parts.street} & {parts.crossing}" if parts.crossing else f"{parts.number} {parts.street}")


def _beginning(points: QuerySet[AddressPoint], query: str, limit: int) -> list[AddressPoint]:
    """Every word typed begins a word of the address; a house number is whole as soon as something follows it."""
    words = query.split()[:_MAX_WORDS]
    if "&" in words:
        points = points.filter(kind="intersection")
        words = [word for word in words if word != "&"]
    elif words[0][0].isdigit():
        points = points.filter(search__startswith=f"{words[0]} " if len(words) > 1 else words[0])
        words = words[1:]
    elif max(map(len, words)) < 3:  # too short for trigrams
        points = points.filter(search__startswith=query)
    return _best(points.filter(_all_begin(words)), query, limit)


def _all_begin(words: Sequence[str]) -> Q:
    """Each word begins a word of the address; the last one may still be typed."""
    condition = Q()
    for place, word in enumerate(words, 1):
        condition &= _begins(spellings(word) if place == len(words) else frozenset({word}))
    return condition


def _begins(alternatives: frozenset[str]) -> Q:
    condition = Q()
    for word in sorted(alternatives):
        condition |= Q(search__startswith=word) | Q(search__contains=f" {word}")
    return condition


def _best(points: QuerySet[AddressPoint], query: str, limit: int) -> list[AddressPoint]:
    considered = points.order_by().values("pk")[:_CONSIDERED]
    rank = Case(
        When(search=query, then=Value(0)),
        When(search__startswith=query, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    # Each street once before any a second time: of 'elm' people want to see the streets, not the houses of one.
    turn = Window(RowNumber(), partition_by=[F("street")], order_by=[rank, Length("search"), "search"])
    rows = AddressPoint.objects.filter(pk__in=considered).annotate(rank=rank, turn=turn)
    return list(rows.order_by("rank", "turn", Length("search"), "search", "pk")[:limit])


def _same_street(points: QuerySet[AddressPoint], query: str, limit: int) -> list[AddressPoint]:
    """The nearest house numbers of the street, the same side of it first when equally near; its name may still be typed."""
    number, _, street = query.partition(" ")
    words = street.split()[:_MAX_WORDS]
    if not number.isdigit() or len(number) > 9 or len(max(words, key=len, default="")) < 3:  # too short for trigrams
        return []
    houses = points.filter(kind="address")
    whole = Q(search__endswith=f" {street}") | Q(search__contains=f" {street} ")
    return _by_number(houses.filter(whole), int(number), limit) or _by_number(
        houses.filter(_all_begin(words)), int(number), limit
    )


def _by_number(houses: QuerySet[AddressPoint], wanted: int, limit: int) -> list[AddressPoint]:
    numbered = [(pk, _whole(number)) for pk, number in houses.values_list("pk", "house_number")[:_CONSIDERED]]
    known = sorted((abs(n - wanted), (n - wanted) % 2, pk) for pk, n in numbered if n is not None)[:limit]
    points = AddressPoint.objects.in_bulk([pk for *_, pk in known])
    return [points[pk] for *_, pk in known]


def _whole(house_number: str) -> int | None:
    digits = house_number[: len(house_number) - len(house_number.lstrip("0123456789"))]
    return int(digits) if digits and len(digits) < 10 else None


def _similar(points: QuerySet[AddressPoint], query: str, limit: int) -> list[AddressPoint]:
    if len(query) < 4:
        return []
    likely = points.filter(search__trigram_word_similar=query)
    return list(likely.order_by(TrigramWordSimilarity(query, "search").desc(), Length("search"), "search")[:limit])


def nearest(
    jurisdiction_id: int,
    latitude: float,
    longitude: float,
    *,
    radius_metres: float = 100.0,
    limit: int = 1,
    kinds: Sequence[str] = ("address", "intersection", "landmark"),
) -> list[Near]:
    """The known addresses around a point, nearest first, none farther than the radius (at most 1,000 m)."""
    radius = min(radius_metres, 1000.0)
    south, west, north, east = box_around(latitude, longitude, radius)
    points = AddressPoint.objects.filter(
        jurisdiction_id=jurisdiction_id,
        latitude__range=(south, north),
        longitude__range=(west, east),
        kind__in=list(kinds),
    )
    near = [Near(point, distance_metres(latitude, longitude, point.latitude, point.longitude)) for point in points]
    near.sort(key=lambda entry: (entry.metres, entry.point.pk))
    return [entry for entry in near if entry.metres <= radius][:limit]
