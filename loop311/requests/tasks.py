"""Jobs of requests: what is due by the clock, every minute."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.sweeps import watched
from loop311.requests.services import sweep, sweep_files


@app.periodic(cron="* * * * *")
@app.task(name="requests.sweep", queue="clock", queueing_lock="requests.sweep")
@watched("requests.sweep", every=timedelta(minutes=1))
def sweep_requests(timestamp: int) -> None:
    """Close, resume and escalate what is due. `timestamp` is the minute it was planned for."""
    sweep()


@app.periodic(cron="*/10 * * * *")
@app.task(name="requests.sweep_files", queue="clock", queueing_lock="requests.sweep_files")
@watched("requests.sweep_files", every=timedelta(minutes=10))
def sweep_attached_files(timestamp: int) -> None:
    """Files that were kept and never named, and erased ones that are still there."""
    sweep_files(Jurisdiction.objects.values_list("pk", flat=True))
