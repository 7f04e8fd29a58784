"""Links as links.yaml says them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import transaction
from django.db.models import Q

from loop311.accounts.models import StaffMember
from loop311.catalog.checks import errors
from loop311.catalog.services import current
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.ledger.services import append
from loop311.workorders.checks import check
from loop311.workorders.mapping import LinkMap, LinksFile
from loop311.workorders.models import Link, Mismatch, Order
from loop311.workorders.policies import MismatchKind
from loop311.workorders.services import access, hearing


@dataclass(frozen=True, slots=True)
class Loaded:
    added: int
    changed: int
    same: int
    retired: int


@transaction.atomic
def load(city: Jurisdiction, file: LinksFile, *, by: Actor, at: datetime | None = None) -> Loaded:
    """Make the city's links those of the file. One that is missing there is retired, unless orders still lead to it.

    Raises Invalid naming every mistake.
    """
    access.permit(by, "workorders.load")
    at = at or now()
    owners = _checked(city, file)
    counts = {"added": 0, "changed": 0, "same": 0}
    for link in file.links:
        counts[_put(city, link, owners[link.code], by=by, at=at)] += 1
    return Loaded(**counts, retired=_retire(city, {link.code for link in file.links}, by=by, at=at))


def _checked(city: Jurisdiction, file: LinksFile) -> dict[str, StaffMember]:
    """The owners by the links' codes."""
    fields = [FieldProblem(f.path, f.sentence) for f in errors(check(file, current(city.pk)[1]))]
    owners: dict[str, StaffMember] = {}
    for link in file.links:
        staff = StaffMember.objects.filter(jurisdiction=city, user__email=link.owner.strip().lower(), is_active=True)
        if found := staff.first():
            owners[link.code] = found
        else:
            fields.append(FieldProblem(f"links.{link.code}.owner", f"Nobody with the address {link.owner} works here."))
    if fields:
        many = "1 mistake" if len(fields) == 1 else f"{len(fields)} mistakes"
        raise Invalid(f"The links cannot be loaded: {many} must be mended.", fields=fields)
    return owners


def _put(city: Jurisdiction, said: LinkMap, owner: StaffMember, *, by: Actor, at: datetime) -> str:
    document = msgspec.json.encode(said, order="sorted").decode()
    link = Link.objects.select_for_update(of=("self",)).filter(jurisdiction=city, code=said.code).first()
    if link is None:
        link = Link.objects.create(
            jurisdiction=city, code=said.code, name=said.name, connector=said.connector, mapping=document, owner=owner,
            address=secrets.token_urlsafe(18), state_at=at, since=at,
        )  # fmt: skip
        became = "added"
    elif link.mapping == document and link.owner_id == owner.pk and link.retired_at is None:
        return "same"
    else:
        link.name, link.connector, link.mapping, link.owner, link.retired_at = (
            said.name, said.connector, document, owner, None,
        )  # fmt: skip
        link.save(update_fields=["name", "connector", "mapping", "owner", "retired_at"])
        became = "changed"
    body = {"code": link.code, "connector": link.connector, "owner": owner.pk}
    append("link.loaded", access.LINK, link.pk, body, by=by, at=at, first=became == "added")
    access.wake(link.pk)
    if became == "changed":
        _look_again(link, at)
    return became


def _look_again(link: Link, at: datetime) -> None:
    """What a status meant nobody knew; now somebody may have written it down."""
    unknown = Mismatch.objects.filter(
        jurisdiction_id=link.jurisdiction_id, link=link, kind=MismatchKind.UNKNOWN_STATUS, mended_at__isnull=True
    )
    for found in list(unknown.filter(order__isnull=False).select_related("order").order_by("pk")):
        request = access.hold_request(link.jurisdiction_id, found.order.request_id)
        order = access.hold_order(found.order.pk, jurisdiction_id=link.jurisdiction_id)
        hearing.apply(request, order, by=access.of_link(link), at=at)


def _retire(city: Jurisdiction, kept: set[str], *, by: Actor, at: datetime) -> int:
    gone = list(Link.objects.of_city(city.pk).in_use().exclude(code__in=kept).select_for_update())
    for link in gone:
        orders = Order.objects.of_city(city.pk).filter(link=link)
        held = orders.filter(Q(holds=True, request__ended_at__isnull=True) | Q(next_at__isnull=False)).count()
        if held:
            detail = (
                f"{held} open orders lead to {link.code}: let them end or cancel them there first, or pause the link."
            )
            raise Invalid(detail, fields=[FieldProblem(f"links.{link.code}", detail)])
        link.retired_at = at
        link.save(update_fields=["retired_at"])
        append("link.retired", access.LINK, link.pk, {"code": link.code}, by=by, at=at)
    return len(gone)
