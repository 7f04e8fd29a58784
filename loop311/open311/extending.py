"""What `extensions=true` adds to a request: what the city knows beyond GeoReport's fields. Public, like all the rest."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from loop311.catalog.definitions import Publicity
from loop311.open311.finding import Row
from loop311.requests.policies import State

_ENDS = frozenset({State.DONE, State.CLOSED, State.DECLINED})


def attributes(request: Row, sentence: str) -> dict[str, Any]:
    """`request` as it was found with extensions; what there is none of is left out."""
    said: dict[str, Any] = {
        "detailed_status": request.state,
        "channel": request.channel,
        "priority": request.priority,
        "joined_count": request.joined_count,
        "reopened_count": request.reopened_count,
        "is_joined": request.state == State.JOINED,
        **_promise(request),
    }
    if request.publicity == Publicity.EXACT:  # of a small area the key alone could tell the house
        said["areas"] = [{"layer": layer, "key": key} for layer, key in sorted(json.loads(request.areas).items())]
    if request.state in _ENDS:
        said |= {"outcome": request.outcome, "outcome_sentence": sentence}
    if request.ended_at:
        said["closed_datetime"] = request.ended_at
    return said


def _promise(request: Row) -> dict[str, datetime]:
    """The date that holds now, and the one that was promised first."""
    dates = {"promised_datetime": request.due_at, "first_promised_datetime": request.first_promise}
    return {name: at for name, at in dates.items() if at}
