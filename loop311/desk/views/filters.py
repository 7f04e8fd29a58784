"""From what was chosen in the address to what is asked of the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from loop311.accounts.models import Team
from loop311.catalog.models import Service
from loop311.desk.access import Desk
from loop311.kit.clock import now
from loop311.kit.problems import NotFound
from loop311.requests.policies import OPEN_STATES
from loop311.requests.queries import Wanted
from loop311.residents import services as residents


def wanted_by(desk: Desk, chosen: Mapping[str, Any], limit: int) -> Wanted:
    """The choices are already known to be of this city."""
    state = chosen["state"]
    layer, _, key = chosen["area"].partition(":")
    return Wanted(
        states=sorted(OPEN_STATES) if state == "open" else [state] if state else (),
        team_id=_id(Team, desk, chosen["team"]),
        service_id=_id(Service, desk, chosen["service"]),
        area=(layer, key) if key else None,
        resident_ids=_identities(desk, chosen["resident"]),
        overdue_at=now() if chosen["overdue"] else None,
        text=chosen["q"],
        before=chosen["before"],
        limit=limit,
    )


def _id(model: type[Team] | type[Service], desk: Desk, code: str) -> int | None:
    if not code:
        return None
    pk = model.objects.filter(jurisdiction=desk.city, code=code).values_list("pk", flat=True).first()
    if pk is None:
        raise NotFound("There is no such team or service.")
    return int(pk)


def _identities(desk: Desk, resident_id: int | None) -> list[int]:
    if resident_id is None:
        return []
    return residents.identity_ids(residents.get(resident_id, by=desk.actor))


def without(chosen: QueryDict, name: str) -> str:
    """The query string of all other choices."""
    rest = chosen.copy()
    rest.pop(name, None)
    return rest.urlencode()
