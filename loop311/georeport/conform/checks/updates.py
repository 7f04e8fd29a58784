"""Group 11: changes of requests, in the way FixMyStreet asks for and sends them. An extension."""

from __future__ import annotations

from datetime import datetime, timedelta

from loop311.georeport.conform.checks.query import within
from loop311.georeport.conform.filer import Filed, Form, filer
from loop311.georeport.conform.registry import OURS, NotOffered, NotRun, check, given
from loop311.georeport.conform.strict import Read, Row, listed, moment
from loop311.georeport.conform.target import NOBODY, Target, joined
from loop311.georeport.conform.wire import Pairs, Reply
from loop311.georeport.model import UpdateItem, UpdateResult
from loop311.georeport.reading import text
from loop311.georeport.render import Format, instant
from loop311.kit.clock import now

PATH = "servicerequestupdates"
STATUSES = (
    "open", "investigating", "in_progress", "planned", "action_scheduled", "internal_referral",
    "for_triage", "duplicate", "not_councils_responsibility", "no_further_action", "cancelled", "fixed", "closed", "reopen",
)  # fmt: skip
"""What FixMyStreet knows, in an order in which a request may live through them."""
_REQUIRED = ("update_id", "service_request_id", "status", "updated_datetime")


def _window(start: datetime, end: datetime) -> Pairs:
    return [("start_date", instant(start)), ("end_date", instant(end))]


def _reply(at: Target, query: Pairs, format_: Format | None = None) -> Reply:
    return at.get(PATH, format_ or at.format, query)


def _recent(at: Target, format_: Format | None = None) -> Reply:
    """Of the last three days; asked for once. Raises NotOffered."""
    end = at.once("updates until", now)
    reply = _reply(at, _window(end - timedelta(days=3), end + timedelta(minutes=1)), format_)
    if reply.status in (404, 405, 501):
        raise NotOffered(f"{PATH} is not offered")
    return reply


def _updates(at: Target, format_: Format | None = None) -> Read:
    """Raises NotRun when there are none."""
    with given("the list of updates"):
        found = listed(_recent(at, format_).must_be(200), UpdateItem)
    if not found.rows:
        raise NotRun("nothing changed in the last three days")
    return found


@check("updates.list", OURS, "Changes are a <service_request_updates> of <request_update> in XML, an array in JSON.")
def list_(at: Target) -> None:
    for format_ in at.formats:
        listed(_recent(at, format_).must_be(200), UpdateItem)


@check("updates.fields", OURS, "Each change has update_id, service_request_id, status and updated_datetime.")
def fields(at: Target) -> None:
    def missing(row: Row) -> str | None:
        names = [name for name in _REQUIRED if text(row.get(name)) is None]
        if names:
            return f"no {joined(names)}"
        return None if moment(row, "updated_datetime") else f"updated_datetime {row['updated_datetime']!r}"

    for format_ in at.formats:
        _updates(at, format_).every(missing, "all of " + joined(_REQUIRED))


@check("updates.unique", OURS, "No two changes have the same update_id.")
def unique(at: Target) -> None:
    found = _updates(at)
    ids = [text(row.get("update_id")) for row in found.rows]
    if twice := next((id_ for id_ in ids if id_ is not None and ids.count(id_) > 1), None):
        raise found.wrong(f"update_id {twice} twice", "each once")


@check("updates.statuses", OURS, "A status is one that FixMyStreet knows.")
def statuses(at: Target) -> None:
    known = (*STATUSES, "unchanged", None)
    _updates(at).every(
        lambda row: (
            None
            if (text(row.get("status")) or "").lower() in known or not row.get("status")
            else f"status {row['status']!r}"
        ),
        "one of " + joined(STATUSES),
    )


