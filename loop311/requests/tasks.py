"""Jobs of requests: what is due by the clock, every minute; how long things take, four times a day."""

from __future__ import annotations

from datetime import timedelta

from procrastinate.contrib.django import app

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.jobs import LATER, defer
from loop311.kit.sweeps import watched
from loop311.requests.services import count_usual_times, sweep, sweep_files


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


@app.periodic(cron="23 */6 * * *")
@app.task(name="requests.count_all_usual_times", queue="clock", queueing_lock="requests.count_all_usual_times")
@watched("requests.count_all_usual_times", every=timedelta(hours=6))
def count_all_usual_times(timestamp: int) -> None:
    """A job for each city, behind everything that somebody waits for."""
    for jurisdiction_id in Jurisdiction.objects.values_list("pk", flat=True):
        defer("requests.count_usual_times", queue="history", priority=LATER, jurisdiction_id=jurisdiction_id)


@app.task(name="requests.count_usual_times", queue="history")
def count_usual_times_of(jurisdiction_id: int) -> None:
    count_usual_times(jurisdiction_id)
