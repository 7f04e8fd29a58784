"""Jobs of call-backs: what the clock says, every minute."""

from __future__ import annotations

from procrastinate.contrib.django import app

from loop311.callbacks.services import mark_late


@app.periodic(cron="* * * * *")
@app.task(name="callbacks.mark_late", queue="clock", queueing_lock="callbacks.mark_late")
def mark_late_callbacks(timestamp: int) -> None:
    """Say which promises to ring were broken. `timestamp` is the minute it was planned for."""
    mark_late()
