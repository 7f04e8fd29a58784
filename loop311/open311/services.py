"""The only writer of this room's tables."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.jobs import LATER, defer
from loop311.ledger.models import Event
from loop311.open311.models import Filed, RemotePhoto, TakenUpdate
from loop311.open311.policies import refuse
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.requests.sentences import say

_TOKEN_BYTES = 24


@transaction.atomic
def note(
    request: Request,
    *,
    by: Actor,
    with_token: bool,
    account_id: str = "",
    device_id: str = "",
    at: datetime | None = None,
) -> Filed | None:
    """What is kept of a filing beside the request; the same again when it is filed again. None when there is nothing."""
    if not (with_token or account_id or device_id):
        return None
    found, _ = Filed.objects.get_or_create(
        jurisdiction_id=by.jurisdiction_id,
        request=request,
        defaults={
            "token": secrets.token_urlsafe(_TOKEN_BYTES) if with_token else "",
            "account_id": account_id,
            "device_id": device_id,
            "at": at or now(),
        },
    )
    return found


@transaction.atomic
def remember_photos(request: Request, links: Sequence[str], *, by: Actor, at: datetime | None = None) -> None:
    """Addresses to fetch photos from, each with its job; those that are known of the request already are left out."""
    of_request = RemotePhoto.objects.filter(jurisdiction_id=by.jurisdiction_id, request=request)
    known = set(of_request.values_list("url", flat=True)) if links else set()
    for position, link in enumerate((link for link in links if link not in known), len(known) + 1):
        row = RemotePhoto.objects.create(
            jurisdiction_id=by.jurisdiction_id, request=request, position=position, url=link, at=at or now()
        )
        defer("open311.fetch_photo", queue="photos", priority=LATER, photo=row.pk)


@transaction.atomic
def settle_photo(photo: RemotePhoto, problem: str = "", *, at: datetime | None = None) -> None:
    photo.settled_at, photo.problem = at or now(), problem[:200]
    photo.save(update_fields=["settled_at", "problem"])


@transaction.atomic
def give_up_photo(photo: RemotePhoto, problem: str, *, by: Actor) -> None:
    """The team is told where it was said to be; nothing that was sent is lost."""
    settle_photo(photo, problem)
    text = say(_NO_PHOTO, photo.jurisdiction.languages[0]).format(url=photo.url, why=problem)
    requests.comment(photo.request, text=text, by=by, key=f"open311-photo-{photo.pk}")


_NO_PHOTO = {
    "en": "A photo was sent as an address and could not be had: {url} ({why})",
    "es": "Se envió una foto como dirección y no se pudo obtener: {url} ({why})",
}


@transaction.atomic
def take_update(request: Request, update_id: str, digest: bytes, *, by: Actor, at: datetime | None = None) -> bool:
    """Whether it is new. Two of one id at once wait here for each other. Raises Invalid when the id was used for something else."""
    row, is_new = TakenUpdate.objects.get_or_create(
        jurisdiction_id=by.jurisdiction_id,
        sender=f"{by.kind.value}:{by.ref}",
        update_id=update_id,
        defaults={"request": request, "digest": digest, "at": at or now()},
    )
    if bytes(row.digest) not in (digest, b""):
        raise refuse("update_id", "This update_id was used before for something else.")
    return is_new


@transaction.atomic
def forget_words(event_id: int) -> None:
    """Handler of `request.words_erased`: what tells of the reporter goes; the token still gives the number."""
    event = Event.objects.get(pk=event_id)
    of_request = {"jurisdiction_id": event.jurisdiction_id, "request_id": event.subject_id}
    Filed.objects.filter(**of_request).update(account_id="", device_id="")
    RemotePhoto.objects.filter(**of_request).update(url="")
    TakenUpdate.objects.filter(**of_request).update(digest=b"")
