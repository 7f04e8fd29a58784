"""GET /healthz: are web, database and worker well?"""

from __future__ import annotations

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse

from loop311.kit.problem_documents import RETRY_AFTER_SECONDS

WORKER_MAY_BE_SILENT = 15
"""Seconds since the newest sign of life of any worker; it gives one every three."""


def healthz(request: HttpRequest) -> JsonResponse:
    """200 when all is well; 503 and the reason when not."""
    database, worker = _look()
    is_well = database == worker == "ok"
    report = {"status": "ok" if is_well else "unavailable", "web": "ok", "database": database, "worker": worker}
    headers = {"Cache-Control": "no-store"} | ({} if is_well else {"Retry-After": str(RETRY_AFTER_SECONDS)})
    return JsonResponse(report, status=200 if is_well else 503, headers=headers)


def _look() -> tuple[str, str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM now() - max(last_heartbeat)) FROM procrastinate_workers")
            (silence,) = cursor.fetchone()
    except DatabaseError:
        return "the database does not answer", "unknown while the database does not answer"
    if silence is None:
        return "ok", "no worker runs"
    if silence > WORKER_MAY_BE_SILENT:
        return "ok", f"no sign of life from a worker for {int(silence)} seconds"
    return "ok", "ok"
