"""Jobs of this room."""

from __future__ import annotations

from datetime import timedelta

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from loop311.kit.sweeps import watched
from loop311.notifications import digest_mail, sending, services, staff_mail


@app.task(name="notifications.send", queue="messages", retry=RetryStrategy(max_attempts=20, exponential_wait=2))
def send(message: int) -> None:
    """What the server says is noted on the message; this job's own retries are for our own database being away."""
    sending.deliver(message)


@app.task(name="notifications.notice", queue="messages", retry=RetryStrategy(max_attempts=10, exponential_wait=3))
def notice(notice: int) -> None:
    """Tell one of the city's own people; tried again for about a day."""
    staff_mail.send_notice(notice)


@app.task(name="notifications.digest", queue="messages", retry=RetryStrategy(max_attempts=8, exponential_wait=3))
def digest(digest: int) -> None:
    """One person's e-mail of the day."""
    digest_mail.send_digest(digest)


@app.periodic(cron="*/10 * * * *")
@app.task(name="notifications.digests", queue="messages", queueing_lock="notifications.digests")
@watched("notifications.digests", every=timedelta(minutes=10))
def digests(timestamp: int) -> None:
    """Daily e-mails whose hour has come."""
    services.plan_digests()


@app.periodic(cron="*/5 * * * *")
@app.task(name="notifications.sweep", queue="messages", pass_context=False)
@watched("notifications.sweep", every=timedelta(minutes=5))
def sweep(timestamp: int) -> None:
    """A message whose job was lost is found again."""
    services.sweep()
