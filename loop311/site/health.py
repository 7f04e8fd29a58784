"""GET /healthz: are web, database and worker well, and does what the clock starts work?"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, JsonResponse

from loop311.kit import sweeps
from loop311.kit.database import place_of, room
from loop311.kit.problem_documents import RETRY_AFTER_SECONDS

WORKER_MAY_BE_SILENT = 15
"""Seconds since the newest sign of life of any worker; it gives one every three."""


def healthz(request: HttpRequest) -> JsonResponse:
    """200 when all is well; 503 and the reason when not.

    A sweep that does not work is named, with "degraded" and 200: no other web process could serve residents any better.
    """
    database, worker, late = _look()
    is_up = database == worker == "ok"
    status = ("ok" if late == "ok" else "degraded") if is_up else "unavailable"
    report = {"status": status, "web": "ok", "database": database, "worker": worker, "sweeps": late}
    headers = {"Cache-Control": "no-store"} | ({} if is_up else {"Retry-After": str(RETRY_AFTER_SECONDS)})
    return JsonResponse(report, status=200 if is_up else 503, headers=headers)


def _look() -> tuple[str, str, str]:
    database, worker = _database_and_worker()
    if settings.DATABASE_IS_EMBEDDED and room.is_short(place_of(settings.LOOP311_HOME).base):
        return "its disk is full", worker, "unknown while the disk is full"
    if worker != "ok":
        return database, worker, "unknown while no worker runs"
    try:
        return database, worker, _sweeps()
    except DatabaseError:
        return "the database does not answer", worker, "unknown while the database does not answer"


def _sweeps() -> str:
    late = [run for run in sweeps.standing() if run.is_late]
    said = [f"{run.name} has not succeeded for {run.silence // timedelta(minutes=1)} minutes" for run in late]
    return "; ".join(said) or "ok"


def _database_and_worker() -> tuple[str, str]:
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
