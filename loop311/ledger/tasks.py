"""Jobs of the diary: telling the handlers, and closing the days."""

from __future__ import annotations

from datetime import timedelta

import structlog
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.sweeps import watched
from loop311.ledger import checkpoints, services

log = structlog.get_logger(__name__)


@app.task(name="ledger.deliver", queue="events", retry=RetryStrategy(max_attempts=10, exponential_wait=3))
def deliver(event_id: int, kind: str, handler: str) -> None:
    """Run one handler for one event; a failure is tried again after 3, 9, 27 ... seconds for about a day, then listed."""
    services.handle(event_id, kind, handler)


@app.periodic(cron="20 * * * *")
@app.task(name="ledger.close_days", queue="events", retry=RetryStrategy(max_attempts=8, wait=300))
@watched("ledger.close_days", every=timedelta(hours=1))
def close_days(timestamp: int) -> None:
    """Hourly, so that a machine that was off at midnight closes its days soon after it is on again.

    A city whose days cannot be closed holds up no other; what is wrong is raised at the end, so that it is tried again.
    """
    wrong: Exception | None = None
    for jurisdiction in Jurisdiction.objects.order_by("pk"):
        try:
            checkpoints.catch_up(jurisdiction)
        except Exception as error:
            wrong = error
            log.exception("days not closed", jurisdiction=jurisdiction.pk)
    if wrong is not None:
        raise wrong
