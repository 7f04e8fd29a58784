"""What another server's answer to something that was sent means. Pure."""

from __future__ import annotations

from msgspec import UNSET

from loop311.georeport import reading, sending
from loop311.georeport.model import ErrorItem
from loop311.georeport.parsing import Unreadable
from loop311.georeport.sending import Accepted, Pair, Refused, Sent, TryLater, Unknown, Waiting
from loop311.georeport.wire import Lost, Reply

TURNED_AWAY = frozenset({408, 425, 429})
"""Nothing was made of it; the same may be sent again."""
_NEITHER = "taken, but the answer has neither an id nor a token"


def said(reply: Reply) -> str:
    number = f"HTTP {reply.status}"
    words = reading.errors(reply.body, reply.status)[0].description
    return number if words == number else f"{number}: {words}"


def of_filing(reply: Reply, form: list[Pair], *, is_blackbox: bool) -> Sent:
    if reply.status not in range(200, 300):
        return _turned_away(reply, form)
    try:
        made = reading.created(reply.body)
    except Unreadable as error:
        return Accepted(service_request_id=None) if is_blackbox else Unknown(reason=f"taken, but {error}")
    notice = made.service_notice or ""
    if made.service_request_id is not UNSET:
        return Accepted(service_request_id=made.service_request_id, notice=notice)
    if made.token is not UNSET:
        return Waiting(token=made.token, notice=notice)
    return Accepted(service_request_id=None, notice=notice) if is_blackbox else Unknown(reason=_NEITHER)


def of_update(reply: Reply, service_request_id: str) -> Sent:
    """One that they have already is as good as taken."""
    taken = Accepted(service_request_id=service_request_id)
    if reply.status in range(200, 300):
        return taken
    outcome = _turned_away(reply, [])
    return taken if isinstance(outcome, Unknown) and outcome.is_delivered else outcome


def of_loss(lost: Lost) -> Sent:
    """Of an answer that began with a refusal only the words are missing."""
    if not lost.was_sent:
        return TryLater(reason=lost.reason)
    if 400 <= lost.status < 500:
        return _turned_away(Reply(status=lost.status, body=b"", headers={}), [])
    return Unknown(reason=lost.reason)


def _turned_away(reply: Reply, form: list[Pair]) -> Sent:
    """What an answer other than 2xx means. After 5xx and 303 nobody knows whether it was taken."""
    if reply.status in TURNED_AWAY:
        return TryLater(reason=said(reply), after=reply.retry_after)
    if reply.status >= 500 or reply.status == 303:
        return Unknown(reason=said(reply))
    if reply.status < 400:
        where = reply.headers.get("location", "")[:200]
        moved = ErrorItem(code=reply.status, description=f"The address has moved to {where!r}; a filing is not led on.")
        return Refused(status=reply.status, errors=(moved,))
    refused = sending.refused(reply.status, reading.errors(reply.body, reply.status), form)
    if reply.status in (400, 409) and not refused.fields and sending.is_duplicate(refused.errors):
        return Unknown(reason=refused.reason, is_delivered=True)
    return refused
