"""When, how often and under which name a message goes out: pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    EMAIL = "email"
    SMS = "sms"


KIND_OF_POINT = {"email": Kind.EMAIL, "mobile": Kind.SMS}
"""Contact point's kind -> how it is written to; a telephone for voice only is not."""


class MessageState(StrEnum):
    QUEUED = "queued"
    HELD = "held"  # quiet hours
    SENDING = "sending"  # noted before the server is spoken to
    SENT = "sent"
    FAILED = "failed"  # for good, or given up
    UNKNOWN = "unknown"  # a text of which we cannot know whether it left; never sent twice
    SKIPPED = "skipped"  # nobody to send it to any more, or unsubscribed meanwhile


WAITING = frozenset({MessageState.QUEUED, MessageState.HELD, MessageState.SENDING})
LISTED = frozenset({MessageState.FAILED, MessageState.UNKNOWN})
"""What a person has to look at."""

ASKED_JUST_NOW = frozenset({"request.filed", "article.sent"})
"""The direct answer to what the resident asked: neither quiet hours nor unsubscribing hold it."""

STALE = timedelta(days=1)
"""What happened longer than this before it was recorded (imports, demo, late entries) is history and not news."""


def is_news(at: datetime, recorded_at: datetime) -> bool:
    return recorded_at - at <= STALE


def may_be_told(kind: str, *, may_notify: bool, is_unsubscribed: bool) -> bool:
    """Whether the resident wants to hear of this kind of event at this contact point."""
    return may_notify and (not is_unsubscribed or kind in ASKED_JUST_NOW)


def concerns_resident(kind: str, body: Mapping[str, object], *, by_resident: bool) -> bool:
    """Whether this event of a kind that residents are told of is news to this one.

    Not: words for the team only, what the resident did, and a call-back in whose place another one stands.
    """
    if kind == "request.commented":
        return bool(body.get("public")) and not by_resident
    if kind == "callback.cancelled":
        return body.get("reason") != "duplicate" and not by_resident
    return True


# --- Quiet hours -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quiet:
    """Local wall times between which no text is sent; may span midnight; equal times: never quiet."""

    start: time = time(21)
    end: time = time(8)


def held_until(at: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime | None:
    """When a text may go that is ready at `at`: None for now, else the end of the quiet hours, in UTC."""
    local = at.astimezone(zone)
    if not _is_quiet(local.time(), quiet):
        return None
    day = local.date() if local.time() < quiet.end else local.date() + timedelta(days=1)
    return datetime.combine(day, quiet.end, tzinfo=zone).astimezone(UTC)


def _is_quiet(clock: time, quiet: Quiet) -> bool:
    if quiet.start <= quiet.end:
        return quiet.start <= clock < quiet.end
    return clock >= quiet.start or clock < quiet.end


# --- Trying again --------------------------------------------------------------------------------------------------------

MOST_ATTEMPTS = 10
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=12)


def wait_after(attempts: int) -> timedelta | None:
    """30 s, 2 min, 8 min, 32 min, 2 h, 8.5 h, then 12 h each; None after the tenth attempt, some two days later."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return min(FIRST_WAIT * int(4 ** (attempts - 1)), LONGEST_WAIT)


def message_id(event_id: int, contact_point_id: int, host: str) -> str:
    """The same for the same event and contact point, whoever computes it and how often: '<3f2...@city.example>'."""
    name = hashlib.sha256(f"loop311:{event_id}:{contact_point_id}".encode()).hexdigest()[:40]
    return f"<{name}@{host}>"


# --- Texts -----------------------------------------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put each known {placeholder}'s value in; values are not read again, and nothing but a plain name is a placeholder."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def one_line(text: str) -> str:
    """For headers and texts: no line breaks, no doubled spaces."""
    return " ".join(text.split())


def tidy(text: str) -> str:
    """A body without the gaps that empty values leave: no more than one blank line, none at the ends."""
    lines = [line.rstrip() for line in text.replace("\r", "").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


# --- The mail server ---------------------------------------------------------------------------------------------------------


def smtp_settings(url: str) -> dict[str, object]:
    """Django's EMAIL_* settings from 'smtp://user:password@host:587?starttls=1' or 'smtps://host'.

    Raises ValueError naming what is wrong.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("LOOP311_SMTP_URL must look like smtp://user:password@host:587?starttls=1 or smtps://host.")
    secure = parts.scheme == "smtps"
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if secure else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": secure,
        "EMAIL_USE_TLS": not secure and parse_qs(parts.query).get("starttls", ["0"])[0] == "1",
    }
