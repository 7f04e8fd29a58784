"""Calls to the systems that want to be told: signed, each update with an id of its own, of one request in their order.

One worker at a time calls one webhook (`busy_until`), and never for long, so that a slow one keeps nobody else waiting. A worker
that is killed leaves the call owed: it is made again with the same id.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import msgspec
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from loop311.catalog.services import current
from loop311.georeport.model import UpdateItem
from loop311.kit import fetching
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.jobs import LATER, defer
from loop311.open311 import updates
from loop311.open311.models import Webhook, WebhookCall
from loop311.open311.subscribing import end, sealer
from loop311.workorders import signing

SECONDS = 10.0
"""For one call, whole."""
_IN_A_ROW = 20.0
"""Seconds of calls to one webhook before others have their turn."""
_LEASE = timedelta(seconds=60)
KEPT = timedelta(days=1)
"""An update that was not taken for so long is given up."""
PATIENCE = timedelta(days=5)
"""A webhook that took nothing for so long is ended."""
KIND = "org.loop311.open311.update"
_GONE = 410


class Ends(Exception):
    """This webhook is not called any more; the message says why, `why` in one word."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


def tell(webhook_id: int) -> None:
    """Make the calls that are due. Whoever comes second, while they are made, goes away."""
    webhook = _taken(webhook_id)
    if webhook is None:
        return
    until = time.monotonic() + _IN_A_ROW
    try:
        while time.monotonic() < until and _next(webhook):
            pass
    except Ends as reason:
        end(webhook, str(reason), why=reason.why, by=system(webhook.jurisdiction_id))
    finally:
        Webhook.objects.filter(pk=webhook_id, busy_until=webhook.busy_until).update(busy_until=None)
    _go_on(webhook_id)


def _taken(webhook_id: int) -> Webhook | None:
    at = now()
    free = Webhook.objects.filter(_ready(at), pk=webhook_id)
    if not free.update(busy_until=at + _LEASE):
        return None
    return Webhook.objects.select_related("jurisdiction", "token").get(pk=webhook_id)


def _ready(at: datetime) -> Q:
    return (
        Q(ended_at=None)
        & (Q(busy_until=None) | Q(busy_until__lt=at))
        & (Q(quiet_until=None) | Q(quiet_until__lte=at))
    )  # fmt: skip


def _go_on(webhook_id: int) -> None:
    """What was owed meanwhile, by jobs that found this one busy, or could not be said in one go."""
    row = Webhook.objects.filter(pk=webhook_id, ended_at=None).first()
    if row is None:
        return
    first = WebhookCall.objects.filter(webhook=row).order_by("next_at").values_list("next_at", flat=True).first()
    if first is not None:
        at = max(first, row.quiet_until or first)
        defer("open311.tell", queue="webhooks", priority=LATER, at=at if at > now() else None, webhook=webhook_id)


def ready() -> list[int]:
    """Webhooks that have a call due and nobody who makes it: their jobs were lost. What is owed to ended ones is forgotten."""
    WebhookCall.objects.exclude(webhook__ended_at=None).delete()
    due = WebhookCall.objects.filter(next_at__lte=now()).values("webhook_id")
    return list(Webhook.objects.filter(_ready(now()), pk__in=due).order_by("pk").values_list("pk", flat=True))


# --- One call ------------------------------------------------------------------------------------------------------------


def _due(webhook: Webhook) -> QuerySet[WebhookCall]:
    """Oldest first; of one request, none before the one that came before it was taken or given up."""
    owed = WebhookCall.objects.filter(jurisdiction_id=webhook.jurisdiction_id, webhook=webhook)
    before = owed.filter(request_id=OuterRef("request_id"), event__lt=OuterRef("event"))
    return owed.filter(~Exists(before), next_at__lte=now()).order_by("event")


def _next(webhook: Webhook) -> bool:
    """Whether to go on: not when nothing is due, nor after a call that was not taken."""
    if webhook.token.state(now()) != "open":
        raise Ends("key", "The api_key is not valid any more.")
    call = _due(webhook).first()
    if call is None:
        return False
    _, index = current(webhook.jurisdiction_id)
    found = updates.one(call.event, webhook.jurisdiction, index, webhook.language)
    problem = _send(webhook, *found) if found else ""
    if problem:
        _not_taken(webhook, call, problem)
        return False
    call.delete()
    if found and webhook.failures:
        _took_it_again(webhook)
    return not Webhook.objects.filter(pk=webhook.pk).exclude(ended_at=None).exists()


def _took_it_again(webhook: Webhook) -> None:
    webhook.failures, webhook.failing_since, webhook.quiet_until, webhook.problem = 0, None, None, ""
    webhook.save(update_fields=["failures", "failing_since", "quiet_until", "problem"])


def _send(webhook: Webhook, item: UpdateItem, at: datetime) -> str:
    """Why it was not taken; empty when it was."""
    body = event_of(webhook, item, at)
    identity = f"{item.update_id}-{webhook.pk}"
    headers = {
        "Content-Type": "application/cloudevents+json",
        "User-Agent": "Loop311",
        **signing.headers(_secret(webhook), identity, now(), body),
    }
    try:
        status = fetching.post(webhook.url, body, headers, seconds=SECONDS, loopback=not settings.PRODUCTION)
    except (fetching.Refused, fetching.Away) as reason:
        return str(reason)
    if status == _GONE:
        raise Ends("gone", "The receiver answered 410: it is gone.")
    return "" if 200 <= status < 300 else f"The receiver answered {status}."


def event_of(webhook: Webhook, item: UpdateItem, at: datetime) -> bytes:
    """A CloudEvent around the very item that servicerequestupdates gives."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": item.update_id,
            "source": f"{settings.BASE_URL}/open311/v2/?jurisdiction_id={webhook.jurisdiction.slug}",
            "type": KIND,
            "subject": item.service_request_id,
            "time": at,
            "datacontenttype": "application/json",
            "data": item,
        }
    )


def _secret(webhook: Webhook) -> str:
    try:
        return sealer().open(webhook.sealed_secret)
    except InvalidToken as error:
        raise Ends("secret", "Its secret cannot be read any more: the deployment's key was changed.") from error


def _not_taken(webhook: Webhook, call: WebhookCall, problem: str) -> None:
    at = now()
    call.failures += 1
    call.tried_at, call.next_at = call.tried_at or at, at + pause(call.failures)
    call.save(update_fields=["failures", "tried_at", "next_at"])
    webhook.failures, webhook.problem = webhook.failures + 1, problem[:200]
    webhook.failing_since = webhook.failing_since or at
    webhook.quiet_until = at + pause(webhook.failures)
    webhook.save(update_fields=["failures", "problem", "failing_since", "quiet_until"])
    _give_up(webhook, at)
    if at - webhook.failing_since >= PATIENCE:
        raise Ends("silent", f"Nothing was taken for {PATIENCE.days} days. {problem}")


def _give_up(webhook: Webhook, at: datetime) -> None:
    """What they would not take for a day; of a webhook that is silent so long, all that is as old."""
    old = Q(tried_at__lte=at - KEPT)
    if webhook.failing_since and webhook.failing_since <= at - KEPT:
        old |= Q(at__lte=at - KEPT)
    given_up, _ = WebhookCall.objects.filter(old, jurisdiction_id=webhook.jurisdiction_id, webhook=webhook).delete()
    if given_up:
        Webhook.objects.filter(pk=webhook.pk).update(lost=F("lost") + given_up)


def pause(failures: int) -> timedelta:
    """10 seconds, 30, 90 ... an hour."""
    return timedelta(seconds=min(10 * 3 ** min(failures - 1, 9), 3600))
