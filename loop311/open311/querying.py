"""The arguments of a list, read: what cannot be meant is refused, what is empty is absent."""

from __future__ import annotations

import time
from collections import OrderedDict
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest

from loop311.catalog.index import CatalogueIndex
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.problems import NotFound
from loop311.open311 import finding, updates
from loop311.open311.finding import MOST_COUNTED, Asked
from loop311.open311.nearness import Box, Circle
from loop311.open311.policies import MOST, degrees, listed, moment, refuse, statuses, window

USUAL_RADIUS = 1_000
LARGEST_RADIUS = 50_000
"""Metres."""
_YES = ("true", "1", "yes")


def with_extensions(request: HttpRequest) -> bool:
    return request.GET.get("extensions", "").strip().lower() in _YES


def asked(request: HttpRequest, index: CatalogueIndex) -> Asked:
    get = request.GET
    extensions = with_extensions(request)
    numbers = listed(get.getlist("service_request_id"))
    if numbers:
        return Asked(numbers=numbers, extensions=extensions)
    names = ("start_date", "end_date", "updated_after", "updated_before")
    start, end, after, before = (moment(name, get.get(name, "")) for name in names)
    if after and before and before < after:
        raise refuse("updated_after", "updated_after lies after updated_before.")
    bounded = start or end or not (after or before)
    page, size = page_of(request)
    return Asked(
        service_codes=_codes(listed(get.getlist("service_code")), index),
        statuses=statuses(get.getlist("status")),
        window=window(start, end, now()) if bounded else None,
        page=page,
        page_size=size,
        updated_after=after,
        updated_before=before,
        where=_where(request),
        extensions=extensions,
    )


def page_of(request: HttpRequest) -> tuple[int, int]:
    """Which page, and how many on it."""
    get = request.GET
    size = "per_page" if get.get("per_page", "").strip() and not get.get("page_size", "").strip() else "page_size"
    return _whole_number(request, "page", 1, 100_000), _whole_number(request, size, MOST, MOST)


def updates_asked(request: HttpRequest) -> updates.Wanted:
    """Of servicerequestupdates: a window of at most a month by the time of the update."""
    start, end = (moment(name, request.GET.get(name, "")) for name in ("start_date", "end_date"))
    window = updates.window(start, end, now())
    if window.end < window.start:
        raise refuse("start_date", "The start_date lies after the end_date.")
    if window.end - window.start > updates.LONGEST:
        raise refuse("start_date", f"The dates span more than {updates.LONGEST.days} days; ask for shorter parts.")
    numbers = listed(request.GET.getlist("service_request_id"))[:MOST]
    return updates.Wanted(window, numbers, *page_of(request))


def _codes(codes: list[str], index: CatalogueIndex) -> list[str]:
    """NotFound when none of them exists; unknown ones beside known ones are passed over."""
    known = [code for code in codes if code in index.services]
    if codes and not known:
        raise NotFound(f"There is no service_code {codes[0][:80]!r}.")
    return known


def _whole_number(request: HttpRequest, name: str, default: int, most: int) -> int:
    written = request.GET.get(name, "").strip()
    if not written:
        return default
    if not written.isascii() or not written.isdigit() or not 1 <= int(written[:9]) <= most:
        raise refuse(name, f"{name} is a whole number from 1 to {most}.")
    return int(written)


def _where(request: HttpRequest) -> Box | Circle | None:
    """bbox=west,south,east,north, or lat, long and radius in metres."""
    if request.GET.get("bbox", "").strip():
        return _box(request.GET["bbox"])
    latitude, longitude = (
        degrees(name, request.GET.get(name, ""), most) for name, most in (("lat", 90), ("long", 180))
    )
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        missing = "lat" if latitude is None else "long"
        raise refuse(missing, f"{missing} is missing: lat and long come together.")
    return Circle(latitude, longitude, _whole_number(request, "radius", USUAL_RADIUS, LARGEST_RADIUS))


def _box(written: str) -> Box:
    parts = written.split(",")
    if len(parts) != 4:
        raise refuse("bbox", "bbox is four numbers between commas: west,south,east,north.")
    values = [degrees("bbox", part, most) for part, most in zip(parts, (180, 90, 180, 90), strict=True)]
    west, south, east, north = (0.0 if value is None else value for value in values)
    if None in values or west > east or south > north:
        raise refuse("bbox", "bbox is west,south,east,north: the smaller of each pair first.")
    return Box(west, south, east, north)


# --- How many, and where the other pages are -----------------------------------------------------------------------------

_KEPT_SECONDS = 30.0
_WORTH_KEEPING = 1_000
_counts: OrderedDict[tuple[int, str], tuple[float, int]] = OrderedDict()
_MOST_KEPT = 256


def total(city: Jurisdiction, index: CatalogueIndex, wanted: Asked, rows: int, query: str) -> int:
    """Of all pages; MOST_COUNTED + 1 is more than that. Large counts are up to half a minute old.

    Counted only when the page itself does not tell.
    """
    if wanted.numbers or (0 < rows <= wanted.page_size) or (rows == 0 and wanted.page == 1):
        return (wanted.page - 1) * wanted.page_size + rows
    kept = _counts.get((city.pk, query))
    if kept and time.monotonic() - kept[0] < _KEPT_SECONDS:
        return kept[1]
    count = finding.counted(city, index, wanted)
    if count >= _WORTH_KEEPING:
        _counts[(city.pk, query)] = (time.monotonic(), count)
        if len(_counts) > _MOST_KEPT:
            _counts.popitem(last=False)
    return count


def counted_query(request: HttpRequest) -> str:
    """What a count depends on: the arguments without the page and what is never repeated."""
    return urlencode(sorted((name, value) for name, value in _kept(request) if name != "page"))


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.GET.lists() for value in values if name.lower() != "api_key"]


def headers(request: HttpRequest, wanted: Asked, count: int, *, more: bool) -> dict[str, str]:
    """X-Total-Count and Link. Beyond MOST_COUNTED the count is only the least there is, and says so."""
    said = {"X-Total-Count": str(min(count, MOST_COUNTED))}
    if count > MOST_COUNTED:
        said["X-Total-Count-Exceeded"] = "true"
    return said | links(request, wanted.page, more=more)


def links(request: HttpRequest, page: int, *, more: bool) -> dict[str, str]:
    pages = {"first": 1, "prev": page - 1} if page > 1 else {}
    if more:
        pages["next"] = page + 1
    found = [f'<{_address(request, number)}>; rel="{name}"' for name, number in pages.items()]
    return {"Link": ", ".join(found)} if found else {}


def _address(request: HttpRequest, page: int) -> str:
    arguments = [pair for pair in _kept(request) if pair[0] != "page"]
    return f"{settings.BASE_URL}{request.path}?{urlencode([*arguments, ('page', str(page))])}"
