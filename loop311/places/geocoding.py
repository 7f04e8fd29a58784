"""From words to positions: the city's own addresses first, then, where one is set, a geocoder over HTTP that never holds us up."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx
import msgspec
import structlog
from django.conf import settings

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.structs import learn
from loop311.places.index import area_index, center_of
from loop311.places.policies import is_position
from loop311.places.search import Match, search

_MAX_ANSWER = 1_000_000
_LIMIT = 10

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that may be meant. `source` is 'local' or 'remote'; `address_id` the row of the city's own address."""

    text: str
    latitude: float
    longitude: float
    match: Match
    source: str
    address_id: int | None = None


class Geocoder(Protocol):
    """Words to candidates, best first; may raise whatever it likes, the caller guards."""

    def candidates(self, jurisdiction: Jurisdiction, text: str) -> list[Candidate]: ...


class LocalGeocoder:
    """The city's own address points and intersections."""

    def candidates(self, jurisdiction: Jurisdiction, text: str) -> list[Candidate]:
        return [
            Candidate(f.point.text, f.point.latitude, f.point.longitude, f.match, "local", f.point.pk)
            for f in search(jurisdiction.pk, text, limit=_LIMIT)
        ]


class _Hit(msgspec.Struct):
    lat: str | float
    lon: str | float
    display_name: str = ""


class NominatimGeocoder:
    """Any server that answers like Nominatim: GET {url}/search?q=...&format=jsonv2."""

    def __init__(self, url: str, *, seconds: float) -> None:
        self._url = url.rstrip("/")
        self._seconds = seconds

    def candidates(self, jurisdiction: Jurisdiction, text: str) -> list[Candidate]:
        query: dict[str, str | int] = {"q": text, "format": "jsonv2", "limit": _LIMIT}
        box = _around(jurisdiction)
        if box:
            query |= {"viewbox": box, "bounded": 1}
        end = time.monotonic() + self._seconds
        with (
            httpx.Client(timeout=self._seconds, headers={"User-Agent": "Loop311"}) as client,
            client.stream("GET", f"{self._url}/search", params=query) as answer,
        ):
            answer.raise_for_status()
            body = _bounded(answer, end)
        return [found for hit in msgspec.json.decode(body, type=list[_Hit]) if (found := _candidate(hit, text))]


def _around(jurisdiction: Jurisdiction) -> str:
    if jurisdiction.center_latitude is None or jurisdiction.center_longitude is None:
        return ""
    latitude, longitude = jurisdiction.center_latitude, jurisdiction.center_longitude
    return f"{longitude - 1:.4f},{latitude + 1:.4f},{longitude + 1:.4f},{latitude - 1:.4f}"


def _bounded(answer: httpx.Response, end: float) -> bytes:
    """The body, unless it comes too slowly or is too long."""
    body = b""
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > _MAX_ANSWER or time.monotonic() > end:
            raise TimeoutError("the geocoder's answer is too long or too slow")
    return body


def _candidate(hit: _Hit, text: str) -> Candidate | None:
    try:
        latitude, longitude = float(hit.lat), float(hit.lon)
    except ValueError:
        return None
    if not is_position(latitude, longitude):
        return None
    return Candidate((hit.display_name or text)[:300], latitude, longitude, Match.EXACT, "remote")


class Guarded:
    """A geocoder with a deadline: no answer within it, or an error, is no candidates; then it is left alone for a while.

    It runs in a thread of its own because a server that sends one byte a second passes every time-out of the socket.
    """

    def __init__(self, inner: Geocoder, *, seconds: float, pause_seconds: float = 30.0, at_once: int = 8) -> None:
        self._inner = inner
        self._seconds = seconds
        self._pause = pause_seconds
        self._closed_until = 0.0
        self._places = threading.BoundedSemaphore(at_once)

    @property
    def is_resting(self) -> bool:
        return time.monotonic() < self._closed_until

    def candidates(self, jurisdiction: Jurisdiction, text: str) -> list[Candidate]:
        if self.is_resting or not self._places.acquire(blocking=False):
            return []
        answer: list[list[Candidate]] = []
        worker = threading.Thread(target=self._ask, args=(jurisdiction, text, answer), daemon=True)
        worker.start()
        worker.join(self._seconds)
        if not answer:
            self._closed_until = time.monotonic() + self._pause
            log.warning("geocoder.failed", timed_out=worker.is_alive(), resting_seconds=self._pause)
            return []
        return answer[0]

    def _ask(self, jurisdiction: Jurisdiction, text: str, answer: list[list[Candidate]]) -> None:
        try:
            answer.append(self._inner.candidates(jurisdiction, text))
        except Exception as error:  # whatever a broken server makes of our client, filing goes on
            log.warning("geocoder.error", error=type(error).__name__)
        finally:
            self._places.release()


_remotes: dict[tuple[str, float], Guarded] = {}


def remote() -> Guarded | None:
    """The geocoder of the settings, or None; one guard for the whole process."""
    url, seconds = str(settings.GEOCODER_URL), float(settings.GEOCODER_SECONDS)
    if not url:
        return None
    return _remotes.setdefault((url, seconds), Guarded(NominatimGeocoder(url, seconds=seconds), seconds=seconds))


def geocode(jurisdiction: Jurisdiction, text: str, *, local: Geocoder | None = None) -> list[Candidate]:
    """Where the text may mean, best first. Takes at most GEOCODER_SECONDS longer than the city's own addresses take.

    The remote geocoder is asked only when no own address has every word; what it finds outside the city is left out.
    """
    short = " ".join(text[:300].split())
    own = (local or LocalGeocoder()).candidates(jurisdiction, short) if short else []
    guarded = remote()
    if guarded is None or not short or any(candidate.match is Match.EXACT for candidate in own):
        return own
    return _inside(jurisdiction, guarded.candidates(_located(jurisdiction), short))[:_LIMIT] or own


def _located(jurisdiction: Jurisdiction) -> Jurisdiction:
    """With its centre, so that the geocoder, in a thread of its own, need not ask the database where the city lies."""
    center = center_of(jurisdiction)
    if center is None:
        return jurisdiction
    located = copy.copy(jurisdiction)
    located.center_latitude, located.center_longitude = center
    return located


def _inside(jurisdiction: Jurisdiction, candidates: Sequence[Candidate]) -> list[Candidate]:
    if not candidates:
        return []
    index = area_index(jurisdiction.pk)
    return [found for found in candidates if index.inside_city(found.latitude, found.longitude)]


learn(list[_Hit])
