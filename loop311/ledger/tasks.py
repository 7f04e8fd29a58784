"""Jobs of the diary: telling the handlers."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from loop311.ledger import services


@app.task(name="ledger.deliver", queue="events", retry=RetryStrategy(max_attempts=12, exponential_wait=3))
def deliver(event_id: int, kind: str, handler: str) -> None:
    """Run one handler for one event; a failure is retried with back-off for about a day, then stays listed as failed."""
    services.handle(event_id, kind, handler)
