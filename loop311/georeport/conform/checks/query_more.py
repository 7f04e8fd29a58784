"""Group 7, third part: extensions of the query. A server need not have them; what it has should do what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from loop311.georeport.conform.checks.query import holds, within
from loop311.georeport.conform.registry import OURS, NotOffered, NotRun, check, given
from loop311.georeport.conform.strict import Read, Row, moment
from loop311.georeport.conform.target import Known, Target
from loop311.georeport.conform.wire import Pairs
from loop311.georeport.reading import number, text
from loop311.georeport.render import instant

_FAR = datetime(2190, 1, 1, tzinfo=UTC)
_LONG_AGO = datetime(1991, 1, 1, tzinfo=UTC)
_STEP = 0.002
"""Degrees: some two hundred metres."""


def _offers(at: Target, name: str, nothing: Pairs) -> None:
    """Who knows the argument finds nothing there. Raises NotOffered when it changes nothing."""
    at.known()
    reply = at.queried(nothing)
    if reply.status != 200:
        raise NotOffered(f"{name} is not offered (status {reply.status})")
    with given("the list of requests"):
        if at.ask(nothing).rows:
            raise NotOffered(f"{name} is not offered")


# --- Pages ---------------------------------------------------------------------------------------------------------------


def _page(at: Target, page: int, size: int = 1) -> Read:
    return at.ask([("page", str(page)), ("page_size", str(size))])


def _offers_paging(at: Target) -> None:
    """Raises NotOffered, or NotRun when there are too few requests to see it."""
    if len(at.sample().rows) < 3:
        raise NotRun("there are fewer than three requests")
    with given("the list of requests"):
        if len(_page(at, 1).rows) > 1:
            raise NotOffered("page_size is not offered")


@check("query.paging", OURS, "page and page_size go through the list, each request once.")
def paging(at: Target) -> None:
    _offers_paging(at)
    pages = [_page(at, page) for page in (1, 2, 3)]
    seen = [id_ for page in pages for id_ in page.ids]
    if len(set(seen)) < 3:
        raise pages[-1].wrong(f"{seen} on three pages", "three requests")


@check("query.paging-past-end", OURS, "A page past the end is 200 and empty.")
def paging_past_end(at: Target) -> None:
    _offers_paging(at)
    found = _page(at, 9_999, 100)
    if found.rows:
        raise found.wrong(found.count(), "none")


@check("query.paging-says-more", OURS, "A list that was cut says so: X-Total-Count, or a Link to the next page.")
def paging_says_more(at: Target) -> None:
    _offers_paging(at)
    reply = _page(at, 1).reply
    total, link = reply.headers.get("X-Total-Count", ""), reply.headers.get("Link", "")
    if not (total.isdigit() and int(total) > 1) and 'rel="next"' not in link:
        raise reply.wrong("neither", "X-Total-Count or Link with rel=next")


# --- Changes -------------------------------------------------------------------------------------------------------------


def _changed(at: Target) -> tuple[Known, datetime]:
    known = at.known()
    changed = moment(known.row, "updated_datetime")
    if changed is None:
        raise NotRun(f"the request {known.id} has no updated_datetime")
    return known, changed


def _with_window(known: Known, *query: tuple[str, str]) -> Pairs:
    """Beside the dates of its filing: `updated_` alone may mean another window at another server."""
    return [*query, *known.around()]


@check("query.updated-after", OURS, "updated_after gives what changed at that time or later.")
def updated_after(at: Target) -> None:
    _offers(at, "updated_after", [("updated_after", instant(_FAR))])
    known, changed = _changed(at)
    holds(at.ask(_with_window(known, ("updated_after", instant(changed - timedelta(minutes=1))))), known.id)
    times = sorted(time for row in at.sample().rows if (time := moment(row, "updated_datetime")))
    middle = times[len(times) // 2]
    found = at.ask([("updated_after", instant(middle))])
    open_only = [row for row in found.rows if text(row.get("status")) == "open"]
    within(Read(found.reply, open_only), middle, field="updated_datetime")


@check("query.updated-before", OURS, "updated_before gives what changed at that time or before.")
def updated_before(at: Target) -> None:
    _offers(at, "updated_before", [("updated_before", instant(_LONG_AGO))])
    known, changed = _changed(at)
    until = ("updated_before", instant(changed + timedelta(minutes=1)))
    if text(known.row.get("status")) == "open":
        holds(at.ask(_with_window(known, until)), known.id)
    times = sorted(time for row in at.sample().rows if (time := moment(row, "updated_datetime")))
    early = times[min(1, len(times) - 1)]
    within(at.ask([("updated_before", instant(early))]), end=early, field="updated_datetime")


# --- Where ---------------------------------------------------------------------------------------------------------------


def _placed(at: Target) -> tuple[str, float, float]:
    for row in at.sample().rows:
        latitude, longitude, id_ = number(row.get("lat")), number(row.get("long")), text(row.get("service_request_id"))
        if latitude is not None and longitude is not None and id_:
            return id_, latitude, longitude
    raise NotRun("no request shows where it lies")


def _near(found: Read, is_near: Callable[[float, float], bool], expected: str) -> None:
    def far(row: Row) -> str | None:
        latitude, longitude = number(row.get("lat")), number(row.get("long"))
        if latitude is None or longitude is None or is_near(latitude, longitude):
            return None
        return f"lat {latitude}, long {longitude}"

    found.every(far, expected)


@check("query.bbox", OURS, "bbox=west,south,east,north gives what lies in it.")
def bbox(at: Target) -> None:
    _offers(at, "bbox", [("bbox", "-0.2,-0.2,-0.1,-0.1")])
    id_, latitude, longitude = _placed(at)
    west, south, east, north = (longitude - _STEP, latitude - _STEP, longitude + _STEP, latitude + _STEP)
    found = at.ask([("bbox", f"{west:.6f},{south:.6f},{east:.6f},{north:.6f}")])
    holds(found, id_)
    _near(
        found,
        lambda lat, long: abs(lat - latitude) <= 2 * _STEP and abs(long - longitude) <= 2 * _STEP,
        "what lies in it",
    )


@check("query.radius", OURS, "lat, long and radius in metres give what lies in the circle.")
def radius(at: Target) -> None:
    _offers(at, "radius", [("lat", "-0.2"), ("long", "-0.2"), ("radius", "100")])
    id_, latitude, longitude = _placed(at)
    found = at.ask([("lat", str(latitude)), ("long", str(longitude)), ("radius", "200")])
    holds(found, id_)
    _near(
        found,
        lambda lat, long: abs(lat - latitude) <= 2 * _STEP and abs(long - longitude) <= 3 * _STEP,
        "what lies in it",
    )


# --- More about each -----------------------------------------------------------------------------------------------------


@check("query.extensions", OURS, "extensions=true adds extended_attributes; without it there are none.")
def extensions(at: Target) -> None:
    plain = at.sample()
    if any("extended_attributes" in row for row in plain.rows):
        raise plain.wrong("extended_attributes that nobody asked for", "none")
    with given("the list of requests"):
        found = at.ask([("extensions", "true")])
    if not any("extended_attributes" in row for row in found.rows):
        raise NotOffered("extensions=true adds nothing")
    found.every(
        lambda row: (
            None if isinstance(row.get("extended_attributes"), dict) else "extended_attributes that are no object"
        ),
        "an object of them in every request",
    )
