"""Everything there is to say about a place while a request is taken down: whose it is, what is known there, what is promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from loop311.catalog.definitions import Service
from loop311.desk.access import Desk
from loop311.desk.known import Known, already_known
from loop311.desk.whereabouts import Preview, Whereabouts, preview, whereabouts
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.places.policies import are_degrees
from loop311.places.search import Found, nearest, search
from loop311.requests.history import honest_range, sentence
from loop311.requests.queries import open_near
from loop311.requests.sentences import say

SUGGESTIONS = 8
AROUND_METRES = 400
MOST_MARKERS = 60

Position = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """`sentences`: language -> what to say to the caller, whose it is first."""

    here: Whereabouts | None
    known: Sequence[Known]
    promise: Preview | None
    usual: Mapping[str, str] = field(default_factory=dict)
    """Language -> how long these usually take there."""

    @property
    def sentences(self) -> Mapping[str, str]:
        if self.here is not None and self.here.tell:
            return self.here.tell
        return self.promise.sentences if self.promise else {}

    @property
    def said(self) -> Sequence[tuple[str, str]]:
        """(language, everything to say)."""
        languages = self.sentences or self.usual
        return [(code, " ".join(filter(None, (self.sentences.get(code), self.usual.get(code))))) for code in languages]


def panel(desk: Desk, service: Service, answers: Mapping[str, object], position: Position | None) -> Panel:
    """A constant number of queries. Without a position: the promise as it is where no place decides."""
    if position is None:
        return Panel(None, (), preview(desk, service.code, answers=answers), usual(desk, service.code))
    latitude, longitude = position
    here = whereabouts(desk, service.code, latitude, longitude, answers)
    if not here.inside_city:
        return Panel(here, (), None)
    return Panel(
        here,
        already_known(desk, service.code, latitude, longitude),
        preview(desk, service.code, answers=answers, latitude=latitude, longitude=longitude),
        usual(desk, service.code, here),
    )


def usual(desk: Desk, service_code: str, here: Whereabouts | None = None) -> Mapping[str, str]:
    """Language of the city -> how long these usually take, in the areas of the place where enough is known. One query."""
    found = honest_range(desk.city.pk, service_code, here.area_keys if here else {}, now())
    names = {each.layer: each.name for each in here.areas} if here else {}
    return {language: sentence(found, language, names.get(found.layer, "")) for language in desk.city.languages}


def position(latitude: str | None, longitude: str | None) -> Position | None:
    """Two texts as degrees; None when both are empty. Raises Invalid."""
    if not (latitude or "").strip() and not (longitude or "").strip():
        return None
    try:
        found = float(latitude or ""), float(longitude or "")
    except ValueError:
        found = (float("nan"), float("nan"))
    if not are_degrees(*found):
        fields = [FieldProblem(name, "Give both in degrees, or neither.") for name in ("latitude", "longitude")]
        raise Invalid("Give both latitude and longitude in degrees, or neither.", fields=fields)
    return found


def suggestions(desk: Desk, text: str) -> list[dict[str, object]]:
    """Addresses, intersections and landmarks for what has been typed so far."""
    return [_suggestion(each) for each in search(desk.city.pk, text, limit=SUGGESTIONS)]


def _suggestion(found: Found) -> dict[str, object]:
    point = found.point
    return {
        "text": point.text,
        "detail": point.postcode,
        "kind": point.kind,
        "match": found.match.value,
        "latitude": point.latitude,
        "longitude": point.longitude,
    }


def around(desk: Desk, here: Position) -> dict[str, object]:
    """For a point set on the map: the nearest address, and the open requests around it."""
    known = nearest(desk.city.pk, *here)
    near = open_near(desk.city.pk, *here, AROUND_METRES, limit=MOST_MARKERS)
    return {
        "address": known[0].point.text if known else "",
        "requests": [
            {
                "number": each.request.number,
                "service": say(each.request.service.names, desk.language, each.request.service.code),
                "state": each.request.state,
                "latitude": each.request.latitude,
                "longitude": each.request.longitude,
                "metres": round(each.metres),
            }
            for each in near
        ],
    }
