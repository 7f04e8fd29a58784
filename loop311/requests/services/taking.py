"""Take next: the most urgent request that is nobody's yet, and never the same one for two people."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from loop311.accounts.models import StaffMember, Team
from loop311.catalog.definitions import Priority
from loop311.kit.actor import Actor
from loop311.kit.problems import Invalid, NotFound
from loop311.requests.models import Request
from loop311.requests.policies import State, Verb
from loop311.requests.services import access
from loop311.requests.services.working import assign, belongs

TAKEABLE = (State.RECEIVED, State.ASSIGNED, State.IN_PROGRESS)

_NEXT = f"""
SELECT id FROM requests_request
WHERE jurisdiction_id = %(city)s AND team_id = %(team)s AND assignee_id IS NULL
  AND state IN ({", ".join(f"'{state}'" for state in TAKEABLE)})
ORDER BY array_position(ARRAY[{", ".join(f"'{each}'" for each in Priority)}], priority), due_at NULLS LAST, id
LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
"""
"""Who comes at the same time passes over what another is just taking."""


@transaction.atomic
def take_next(team: Team, *, assignee: StaffMember, by: Actor, at: datetime | None = None) -> Request | None:
    """Assign it to this member of the team; None when nothing waits."""
    access.permit(by, Verb.ASSIGN)
    if team.jurisdiction_id != by.jurisdiction_id:
        raise NotFound("There is no such team in this city.")
    if not belongs(assignee, team):
        raise Invalid("Only an active member of the team takes from its queue.")
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"city": by.jurisdiction_id, "team": team.pk})
        row = cursor.fetchone()
    if row is None:
        return None
    return assign(Request(pk=row[0]), assignee=assignee, by=by, at=at)
