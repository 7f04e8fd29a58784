"""Group 8: one request."""

from __future__ import annotations

from loop311.georeport.conform.registry import OURS, SPEC, NotRun, check, given
from loop311.georeport.conform.strict import listed
from loop311.georeport.conform.target import NOBODY, Target, segment
from loop311.georeport.model import RequestItem
from loop311.georeport.reading import text


@check("single.array-of-one", SPEC, "One request is an array of one, in both formats.")
def array_of_one(at: Target) -> None:
    known = at.known()
    for format_ in at.formats:
        found = listed(at.get(f"requests/{segment(known.id)}", format_).must_be(200), RequestItem)
        if len(found.rows) != 1:
            raise found.wrong(found.count(), "one")


@check("single.same-as-in-list", SPEC, "It is the request that was asked for, as the list shows it.")
def same_as_in_list(at: Target) -> None:
    known = at.known()
    with given("one request"):
        found = at.single(known.id)
    if not found.rows:
        raise NotRun("the answer is empty")
    for field in ("service_request_id", "service_code", "requested_datetime"):
        if text(found.one.get(field)) != text(known.row.get(field)):
            raise found.wrong(f"{field} {found.one.get(field)!r}", f"{known.row.get(field)!r}, as in the list")


@check("single.unknown", SPEC, "An unknown id is 404, in both formats.")
def unknown(at: Target) -> None:
    for format_ in at.formats:
        at.get(f"requests/{NOBODY}", format_).must_be(404)


@check("single.unknown-jurisdiction", SPEC, "An unknown jurisdiction_id is 404.")
def unknown_jurisdiction(at: Target) -> None:
    query = [("jurisdiction_id", f"{NOBODY}.example")]
    at.get(f"requests/{segment(at.known().id)}", at.format, query).must_be(404)


@check("single.private", OURS, "A request that is not public is 404, as if there were none.")
def private(at: Target) -> None:
    if not at.options.private:
        raise NotRun("give --private, the id of a request that is not public")
    at.get(f"requests/{segment(at.options.private)}", at.format).must_be(404)


@check("single.alias", OURS, "request/ID is another name for requests/ID.")
def alias(at: Target) -> None:
    known = at.known()
    with given("one request"):
        at.single(known.id)
    found = listed(at.get(f"request/{segment(known.id)}", at.format).must_be(200), RequestItem)
    if found.ids != [known.id]:
        raise found.wrong(f"{found.ids}", known.id)
