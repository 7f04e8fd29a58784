"""Jobs of this room: files that were sent as an address are fetched, and systems are told of updates."""

from __future__ import annotations

from datetime import timedelta

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from loop311.kit import fetching
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.images.sniffing import LARGEST_PHOTO
from loop311.kit.jobs import LATER, defer
from loop311.kit.problems import Conflict, Invalid, TooLarge
from loop311.kit.sweeps import watched
from loop311.kit.uploads import Upload
from loop311.open311 import services, telling
from loop311.open311.models import RemotePhoto
from loop311.requests import services as requests

_SECONDS = 20.0
TRIES = 8
"""The last of them about six hours after the first."""
PATIENCE = timedelta(hours=4)
"""After which a server that is still away is not asked again."""


@app.task(name="open311.fetch_photo", queue="photos", pass_context=False,
          retry=RetryStrategy(max_attempts=TRIES, exponential_wait=4))  # fmt: skip
def fetch_photo(photo: int) -> None:
    """Attach what lies behind the address. A server that is away is asked again for some hours; all else ends it."""
    row = RemotePhoto.objects.select_related("request").filter(pk=photo, settled_at__isnull=True).first()
    if row is None or not row.url:
        return
    by = system(row.jurisdiction_id)
    try:
        data = fetching.fetch(row.url, most=LARGEST_PHOTO, seconds=_SECONDS)
        requests.attach(row.request, [Upload("", data)], by=by, proves=False, key=f"open311-photo-{row.pk}")
    except fetching.Away as reason:
        if now() - row.at < PATIENCE:
            raise
        services.give_up_photo(row, str(reason), by=by)
    except (fetching.Refused, Invalid, TooLarge, Conflict) as reason:
        services.give_up_photo(row, str(reason), by=by)
    else:
        services.settle_photo(row)


@app.task(name="open311.tell", queue="webhooks", retry=RetryStrategy(max_attempts=8, exponential_wait=3))
def tell(webhook: int) -> None:
    """What the receiver says is noted on the webhook; this job's own retries are for our own database being away."""
    telling.tell(webhook)


@app.periodic(cron="* * * * *")
@app.task(name="open311.tell_again", queue="clock", queueing_lock="open311.tell_again")
@watched("open311.tell_again", every=timedelta(minutes=1))
def tell_again(timestamp: int) -> None:
    """Every minute: calls that are due and whose job was lost."""
    for webhook in telling.ready():
        defer("open311.tell", queue="webhooks", priority=LATER, webhook=webhook)
