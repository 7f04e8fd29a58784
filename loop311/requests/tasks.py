"""Jobs of requests: what is due by the clock, every minute."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from loop311.kit.sweeps import watched
from loop311.requests.services import sweep


@app.periodic(cron="* * * * *")
@app.task(name="requests.sweep", queue="clock", queueing_lock="requests.sweep")
@watched("requests.sweep", every=timedelta(minutes=1))
def sweep_requests(timestamp: int) -> None:
    """Close, resume and escalate what is due. `timestamp` is the minute it was planned for."""
    sweep()
