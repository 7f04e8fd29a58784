"""Jobs of this room: files that were sent as an address are fetched."""

from __future__ import annotations

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from loop311.kit import fetching
from loop311.kit.actor import system
from loop311.kit.images.sniffing import LARGEST_PHOTO
from loop311.kit.problems import Conflict, Invalid, TooLarge
from loop311.kit.uploads import Upload
from loop311.open311 import services
from loop311.open311.models import RemotePhoto
from loop311.requests import services as requests

_SECONDS = 20.0
TRIES = 8


@app.task(name="open311.fetch_photo", queue="photos", pass_context=False,
          retry=RetryStrategy(max_attempts=TRIES, exponential_wait=4))  # fmt: skip
def fetch_photo(photo: int) -> None:
    """Attach what lies behind the address. A server that is away is asked again for about a day; all else ends it."""
    row = RemotePhoto.objects.select_related("request").filter(pk=photo, settled_at__isnull=True).first()
    if row is None or not row.url:
        return
    try:
        data = fetching.fetch(row.url, most=LARGEST_PHOTO, seconds=_SECONDS)
        by = system(row.jurisdiction_id)
        requests.attach(row.request, [Upload("", data)], by=by, proves=False, key=f"open311-photo-{row.pk}")
    except (fetching.Refused, Invalid, TooLarge, Conflict) as reason:
        services.settle_photo(row, str(reason))
        return
    services.settle_photo(row)
