"""Jobs of the desk: which contacts were left open."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from loop311.desk.contact import noticing
from loop311.kit.sweeps import watched


@app.periodic(cron="*/5 * * * *")
@app.task(name="desk.note_left_open", queue="clock", queueing_lock="desk.note_left_open")
@watched("desk.note_left_open", every=timedelta(minutes=5))
def note_contacts_left_open(timestamp: int) -> None:
    """`timestamp` is the minute it was planned for."""
    noticing.sweep()
