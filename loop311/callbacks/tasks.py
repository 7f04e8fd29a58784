"""Jobs of call-backs: what the clock says, every minute."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from loop311.callbacks.services import mark_late
from loop311.kit.sweeps import watched


@app.periodic(cron="* * * * *")
@app.task(name="callbacks.mark_late", queue="clock", queueing_lock="callbacks.mark_late")
@watched("callbacks.mark_late", every=timedelta(minutes=1))
def mark_late_callbacks(timestamp: int) -> None:
    """Say which promises to ring were broken. `timestamp` is the minute it was planned for."""
    mark_late()
