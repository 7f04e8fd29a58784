"""Calls of theirs: genuine, young, and each only once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from loop311.kit.problems import NotFound, Problem, Unauthenticated
from loop311.workorders.mapping import LinkMap
from loop311.workorders.models import Call, Link
from loop311.workorders.policies import LinkState
from loop311.workorders.secrets import secret_at
from loop311.workorders.services import access
from loop311.workorders.signing import NotGenuine, verify

MOST = 600
"""Calls of a link in a minute; more are refused, and the department's system tries again."""
_MINUTE = timedelta(minutes=1)


class TooMany(Problem):
    code = "too-many"
    title = "Too many calls"
    status = 429


def link_at(address: str) -> Link:
    found = Link.objects.in_use().select_related("jurisdiction").filter(address=address).first()
    if found is None or not access.mapping(found).call_secret:
        raise NotFound("Nothing is listening here.")
    return found


def check(link: Link, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
    """The call's id. Raises Unauthenticated when it is not genuine; nothing is written."""
    said: LinkMap = access.mapping(link)
    try:
        return verify(secret_at(said.call_secret), headers, body, at)
    except NotGenuine as error:
        raise Unauthenticated(str(error)) from error


@transaction.atomic
def take_call(link: Link, identity: str, at: datetime) -> bool:
    """False when the very same call was taken before: a replay, or their second try of one that was taken."""
    if link.state == LinkState.PAUSED:
        raise TooMany("The link is paused here; try again later.")
    if Call.objects.filter(link=link, at__gt=at - _MINUTE).count() >= MOST:
        raise TooMany(f"More than {MOST} calls in a minute; try again later.")
    try:
        with transaction.atomic():
            Call.objects.create(jurisdiction_id=link.jurisdiction_id, link=link, call=identity, at=at)
    except IntegrityError:
        return False
    return True
