"""Group 7, first part: the list of requests and what narrows it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from loop311.georeport.conform.registry import OURS, SPEC, NotRun, check, given
from loop311.georeport.conform.strict import Read, Row, listed, moment
from loop311.georeport.conform.target import NOBODY, Target, joined
from loop311.georeport.conform.wire import Pairs
from loop311.georeport.model import RequestItem
from loop311.georeport.reading import text
from loop311.georeport.render import Format, instant
from loop311.kit.clock import now

MOST = 1_000
WINDOW = timedelta(days=90)
_SLACK = timedelta(days=1)


def holds(found: Read, *ids: str) -> None:
    """Fails when a request that must be in the list is not."""
    if missing := [id_ for id_ in ids if id_ not in found.ids]:
        raise found.wrong(f"{found.count()} without {joined(missing)}", f"{joined(missing)} among them")


def only(found: Read, field: str, *values: str) -> None:
    found.every(
        lambda row: None if text(row.get(field)) in (*values, None) else f"{field} {row[field]!r}",
        f"{field} {' or '.join(values)} only",
    )


def within(found: Read, start: object = None, end: object = None, field: str = "requested_datetime") -> None:
    """Fails with the first request outside; a second of rounding is none."""

    def outside(row: Row) -> str | None:
        at = moment(row, field)
        if at is None:
            return None
        early = start is not None and at < start - timedelta(seconds=1)  # type: ignore[operator]
        late = end is not None and at > end + timedelta(seconds=1)  # type: ignore[operator]
        return f"{field} {instant(at)}" if early or late else None

    bounds = [f"{word} {instant(bound)}" for word, bound in (("from", start), ("to", end)) if bound is not None]  # type: ignore[arg-type]
    found.every(outside, f"{field} {' '.join(bounds)} only")


# --- The list itself -----------------------------------------------------------------------------------------------------


@check("query.list-xml", SPEC, "Requests are a <service_requests> of <request> in XML, be they none, one or many.")
def list_xml(at: Target) -> None:
    at.read_requests(Format.XML)


@check("query.list-json", SPEC, "Requests are an array of objects in JSON, be they none, one or many.")
def list_json(at: Target) -> None:
    at.read_requests(at.json())


@check("query.default-window", SPEC, "Without dates the list holds the last 90 days.")
def default_window(at: Target) -> None:
    within(at.sample(), now() - WINDOW - _SLACK, now() + _SLACK)


@check("query.most", SPEC, "Without arguments of paging the list holds at most 1,000 requests.")
def most(at: Target) -> None:
    found = at.sample()
    if len(found.rows) > MOST:
        raise found.wrong(found.count(), f"{MOST:,} at most")


@check("query.order", OURS, "The newest request comes first.")
def order(at: Target) -> None:
    found = at.sample()
    times = [at_ for row in found.rows if (at_ := moment(row, "requested_datetime"))]
    for one, next_ in pairwise(times):
        if one < next_:
            raise found.wrong(f"{instant(one)} before {instant(next_)}", "the newest first")


@check("query.empty", SPEC, "A list of none is 200 with [] or an empty <service_requests>.")
def empty(at: Target) -> None:
    long_ago = [("start_date", "1991-01-01T00:00:00Z"), ("end_date", "1991-01-02T00:00:00Z")]
    for format_ in at.formats:
        found = listed(at.queried(long_ago, format_).must_be(200), RequestItem)
        if found.rows:
            raise found.wrong(found.count(), "none, for 1991")


@check("query.empty-argument", SPEC, "An empty argument is an absent one: status= is no filter.")
def empty_argument(at: Target) -> None:
    names = ("status", "service_code", "start_date", "end_date", "service_request_id")
    holds(at.ask([(name, "") for name in names]), at.known().id)


@check("query.unknown-argument", OURS, "An argument that nobody knows is passed over.")
def unknown_argument(at: Target) -> None:
    holds(at.ask([("colour", "blue")]), at.known().id)


@check("query.unknown-jurisdiction", SPEC, "An unknown jurisdiction_id is 404.")
def unknown_jurisdiction(at: Target) -> None:
    at.queried([("jurisdiction_id", f"{NOBODY}.example")]).must_be(404)


@check("query.private", OURS, "A request that is not public is in no list, not even by its id.")
def private(at: Target) -> None:
    id_ = at.options.private
    if not id_:
        raise NotRun("give --private, the id of a request that is not public")
    for found in (at.sample(), at.ask([("service_request_id", id_)])):
        if id_ in found.ids:
            raise found.wrong(f"the request {id_}", "it left out")


# --- By service and status -----------------------------------------------------------------------------------------------


def _two_codes(at: Target) -> tuple[list[str], list[str]]:
    """Codes of two services, and a request of each. Raises NotRun."""
    codes: dict[str, str] = {}
    for row in at.sample().rows:
        code, id_ = text(row.get("service_code")), text(row.get("service_request_id"))
        if code and id_ and "," not in code:
            codes.setdefault(code, id_)
    if len(codes) < 2:
        raise NotRun("there are no requests of two services")
    return list(codes)[:2], list(codes.values())[:2]


@check("query.service-code", SPEC, "service_code narrows the list to one service.")
def service_code(at: Target) -> None:
    known = at.known()
    found = at.ask([("service_code", known.code)])
    holds(found, known.id)
    only(found, "service_code", known.code)


@check("query.service-codes", SPEC, "service_code=a,b gives the requests of both.")
def service_codes(at: Target) -> None:
    codes, ids = _two_codes(at)
    found = at.ask([("service_code", ",".join(codes))])
    holds(found, *ids)
    only(found, "service_code", *codes)


@check("query.service-codes-repeated", OURS, "service_code=a&service_code=b is the same.")
def service_codes_repeated(at: Target) -> None:
    codes, ids = _two_codes(at)
    holds(at.ask([("service_code", code) for code in codes]), *ids)


@check("query.spaces", OURS, "Spaces around the commas do not matter.")
def spaces(at: Target) -> None:
    codes, ids = _two_codes(at)
    holds(at.ask([("service_code", " , ".join(codes))]), *ids)


@check("query.unknown-service", OURS, "When none of the codes exists it is 404.")
def unknown_service(at: Target) -> None:
    at.queried([("service_code", NOBODY)]).must_be(404)


@check("query.unknown-service-beside", OURS, "An unknown code beside a known one is passed over.")
def unknown_service_beside(at: Target) -> None:
    known = at.known()
    holds(at.ask([("service_code", f"{NOBODY},{known.code}")]), known.id)


def _status(at: Target, query: Pairs, status: str) -> None:
    found = at.ask(query)
    only(found, "status", status)
    of_it = [str(text(row.get("service_request_id"))) for row in at.sample().rows if text(row.get("status")) == status]
    holds(found, *of_it[:1])


@check("query.status-open", SPEC, "status=open gives the open ones only.")
def status_open(at: Target) -> None:
    _status(at, [("status", "open")], "open")


@check("query.status-closed", SPEC, "status=closed gives the closed ones only.")
def status_closed(at: Target) -> None:
    _status(at, [("status", "closed")], "closed")


@check("query.statuses", SPEC, "status=open,closed gives all.")
def statuses(at: Target) -> None:
    first: dict[str | None, str] = {}
    for row in at.sample().rows:
        first.setdefault(text(row.get("status")), str(text(row.get("service_request_id"))))
    holds(at.ask([("status", "open,closed")]), *first.values())


@check("query.status-any-case", OURS, "OPEN is open.")
def status_any_case(at: Target) -> None:
    _status(at, [("status", "OPEN")], "open")


@check("query.unknown-status", OURS, "A status that is neither open nor closed is 400.")
def unknown_status(at: Target) -> None:
    at.queried([("status", "done")]).must_be(400)


# --- By id ---------------------------------------------------------------------------------------------------------------


def _ids(at: Target) -> list[str]:
    known, ids = at.known(), at.sample().ids
    other = next((id_ for id_ in ids if id_ != known.id), None)
    return [known.id, other] if other else [known.id]


def _exactly(found: Read, ids: list[str]) -> None:
    if sorted(found.ids) != sorted(ids):
        raise found.wrong(f"{joined(found.ids[:5]) or 'none'} ({found.count()})", joined(ids))


@check("query.ids", SPEC, "service_request_id=a,b gives these two, and no others.")
def ids(at: Target) -> None:
    wanted = _ids(at)
    _exactly(at.ask([("service_request_id", ",".join(wanted))]), wanted)


@check("query.ids-repeated", OURS, "service_request_id=a&service_request_id=b is the same.")
def ids_repeated(at: Target) -> None:
    wanted = _ids(at)
    _exactly(at.ask([("service_request_id", id_) for id_ in wanted]), wanted)


@check("query.ids-override", SPEC, "With ids, status and service_code do not matter.")
def ids_override(at: Target) -> None:
    known = at.known()
    other = "open" if text(known.row.get("status")) == "closed" else "closed"
    _exactly(at.ask([("service_request_id", known.id), ("status", other), ("service_code", NOBODY)]), [known.id])


@check("query.ids-override-dates", SPEC, "With ids, dates do not matter, nor do the 90 days.")
def ids_override_dates(at: Target) -> None:
    known = at.known()
    long_ago = [("start_date", "1991-01-01T00:00:00Z"), ("end_date", "1991-01-02T00:00:00Z")]
    _exactly(at.ask([("service_request_id", known.id), *long_ago]), [known.id])


@check("query.unknown-id", OURS, "Ids that nobody has are passed over, with 200.")
def unknown_id(at: Target) -> None:
    known = at.known()
    _exactly(at.ask([("service_request_id", f"{known.id},{NOBODY}")]), [known.id])
    with given("a list by ids"):
        found = at.ask([("service_request_id", NOBODY)])
    _exactly(found, [])
