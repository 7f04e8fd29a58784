"""Systems that want to be told of updates instead of asking for them: taken on, listed, ended, and matched with what happens."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet

from loop311.accounts.models import Token
from loop311.catalog.index import CatalogueIndex
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit import fetching
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.clock import now
from loop311.kit.jobs import defer_many
from loop311.kit.problems import Forbidden, NotFound
from loop311.kit.secrets import Sealer
from loop311.ledger.models import Event
from loop311.ledger.services import append
from loop311.open311 import finding, offering, updates
from loop311.open311.models import Webhook, WebhookCall
from loop311.open311.policies import refuse
from loop311.requests.models import Request

MOST = 20
"""Webhooks of one key."""
MOST_NUMBERS = 100
"""Requests that one webhook may name."""
_SHOWN_ENDED = timedelta(days=30)
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be told, and where."""

    url: str
    service_codes: Sequence[str] = ()
    numbers: Sequence[str] = ()
    mine: bool = False
    language: str


def sealer() -> Sealer:
    return Sealer(settings.SECRET_KEY, "open311 webhooks")


@transaction.atomic
def subscribe(
    city: Jurisdiction, index: CatalogueIndex, wish: Wish, *, by: Actor, at: datetime | None = None
) -> tuple[Webhook, str]:
    """The webhook and what its calls will be signed with: said this once."""
    token = Token.objects.select_for_update().get(jurisdiction=city, pk=key_of(by))  # its webhooks are counted
    _check(wish, city, index)
    live = list(Webhook.objects.filter(jurisdiction=city, token=token, ended_at=None))
    if len(live) >= MOST:
        raise refuse("url", f"This api_key has {MOST} webhooks already; end one first.")
    if any(_same(webhook, wish) for webhook in live):
        raise refuse("url", "This api_key has just this webhook already; end it first.")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    made = Webhook.objects.create(
        jurisdiction=city,
        token=token,
        url=wish.url,
        sealed_secret=sealer().seal(secret),
        language=wish.language,
        service_codes=sorted(set(wish.service_codes)),
        numbers=sorted(set(wish.numbers)),
        mine=wish.mine,
        created_at=at or now(),
    )
    return made, secret


def key_of(by: Actor) -> int:
    """The id of a system's own key. People's keys change with their roles and leave with them."""
    if by.kind is not ActorKind.APPLICATION:
        raise Forbidden("Webhooks belong to systems: use a key that is nobody's own.")
    return by.ref


def _check(wish: Wish, city: Jurisdiction, index: CatalogueIndex) -> None:
    if not wish.url:
        raise refuse("url", "url is missing.")
    try:
        fetching.check_goal(wish.url, loopback=not settings.PRODUCTION)
    except fetching.Refused as reason:
        raise refuse("url", f"url: {reason}") from reason
    _check_services(wish.service_codes, index)
    _check_numbers(wish, city, index)


def _check_services(codes: Sequence[str], index: CatalogueIndex) -> None:
    offered = {service.code for service in offering.offered(index)}
    for code in codes:
        if code not in offered:
            raise refuse("service_code", f"There is no service_code {code[:80]!r}.")


def _check_numbers(wish: Wish, city: Jurisdiction, index: CatalogueIndex) -> None:
    if not wish.numbers:
        return
    if wish.mine:
        raise refuse("mine", "Give either mine or service_request_id.")
    if len(wish.numbers) > MOST_NUMBERS:
        raise refuse("service_request_id", f"service_request_id names more than {MOST_NUMBERS} requests.")
    there = finding.public(city, index).filter(number__in=list(wish.numbers))
    known = set(there.values_list("number", flat=True))
    for number in wish.numbers:
        if number not in known:
            raise refuse("service_request_id", f"There is no service_request_id {number[:40]!r}.")


def _same(webhook: Webhook, wish: Wish) -> bool:
    narrowed = (webhook.url, webhook.service_codes, webhook.numbers, webhook.mine)
    return narrowed == (wish.url, sorted(set(wish.service_codes)), sorted(set(wish.numbers)), wish.mine)


