"""Channels and outcomes of a contact: closed lists."""

from __future__ import annotations

import re
from enum import StrEnum

from loop311.kit.problems import FieldProblem


class Channel(StrEnum):
    PHONE = "phone"
    WEB = "web"
    APP = "app"
    COUNTER = "counter"
    EMAIL = "email"
    MESSAGE = "message"  # SMS, social media
    API = "api"  # another system
    STAFF = "staff"  # found by the city's own people
    LETTER = "letter"


class ContactOutcome(StrEnum):
    REQUEST = "request"  # at least one request filed or joined
    INFORMATION = "information"  # answered at once
    FOLLOW_UP = "follow_up"  # about an existing request
    CALLBACK = "callback"  # somebody will ring back
    TRANSFERRED = "transferred"  # to 911 or another number
    ABANDONED = "abandoned"


class EndReason(StrEnum):
    """Why somebody else than the person who took it wrapped a contact up."""

    FORGOTTEN = "forgotten"  # all was done but the wrap-up
    CALLER_GONE = "caller_gone"
    FAILURE = "failure"  # a machine, the line, the system
    TWICE = "twice"  # taken down again in another contact


SUBJECTS = ("request", "callback", "article", "gap")
"""What a contact can be about: what has a history in the diary."""

TOPIC = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
"""A topic is a code (of a service or an article), never somebody's words: it stands in the ledger."""


def may_end_as(outcome: str, topic: str) -> FieldProblem | None:
    """Why a contact cannot end like this, or None. An information-only contact needs its topic."""
    if outcome not in {o.value for o in ContactOutcome}:
        return FieldProblem("outcome", f"There is no outcome {outcome!r}; they are {', '.join(ContactOutcome)}.")
    if topic and not TOPIC.fullmatch(topic):
        return FieldProblem("topic", "The topic is a code: lower-case letters, digits, hyphens and underscores.")
    if outcome == ContactOutcome.INFORMATION and not topic:
        return FieldProblem("topic", "Say what the information was about: the topic's code.")
    return None
