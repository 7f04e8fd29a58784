"""The whole nervous system on one screen: which handlers hear of which event. Each runs in the worker, once per event."""

from __future__ import annotations

from collections.abc import Callable

from loop311.callbacks import services as callbacks
from loop311.desk.contact import drafts
from loop311.interactions import services as interactions
from loop311.ledger.services import Handler
from loop311.notifications import services as notifications
from loop311.notifications.defaults import TEMPLATES
from loop311.notifications.sign_in_mail import TEXTS as SIGN_IN_TEXTS
from loop311.open311 import services as open311
from loop311.open311 import subscribing
from loop311.open311.updates import TOLD as TOLD_OVER_OPEN311
from loop311.requests import services as requests
from loop311.workorders import services as workorders

TOLD_OF_REQUESTS = tuple(kind for kind in TEMPLATES if kind.startswith("request."))
TOLD_OF_CALLBACKS = tuple(kind for kind in TEMPLATES if kind.startswith("callback."))
"""Residents are told of everything that there is a text for: request.filed, request.done, request.leader_closed ..."""

TOLD_OF_SIGN_INS = tuple(SIGN_IN_TEXTS)
"""Staff are told of what happens to their own sign-in."""


def _together(*tables: dict[str, tuple[Handler, ...]]) -> dict[str, tuple[Handler, ...]]:
    """Handlers of the same event stand side by side, in the order of the tables."""
    kinds = dict.fromkeys(kind for table in tables for kind in table)
    return {kind: tuple(handler for table in tables for handler in table.get(kind, ())) for kind in kinds}


_EACH: dict[str, tuple[Handler, ...]] = {
    **dict.fromkeys(TOLD_OF_REQUESTS, (notifications.notify_request_event,)),
    **dict.fromkeys(TOLD_OF_CALLBACKS, (notifications.notify_callback_event,)),
    "request.escalated": (notifications.notify_escalation,),
    "callback.late": (notifications.notify_late_callback,),
    **dict.fromkeys(("link.down", "link.up", "link.compared"), (notifications.notify_link,)),
    "webhook.ended": (notifications.notify_webhook_ended,),
    "gap.late": (notifications.notify_gap_late,),
    "request.words_erased": (requests.remove_erased_files, open311.forget_words),
    **dict.fromkeys(TOLD_OF_SIGN_INS, (notifications.notify_own_sign_in,)),
    "resident.erased": (
        interactions.forget_resident,
        requests.forget_resident,
        callbacks.forget_resident,
        drafts.forget_resident,
    ),
}

HANDLERS: dict[str, tuple[Handler, ...]] = _together(
    _EACH,
    dict.fromkeys(workorders.FOLLOWED, (workorders.follow,)),
    dict.fromkeys(TOLD_OVER_OPEN311, (subscribing.follow,)),
)
"""What residents and staff hear of, the departments' own systems, and systems that asked to be told."""

ONLY_WHERE: dict[Handler, Callable[[int], bool]] = {
    workorders.follow: workorders.has_links,
    subscribing.follow: subscribing.has_webhooks,
}
"""Handlers that have something to do in few cities."""

SUBJECT_TABLES: dict[str, str] = {"request": "requests_request"}
"""Each row of these has a chain in the ledger; `ledger verify` names those that have none (any more)."""