@check(
    "updates.window", OURS, "start_date and end_date narrow the list by the time of the change, both belonging to it."
)
def window(at: Target) -> None:
    times = sorted(time for row in _updates(at).rows if (time := moment(row, "updated_datetime")))
    if not times:
        raise NotRun("no change has a time")
    middle = times[len(times) // 2].replace(microsecond=0)
    found = listed(_reply(at, _window(middle, middle)).must_be(200), UpdateItem)
    within(found, middle, middle, "updated_datetime")
    if not found.rows:
        raise found.wrong("none", f"the change of {instant(middle)}")


@check("updates.empty", OURS, "No change is 200 and an empty list.")
def empty(at: Target) -> None:
    _recent(at)
    for format_ in at.formats:
        begin = now().replace(year=1991, month=1, day=1)
        found = listed(_reply(at, _window(begin, begin + timedelta(days=1)), format_).must_be(200), UpdateItem)
        if found.rows:
            raise found.wrong(found.count("change"), "none, for 1991")


# --- Sent to the server --------------------------------------------------------------------------------------------------


def _sent(id_: str, update_id: str, status: str) -> Form:
    return {
        "service_request_id": id_,
        "update_id": update_id,
        "status": status,
        "updated_datetime": instant(now()),
        "description": "TEST of the Open311 interface",
    }


def _filed(at: Target) -> str:
    """A request of our own, that changes may be told of. Raises NotOffered, NotRun."""
    _recent(at)
    filed: Filed = filer(at).filed()
    if not filed.id:
        raise NotRun("the filing gave no id at once")
    return filed.id


def _unique(at: Target, name: str) -> str:
    return f"conform-{at.once('updates until', now).strftime('%Y%m%d%H%M%S%f')}-{name}"


def _tell(at: Target, form: Form, key: str | None = None, ending: str = "") -> Reply:
    return filer(at).post(form, ending, key=key, path=PATH)


def _taken(reply: Reply) -> Read:
    if not 200 <= reply.status < 300:
        raise reply.wrong(f"status {reply.status} ({reply.quoted()})", "status 200 and the update_id")
    found = listed(reply, UpdateResult)
    if len(found.rows) != 1 or not text(found.one.get("update_id")):
        raise found.wrong(reply.quoted(), "one update_id")
    return found


@check("updates.post", OURS, "A change that is told is answered with its update_id, in both formats.", writes=True)
def post(at: Target) -> None:
    id_ = _filed(at)
    for format_ in at.formats:
        _taken(_tell(at, _sent(id_, _unique(at, f"post-{format_}"), "in_progress"), ending=format_))


@check(
    "updates.post-again", OURS, "The same update_id told again is answered as before, and is one change.", writes=True
)
def post_again(at: Target) -> None:
    form = _sent(_filed(at), _unique(at, "again"), "investigating")
    with given("a change that is told"):
        first = _taken(_tell(at, form))
    second = _taken(_tell(at, form))
    if text(first.one.get("update_id")) != text(second.one.get("update_id")):
        raise second.wrong(f"update_id {second.one.get('update_id')}", f"{first.one.get('update_id')}, as before")


@check("updates.post-statuses", OURS, "Every status of FixMyStreet is taken, also in capitals.", writes=True)
def post_statuses(at: Target) -> None:
    id_ = _filed(at)
    with given("a change that is told"):
        _taken(_tell(at, _sent(id_, _unique(at, "first"), "OPEN")))
    for status in STATUSES:
        _taken(_tell(at, _sent(id_, _unique(at, status), status.upper())))


@check("updates.post-unknown-status", OURS, "A status that nobody knows is 400.", writes=True)
def post_unknown_status(at: Target) -> None:
    _tell(at, _sent(_filed(at), _unique(at, "odd"), "colourful")).must_be(400)


@check("updates.post-unknown-request", OURS, "A change of a request that does not exist is 400 or 404.", writes=True)
def post_unknown_request(at: Target) -> None:
    _filed(at)
    _tell(at, _sent(NOBODY, _unique(at, "nobody"), "open")).must_be(400, 404)


@check("updates.post-incomplete", OURS, "A change without update_id or updated_datetime is 400.", writes=True)
def post_incomplete(at: Target) -> None:
    id_ = _filed(at)
    for name in ("update_id", "updated_datetime"):
        _tell(at, _sent(id_, _unique(at, "part"), "open") | {name: ""}).must_be(400)


@check("updates.post-no-key", OURS, "Without a key no change is taken: 403 or 400.", writes=True)
def post_no_key(at: Target) -> None:
    _tell(at, _sent(_filed(at), _unique(at, "key"), "open"), key="").must_be(403, 400)
