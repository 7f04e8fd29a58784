"""What the operator sees of each request: a line in the log, counters for Prometheus, an id to ask about."""

from __future__ import annotations

import os
import re
import time
import uuid

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from loop311.kit import sweeps
from loop311.kit.clock import now
from loop311.kit.database import room
from loop311.site.middleware import Answer
from loop311.workorders import queries

log = structlog.get_logger("loop311.request")

REQUESTS = Counter("loop311_http_requests_total", "Answers given, by class of status.", ["status"])
SECONDS = Histogram(
    "loop311_http_request_seconds",
    "Time to answer.",
    ["method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_QUIET = {"healthz", "metrics", "desk/live/"}


def observed(answer: Answer) -> Answer:
    """Outermost: whatever happens inside, there is one line and one count for it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request_id = _id_of(request)
        request.request_id = request_id  # type: ignore[attr-defined]  # read by kit.problem_documents
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            started = time.perf_counter()
            response = answer(request)
            _note(request, response.status_code, time.perf_counter() - started)
        response.headers["X-Request-ID"] = request_id
        return response

    return middleware


def _id_of(request: HttpRequest) -> str:
    """The sender's own X-Request-ID when it is a short plain word, else a new one."""
    given = request.headers.get("X-Request-ID", "")
    return given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _note(request: HttpRequest, status: int, seconds: float) -> None:
    method = request.method if request.method in _METHODS else "other"
    route = request.resolver_match.route if request.resolver_match else ""
    REQUESTS.labels(f"{status // 100}xx").inc()
    SECONDS.labels(method).observe(seconds)
    if status >= 500 or not (route in _QUIET or getattr(request, "is_quiet", False)):
        log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus: of all web processes together under `loop311 serve`, else of the answering process."""
    registries = (_requests_registry(), _jobs_registry(), _sweeps_registry(), _links_registry(), _disk_registry())
    text = b"".join(generate_latest(registry) for registry in registries)
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _requests_registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _jobs_registry() -> CollectorRegistry:
    """Jobs by state, asked from the database at each scrape; absent while it is away."""
    registry = CollectorRegistry()
    jobs = Gauge("loop311_jobs", "Jobs in the queue, by state.", ["state"], registry=registry)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT status, count(*) FROM procrastinate_jobs GROUP BY status")
            found = {"todo": 0, "doing": 0, "failed": 0, **dict(cursor.fetchall())}
    except DatabaseError:
        return registry
    for state, count in found.items():
        jobs.labels(state).set(count)
    return registry


def _disk_registry() -> CollectorRegistry:
    """Of the disk with the embedded database and the files; another server's disk is its own to watch."""
    registry = CollectorRegistry()
    free = Gauge("loop311_disk_free_bytes", "Room left on the disk of LOOP311_HOME.", registry=registry)
    free.set(room.left(settings.LOOP311_HOME))
    return registry


def _sweeps_registry() -> CollectorRegistry:
    """What the clock starts, asked from the database at each scrape; absent while it is away."""
    registry = CollectorRegistry()
    try:
        found = sweeps.standing()
    except DatabaseError:
        return registry
    last = Gauge("loop311_sweep_last_success_timestamp_seconds", "When it last worked.", ["sweep"], registry=registry)
    late = Gauge("loop311_sweep_late", "1 when it has not worked for five of its runs.", ["sweep"], registry=registry)
    left = Gauge("loop311_sweep_left_over", "Rows it could not take last time.", ["sweep"], registry=registry)
    for run in found:
        last.labels(run.name).set(run.succeeded_at.timestamp() if run.succeeded_at else 0)
        late.labels(run.name).set(run.is_late)
        left.labels(run.name).set(run.left_over)
    return registry


def _links_registry() -> CollectorRegistry:
    """Links to departments' systems, asked from the database at each scrape; absent while it is away."""
    registry = CollectorRegistry()
    try:
        found = queries.totals(now())
    except DatabaseError:
        return registry
    links = Gauge("loop311_work_order_links", "Links to departments' systems, by state.", ["state"], registry=registry)
    for state, count in found.links.items():
        links.labels(state).set(count)
    waiting = Gauge("loop311_work_orders_waiting", "Work orders with something to be sent.", registry=registry)
    waiting.set(found.waiting)
    open_ = Gauge("loop311_work_order_mismatches", "Pairs of records that do not agree.", registry=registry)
    open_.set(found.mismatches)
    return registry
