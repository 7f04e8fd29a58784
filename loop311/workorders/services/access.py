"""How every write of this room begins and ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import msgspec

from loop311.kit.actor import Actor, ActorKind
from loop311.kit.jobs import defer
from loop311.kit.problems import Conflict, Forbidden, NotFound
from loop311.ledger.services import append
from loop311.requests.models import Request
from loop311.workorders.mapping import LinkMap
from loop311.workorders.models import Link, Order

LINK, ORDER = "link", "workorder"


def permit(by: Actor, permission: str) -> None:
    if not by.may(permission):
        raise Forbidden("Your role does not allow this: change links and work orders.")


def mapping(link: Link) -> LinkMap:
    return _mapping(link.mapping)


@lru_cache(maxsize=256)
def _mapping(document: str) -> LinkMap:
    return msgspec.json.decode(document, type=LinkMap)


def find_link(code: str, *, by: Actor) -> Link:
    """A link of the actor's city, or NotFound."""
    found = Link.objects.of_city(by.jurisdiction_id).in_use().filter(code=code).first()
    if found is None:
        raise NotFound(f"There is no link {code[:60]!r} in this city.")
    return found


def hold_link(link_id: int) -> Link:
    return Link.objects.select_for_update(of=("self",)).select_related("jurisdiction").get(pk=link_id)


def hold_request(jurisdiction_id: int, request_id: int) -> Request:
    """Always before the order: a verb on the request may follow."""
    held = Request.objects.select_for_update(of=("self",))
    return held.select_related("jurisdiction", "service", "team").get(jurisdiction_id=jurisdiction_id, pk=request_id)


def hold_order(order_id: int, *, jurisdiction_id: int) -> Order:
    held = Order.objects.of_city(jurisdiction_id).select_for_update(of=("self",)).select_related("link", "request")
    found = held.filter(pk=order_id).first()
    if found is None:
        raise NotFound("There is no such work order in this city.")
    return found


def check_version(order: Order, version: int | None) -> None:
    if version is not None and version != order.version:
        raise Conflict(
            f"Work order {order.reference} was changed meanwhile; look again, then decide.",
            extra={"version": order.version},
        )


def of_link(link: Link) -> Actor:
    """Their side acting here: it may do what a crew may, and nothing that decides against a resident.

    Links are applications without a token: their number is negative, so that it is none's.
    """
    return Actor(ActorKind.APPLICATION, link.jurisdiction_id, -link.pk, _ALLOWED)


_ALLOWED = frozenset(f"requests.{verb}" for verb in ("start", "wait", "resume", "comment", "add_evidence", "resolve"))


def is_of_link(actor_kind: str, actor_ref: int, link_id: int) -> bool:
    return actor_kind == ActorKind.APPLICATION and actor_ref == -link_id


def write(
    order: Order,
    kind: str,
    body: Mapping[str, object],
    fields: tuple[str, ...],
    *,
    by: Actor,
    at: datetime,
    first: bool = False,
) -> None:
    """Save `fields` under the next version and append the event."""
    if not first:
        order.version += 1
        order.save(update_fields=[*fields, "version"])
    said = {"link": order.link_id, "request": order.request_id, "reference": order.reference, "state": order.state}
    concerns = [f"{LINK}:{order.link_id}"]  # the link's page shows it
    append(kind, ORDER, order.pk, {**said, **body}, by=by, at=at, first=first, concerns=concerns)


def wake(link_id: int) -> None:
    """A job that says what is to be said; in the same transaction."""
    defer("workorders.send", queue="workorders", link=link_id)