# --- Reading and ending --------------------------------------------------------------------------------------------------


def of_key(by: Actor) -> QuerySet[Webhook]:
    """The key's own, with `waiting`: how many updates it has still to be told. Those that ended a month ago are left out."""
    return _shown(by.jurisdiction_id).filter(token_id=key_of(by))


def of_city(city: Jurisdiction) -> QuerySet[Webhook]:
    return _shown(city.pk).select_related("token")


def _shown(jurisdiction_id: int) -> QuerySet[Webhook]:
    lately = Q(ended_at=None) | Q(ended_at__gte=now() - _SHOWN_ENDED)
    rows = Webhook.objects.filter(lately, jurisdiction_id=jurisdiction_id)
    return rows.annotate(waiting=Count("calls")).order_by("pk")


def named(webhook_id: int, *, by: Actor) -> Webhook:
    """Raises NotFound, also for another key's."""
    found = of_key(by).filter(pk=webhook_id).first()
    if found is None:
        raise NotFound(f"There is no webhook {webhook_id}.")
    return found


@transaction.atomic
def end(webhook: Webhook, reason: str, *, why: str, by: Actor, at: datetime | None = None) -> Webhook:
    """No more calls; what it was still to be told is forgotten. Ended before, it stays as it is."""
    webhook = Webhook.objects.select_for_update().get(jurisdiction_id=webhook.jurisdiction_id, pk=webhook.pk)
    if webhook.ended_at is None:
        webhook.ended_at, webhook.ended_reason, webhook.sealed_secret = at or now(), reason[:200], ""
        webhook.save(update_fields=["ended_at", "ended_reason", "sealed_secret"])
        append(
            "webhook.ended", "webhook", webhook.pk, {"token": webhook.token_id, "why": why}, by=by, at=webhook.ended_at
        )
    WebhookCall.objects.filter(jurisdiction_id=webhook.jurisdiction_id, webhook=webhook).delete()
    return webhook


# --- What happens --------------------------------------------------------------------------------------------------------


_LIVE = "SELECT EXISTS (SELECT 1 FROM open311_webhook WHERE jurisdiction_id = %s AND ended_at IS NULL)"


def has_webhooks(jurisdiction_id: int) -> bool:
    """Whether anybody is to be told. Plain SQL: every update asks it."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [jurisdiction_id])
        return bool(cursor.fetchone()[0])


def follow(event_id: int) -> None:
    """Handler of every update: who wants to be told of it is, by a job for each. Whether it is public is judged when it is said."""
    event = Event.objects.get(pk=event_id)
    live = Webhook.objects.filter(
        jurisdiction_id=event.jurisdiction_id, ended_at=None, created_at__lte=event.recorded_at
    )
    if updates.is_internal(event) or not live.exists():
        return
    request = Request.objects.select_related("service").get(jurisdiction_id=event.jurisdiction_id, pk=event.subject_id)
    wanted = live.filter(
        Q(service_codes=[]) | Q(service_codes__contains=[request.service.code]),
        Q(numbers=[]) | Q(numbers__contains=[request.number]),
        Q(mine=False) | Q(token_id=_filed_with(event)),
    )
    _owe(event, list(wanted.order_by("pk").values_list("pk", flat=True)))


def _filed_with(event: Event) -> int:
    """The id of the key that the request was filed with; 0 when it was by no system."""
    filing = Event.objects.filter(
        jurisdiction_id=event.jurisdiction_id,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        sequence=1,
        actor_kind=ActorKind.APPLICATION.value,
    )
    return filing.values_list("actor_ref", flat=True).first() or 0


def _owe(event: Event, webhooks: Sequence[int]) -> None:
    at = now()
    WebhookCall.objects.bulk_create(
        [
            WebhookCall(
                jurisdiction_id=event.jurisdiction_id, webhook_id=webhook, request_id=event.subject_id, event=event.pk,
                at=at, next_at=at,
            )
            for webhook in webhooks
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    defer_many("open311.tell", [{"webhook": webhook} for webhook in webhooks], queue="webhooks")
