"""The one door through which jobs are deferred: always in the caller's own transaction.

The app's own `defer` would not do in the worker: there its connector is the worker's, with connections of its own, so that a
handler's jobs would start before the handler has committed, and stay when it rolls back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import JobDeferrer
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task
from procrastinate.types import JSONValue

_manager = JobManager(DjangoConnector())


LATER = -10
"""Priority of jobs that come in thousands and must not keep timers and handlers waiting."""


def defer(task: str, *, queue: str, at: datetime | None = None, priority: int = 0, **arguments: JSONValue) -> None:
    """One job; it starts when the transaction has committed, not before `at`, and after those of higher priority."""
    _job(task, queue, at, priority).defer(**arguments)


def defer_many(task: str, jobs: Sequence[Mapping[str, JSONValue]], *, queue: str) -> None:
    """A job for each of the arguments, in one statement."""
    if jobs:
        _job(task, queue, None, 0).batch_defer(*(dict(arguments) for arguments in jobs))


def _job(task: str, queue: str, at: datetime | None, priority: int) -> JobDeferrer:
    return configure_task(name=task, job_manager=_manager, queue=queue, schedule_at=at, priority=priority)
