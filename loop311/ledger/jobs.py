"""The jobs behind the handlers: which failed, and which are tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction


@dataclass(frozen=True, slots=True)
class TroubledHandler:
    """A handler that has failed for an event. `next_try_at` is None when it is not tried again by itself."""

    job: int
    event: int
    kind: str
    subject_type: str
    subject_id: int
    handler: str
    attempts: int
    next_try_at: datetime | None


_TROUBLED = """
SELECT j.id, e.id, e.kind, e.subject_type, e.subject_id, j.args->>'handler', j.attempts,
       CASE WHEN j.status = 'failed' THEN NULL ELSE j.scheduled_at END
FROM procrastinate_jobs j JOIN ledger_event e ON e.id = (j.args->>'event_id')::bigint
WHERE j.task_name = 'ledger.deliver' AND e.jurisdiction_id = %s
  AND (j.status = 'failed' OR j.status = 'todo' AND j.attempts > 0)
ORDER BY j.id DESC LIMIT %s
"""


def troubled_handlers(jurisdiction_id: int, limit: int = 1000) -> list[TroubledHandler]:
    """Newest first: given up, and failed but to be tried again."""
    with connection.cursor() as cursor:
        cursor.execute(_TROUBLED, [jurisdiction_id, limit])
        return [TroubledHandler(*row) for row in cursor.fetchall()]


@transaction.atomic
def retry_failed(jurisdiction_id: int) -> int:
    """Try every given-up handler of the city again now, with as many attempts as at first; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs j SET status = 'todo', attempts = 0, scheduled_at = NULL FROM ledger_event e"
            " WHERE j.task_name = 'ledger.deliver' AND j.status = 'failed' AND e.id = (j.args->>'event_id')::bigint"
            " AND e.jurisdiction_id = %s",
            [jurisdiction_id],
        )
        return int(cursor.rowcount)
