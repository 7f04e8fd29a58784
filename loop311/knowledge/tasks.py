"""Jobs of this room: what the clock says, every minute."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from loop311.kit.sweeps import watched
from loop311.knowledge.services import mark_late


@app.periodic(cron="* * * * *")
@app.task(name="knowledge.mark_late", queue="clock", queueing_lock="knowledge.mark_late")
@watched("knowledge.mark_late", every=timedelta(minutes=1))
def mark_late_gaps(timestamp: int) -> None:
    """Say which questions were not answered in time. `timestamp` is the minute it was planned for."""
    mark_late()
