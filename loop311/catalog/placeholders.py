"""What a message template can be for, and what it may say in braces. A test compares docs/reference/placeholders.md."""

from __future__ import annotations

import re

PLACEHOLDERS: dict[str, str] = {
    "number": "The request's public number.",
    "service": "The service's name.",
    "address": "Where it is, as the resident gave it.",
    "team": "The team accountable now.",
    "department": "The team's department.",
    "step": "What the promised date is for ('fill the pothole').",
    "due_on": "The promised date.",
    "outcome": "The outcome's sentence.",
    "outcome_note": "What the team added to the outcome.",
    "reason": "Why the clock stands still.",
    "owner": "Who outside the city is responsible.",
    "owner_says": "What the catalogue says to tell callers about that owner, with its phone and address.",
    "reference": "The outside owner's own number.",
    "leading_number": "The number of the request this one is joined to.",
    "city": "The city's name.",
    "link": "The page of the request.",
    "dispute_until": "The last day to say that it is not done.",
    "title": "The title of an article that is sent.",
    "answer": "The article's short answer, one or two lines.",
    "callback_window": "Between when we call back.",
    "comment": "What the team wrote for the resident to read.",
}

EVENTS = frozenset(
    f"request.{happened}"
    for happened in (
        *(
            "filed",
            "assigned",
            "started",
            "waiting",
            "resumed",
            "handed_over",
            "done",
            "closed",
            "declined",
            "reopened",
        ),
        *(
            "joined",
            "separated",
            "leader_done",
            "leader_closed",
            "leader_reopened",
            "promise_changed",
            "service_changed",
            "rerouted",
            "commented",
        ),
    )
) | {"article.sent", "callback.promised", "callback.failed", "callback.cancelled"}
"""What a resident is told of, so what a template can be for; a test of the site compares it with the notifications' list."""

_PART = re.compile(r"\{([^{}]*)\}|[{}]")


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and is not in the table, as written; a single brace counts as one."""
    return [found[0] for found in _PART.finditer(text) if found[1] is None or found[1] not in PLACEHOLDERS]
