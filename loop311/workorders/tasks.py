"""Jobs of work orders: saying what is due, the heartbeat of every link, the nightly comparison."""

from __future__ import annotations

from datetime import timedelta

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from loop311.kit.clock import now
from loop311.kit.jobs import LATER, defer
from loop311.kit.sweeps import watched
from loop311.workorders import services, working
from loop311.workorders.policies import AGAIN, LinkState


@app.task(name="workorders.send", queue="workorders", retry=RetryStrategy(max_attempts=8, exponential_wait=2))
def send(link: int) -> None:
    """What they answer is noted on the order; this job's own retries are for our own database being away."""
    if working.send(link) and services.is_due(link, now()):
        defer("workorders.send", queue="workorders", priority=LATER, link=link)


@app.task(name="workorders.beat", queue="heartbeats")
def beat(link: int, again: bool = False) -> None:
    """One heartbeat; after one that failed, another before the next minute, so that a break shows within two."""
    state = working.beat(link)
    if state is LinkState.SHAKY and not again:
        defer("workorders.beat", queue="heartbeats", at=now() + AGAIN, link=link, again=True)


@app.task(name="workorders.reconcile", queue="workorders", retry=RetryStrategy(max_attempts=6, wait=900))
def reconcile(link: int) -> None:
    """Tried again for an hour and a half when they cannot be asked."""
    working.reconcile(link)


@app.periodic(cron="* * * * *")
@app.task(name="workorders.sweep", queue="clock", queueing_lock="workorders.sweep")
@watched("workorders.sweep", every=timedelta(minutes=1))
def sweep(timestamp: int) -> None:
    """Every minute: a heartbeat for each link, a job for each that has something to say, and who is silent is down."""
    services.mark_silent()
    for link in services.to_beat():
        defer("workorders.beat", queue="heartbeats", link=link)
    for link in services.waiting_links(now()):
        defer("workorders.send", queue="workorders", link=link)


@app.periodic(cron="30 8 * * *")
@app.task(name="workorders.compare", queue="clock", queueing_lock="workorders.compare")
@watched("workorders.compare", every=timedelta(days=1))
def compare(timestamp: int) -> None:
    """Every night of the Americas: both sides of every link are held against each other, each in a job of its own.

    Who hangs must not keep the clock waiting.
    """
    for link in services.to_beat():
        defer("workorders.reconcile", queue="workorders", priority=LATER, link=link)
