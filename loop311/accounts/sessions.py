"""Where a person is signed in, and ending it there. The rows are allauth's and Django's; they are written here only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction

from loop311.accounts.models import User
from loop311.kit.clock import now

_SEEN_EVERY = timedelta(minutes=5)
_MOST_REMEMBERED = 10_000
_seen: dict[str, datetime] = {}
"""Session -> when this process last wrote that it was used: pages would else cost a write each."""

_SYSTEMS = (("iPhone|iPad", "iOS"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS|Macintosh", "macOS"),
            ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/|CriOS", "Chrome"),
    ("Safari/", "Safari"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One sign-in: on which device, since when, last seen when."""

    id: int
    device: str
    address: str
    since: datetime
    seen_at: datetime
    is_here: bool


def sessions_of(user: User, here: str | None) -> list[Place]:
    """Where the person is signed in now, this browser (its session key is `here`) first; one query."""
    living = Session.objects.filter(expire_date__gt=now()).values("session_key")
    rows = UserSession.objects.filter(user=user, session_key__in=living).order_by("-last_seen_at", "-pk")
    found = [
        Place(row.pk, device(row.user_agent), row.ip, row.created_at, row.last_seen_at, row.session_key == here)
        for row in rows
    ]
    return sorted(found, key=lambda place: not place.is_here)


@transaction.atomic
def end_session(user: User, session_id: int) -> bool:
    """Sign out there; False when the person has no such session."""
    return _end(list(UserSession.objects.filter(user=user, pk=session_id).values_list("session_key", flat=True))) > 0


@transaction.atomic
def end_other_sessions(user: User, here: str | None) -> int:
    """Sign out everywhere but here; how many it were."""
    keys = UserSession.objects.filter(user=user).exclude(session_key=here or "").values_list("session_key", flat=True)
    return _end(list(keys))


@transaction.atomic
def end_all_sessions(user: User) -> int:
    """Sign out everywhere, at once."""
    return _end(list(UserSession.objects.filter(user=user).values_list("session_key", flat=True)))


def note_use(key: str | None, address: str, *, at: datetime | None = None) -> None:
    """The session was used; written at most every few minutes."""
    at = at or now()
    if not key or _seen.get(key, at - 2 * _SEEN_EVERY) > at - _SEEN_EVERY:
        return
    if len(_seen) >= _MOST_REMEMBERED:
        _seen.clear()
    _seen[key] = at
    UserSession.objects.filter(session_key=key).update(last_seen_at=at, ip=address)


def device(user_agent: str) -> str:
    """'Firefox, Windows': as much as people recognise."""
    known = [next((name for sign, name in signs if re.search(sign, user_agent)), "") for signs in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in known if name)


def _end(keys: list[str]) -> int:
    Session.objects.filter(session_key__in=keys).delete()
    return int(UserSession.objects.filter(session_key__in=keys).delete()[0])
