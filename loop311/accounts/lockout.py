"""Wrong passwords are counted, per account and per address; too many close the door for a while. Part of this room's services.

An attempt is counted before the password is looked at, in one statement, so that many at once gain nothing. What is counted is
a digest of what was typed, whether an account of that name exists or not: nothing is learnt from being locked out.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from loop311.accounts.models import SignInLock, StaffMember
from loop311.accounts.services import managed
from loop311.kit.actor import Actor, system
from loop311.kit.clock import now
from loop311.ledger import services as ledger


@dataclass(frozen=True, slots=True)
class Limit:
    """After `tries` within the window the next one locks."""

    tries: int
    window: timedelta
    lock: timedelta


ACCOUNT = Limit(5, timedelta(minutes=15), timedelta(minutes=15))
ADDRESS = Limit(60, timedelta(minutes=15), timedelta(minutes=15))
"""A whole call centre may come from one address."""


class Locked(Exception):
    """Too many wrong tries; `minutes` until the next one counts."""

    def __init__(self, minutes: int) -> None:
        super().__init__(f"Locked for {minutes} minutes.")
        self.minutes = minutes


def admit(account: str, address: str, *, at: datetime | None = None) -> None:
    """Counts one attempt to sign in; Locked when the password is not even to be looked at."""
    at = at or now()
    until = [_count(_digest("account", account), ACCOUNT, at, account)]
    if _tells_people_apart(address):
        until.append(_count(_digest("address", address), ADDRESS, at))
    latest = max((each for each in until if each is not None), default=None)
    if latest is not None:
        raise Locked(max(1, math.ceil((latest - at).total_seconds() / 60)))


def passed(account: str, address: str) -> None:
    """The password was right: the account begins anew, and this try does not count against the address."""
    SignInLock.objects.filter(digest=_digest("account", account)).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_signinlock SET tries = greatest(tries - 1, 0) WHERE digest = %s AND locked_until IS NULL",
            [_digest("address", address)],
        )


def locked_until(staff: StaffMember, *, at: datetime | None = None) -> datetime | None:
    """When a member of staff who is locked out may try again."""
    lock = SignInLock.objects.filter(digest=_digest("account", staff.user.email), locked_until__gt=at or now()).first()
    return lock.locked_until if lock else None


def locked_among(people: Sequence[StaffMember], *, at: datetime | None = None) -> set[int]:
    """Ids of those who are locked out; one query."""
    digests = {_digest("account", staff.user.email): staff.pk for staff in people}
    rows = SignInLock.objects.filter(digest__in=list(digests), locked_until__gt=at or now())
    return {digests[bytes(digest)] for digest in rows.values_list("digest", flat=True)}


@transaction.atomic
def unlock(staff: StaffMember, *, by: Actor) -> StaffMember:
    """The person may try again at once; unlocking somebody who is not locked out changes nothing."""
    staff = managed(staff, by)
    gone, _ = SignInLock.objects.filter(digest=_digest("account", staff.user.email), locked_until__gt=now()).delete()
    if gone:
        ledger.append("staff.unlocked", "staff", staff.pk, {}, by=by)
    return staff


_COUNT = """
INSERT INTO accounts_signinlock AS l (digest, tries, since) VALUES (%(digest)s, 1, %(at)s)
ON CONFLICT (digest) DO UPDATE SET
  tries = CASE WHEN l.locked_until > %(at)s THEN l.tries
               WHEN l.locked_until IS NOT NULL OR l.since <= %(begins)s THEN 1 ELSE l.tries + 1 END,
  since = CASE WHEN l.locked_until IS NULL AND l.since > %(begins)s OR l.locked_until > %(at)s THEN l.since ELSE %(at)s END,
  locked_until = CASE WHEN l.locked_until > %(at)s THEN l.locked_until
                      WHEN l.locked_until IS NULL AND l.since > %(begins)s AND l.tries >= %(limit)s THEN %(until)s END
RETURNING locked_until
"""


@transaction.atomic
def _count(digest: bytes, limit: Limit, at: datetime, account: str = "") -> datetime | None:
    """Until when this one is locked, or None."""
    until = at + limit.lock
    with connection.cursor() as cursor:
        begins = at - limit.window
        cursor.execute(_COUNT, {"digest": digest, "at": at, "begins": begins, "limit": limit.tries, "until": until})
        found: datetime | None = cursor.fetchone()[0]
    if found == until and account:
        _note(account, at)
    return found


def _note(account: str, at: datetime) -> None:
    """The diary of those who work here under this name says that somebody was locked out."""
    for staff in StaffMember.objects.filter(user__email=account.strip().lower(), is_active=True):
        ledger.append("staff.locked_out", "staff", staff.pk, {}, by=system(staff.jurisdiction_id), at=at)


def _digest(kind: str, what: str) -> bytes:
    """Keyed, so that the table tells nobody which names and addresses were tried."""
    return hmac.digest(settings.SECRET_KEY.encode(), f"{kind}:{what.strip().lower()}".encode(), hashlib.sha256)


def _tells_people_apart(address: str) -> bool:
    """Behind a proxy that does not pass the address on, everybody comes from this machine."""
    try:
        return not (settings.PRODUCTION and ipaddress.ip_address(address).is_loopback)
    except ValueError:
        return False
