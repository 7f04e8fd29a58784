"""Photos and documents: as proof of the work, or to show the problem; and their removal when the words are erased."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from loop311.catalog.definitions import EvidenceKind
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.files import Store
from loop311.kit.images import Readied, ready
from loop311.kit.problems import FieldProblem, Invalid
from loop311.kit.uploads import Upload
from loop311.ledger.models import Event
from loop311.requests.models import Attachment, Enclosure, Evidence, Request
from loop311.requests.policies import AttachmentRole, Verb
from loop311.requests.services import access
from loop311.requests.services.ending import Proof, keep

MOST = 50
"""Attachments of one request."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is safely on the disk and that no row names yet."""

    what: Readied
    digest: bytes
    thumbnail_digest: bytes | None
    received_digest: bytes

    @property
    def role(self) -> AttachmentRole:
        return AttachmentRole.PHOTO if self.what.is_photo else AttachmentRole.DOCUMENT

    @property
    def digests(self) -> list[bytes]:
        return [self.digest, *([self.thumbnail_digest] if self.thumbnail_digest else [])]

    def facts(self, city: Jurisdiction, at: datetime) -> dict[str, Any]:
        """What the row that names it says of the file."""
        what = self.what
        return {
            "role": self.role,
            "digest": self.digest,
            "received_digest": self.received_digest,
            "media_type": what.media_type,
            "size": len(what.data),
            "width": what.width,
            "height": what.height,
            "thumbnail_digest": self.thumbnail_digest,
            "latitude": what.latitude if what.longitude is not None else None,
            "longitude": what.longitude if what.latitude is not None else None,
            "taken_at": what.taken_at(city.zone, before=at),
        }


def store(jurisdiction_id: int) -> Store:
    return Store(settings.LOOP311_HOME, jurisdiction_id)


def attach(
    request: Request,
    uploads: Sequence[Upload],
    *,
    by: Actor,
    proves: bool = True,
    note: str = "",
    version: int | None = None,
    key: str | None = None,
    at: datetime | None = None,
) -> Request:
    """Add photos and PDFs, all or none: as evidence of the work (`proves`), or to show the problem, which proves nothing.

    The files are read, written anew and kept before the transaction, which then only names them; if it is refused, they are
    swept. The same `key` again adds nothing.
    """
    access.permit(by, Verb.ADD_EVIDENCE)
    if not uploads:
        raise Invalid("Choose a photo or a PDF.", fields=[FieldProblem("file", "There is none.")])
    kept = receive(by.jurisdiction_id, uploads)
    request = attach_received(request, kept, by=by, proves=proves, note=note, version=version, key=key, at=at)
    settle(by.jurisdiction_id, kept)
    return request


def receive(jurisdiction_id: int, uploads: Sequence[Upload]) -> list[Kept]:
    """Read, written anew and safely on the disk, before any transaction; what is never attached is swept."""
    read = [(upload, ready(upload.data, upload.name)) for upload in uploads]
    files = store(jurisdiction_id)
    return [_put(files, upload, what) for upload, what in read]


def settle(jurisdiction_id: int, kept: Sequence[Kept]) -> None:
    """After the commit of what names them: they are no longer on their way."""
    files = store(jurisdiction_id)
    for each in kept:
        for digest in each.digests:
            files.settle(digest)


def _put(files: Store, upload: Upload, what: Readied) -> Kept:
    thumbnail = files.put(what.thumbnail) if what.thumbnail else None
    return Kept(what, files.put(what.data), thumbnail, hashlib.sha256(upload.data).digest())


@transaction.atomic
def attach_received(
    request: Request,
    kept: Sequence[Kept],
    *,
    by: Actor,
    proves: bool = True,
    note: str = "",
    version: int | None = None,
    key: str | None = None,
    at: datetime | None = None,
) -> Request:
    """Of `attach` what happens in the transaction."""
    at = at or now()
    request = access.lock(request.pk, by=by)
    came = [each.received_digest.hex() for each in kept]
    digest = access.digest_of({"request": request.pk, "files": came, "proves": proves, "note": note})
    sender = access.sender_of(by, "attach")
    if key is not None and access.already_done(sender, key, digest, by=by):
        return request
    access.begin(request, Verb.ADD_EVIDENCE if proves else Verb.COMMENT, by=by, version=version)
    already = Attachment.objects.filter(jurisdiction_id=by.jurisdiction_id, request=request).count()
    if already + len(kept) > MOST:
        raise Invalid(f"A request holds at most {MOST} photos and documents.")
    for each in kept:
        _name(request, each, by=by, proves=proves, note=note, at=at)
    if key is not None:
        access.remember(sender, key, digest, request, by=by, at=at)
    return request


def _name(request: Request, kept: Kept, *, by: Actor, proves: bool, note: str, at: datetime) -> None:
    evidence = _evidence(request, kept, note, by=by, at=at) if proves else None
    row = _row(request, kept, evidence, note, by=by, at=at)
    if evidence is None:
        body = {"attachment": row.pk, "role": kept.role, "digest": kept.digest.hex()}
        access.write(request, "request.attached", body, by=by, at=at)


def _evidence(request: Request, kept: Kept, note: str, *, by: Actor, at: datetime) -> Evidence:
    kind = EvidenceKind.PHOTO if kept.what.is_photo else EvidenceKind.DOCUMENT
    return keep(request, Proof(kind=kind, digest=kept.digest, note=note), by=by, at=at)


def _row(request: Request, kept: Kept, evidence: Evidence | None, note: str, *, by: Actor, at: datetime) -> Attachment:
    return Attachment.objects.create(
        jurisdiction_id=request.jurisdiction_id,
        request=request,
        evidence=evidence,
        note="" if evidence else note,
        at=at,
        actor_kind=by.kind.value,
        actor_ref=by.ref,
        **kept.facts(request.jurisdiction, at),
    )


# --- Erasing -----------------------------------------------------------------------------------------------------------


def erase_attachments(request_id: int, *, by: Actor, at: datetime) -> None:
    """In the transaction that erases the request's words; the files themselves go by `remove_erased_files`."""
    rows = Attachment.objects.filter(jurisdiction_id=by.jurisdiction_id, request_id=request_id, erased_at__isnull=True)
    rows.update(erased_at=at, latitude=None, longitude=None, taken_at=None, note="")


def remove_erased_files(event_id: int) -> None:
    """Handler of `request.words_erased`. A file put within the last minutes is left for the sweep."""
    event = Event.objects.get(pk=event_id)
    rows = _erased().filter(jurisdiction_id=event.jurisdiction_id, request_id=event.subject_id)
    Attachment.objects.filter(pk__in=_removed(rows)).update(removed_at=now())


def _erased() -> QuerySet[Attachment]:
    return Attachment.objects.filter(erased_at__isnull=False, removed_at__isnull=True)


def sweep_files(jurisdiction_ids: Iterable[int]) -> dict[str, int]:
    """What was kept and never named, and what was erased or dropped and is still there, goes."""
    erased = Attachment.objects.filter(pk__in=_removed(_erased())).update(removed_at=now())
    dropped, _ = Enclosure.objects.filter(pk__in=_removed(Enclosure.objects.filter(dropped_at__isnull=False))).delete()
    orphans = sum(store(city).sweep(_Names(city)) for city in jurisdiction_ids)
    return {"orphans": orphans, "erased": erased, "dropped": dropped}


def _removed(rows: QuerySet[Attachment] | QuerySet[Enclosure]) -> list[int]:
    """Ids of those whose files are off the disk now."""
    done = []
    for row in rows.order_by("pk")[:1000]:
        digests = [bytes(digest) for digest in (row.digest, row.thumbnail_digest) if digest]
        files, is_named = store(row.jurisdiction_id), _Names(row.jurisdiction_id)
        try:
            gone = [is_named(digest) or files.discard(digest) for digest in digests]
        except OSError as error:
            log.warning("a file cannot be removed", of=row._meta.label, row=row.pk, exc_info=error)
            continue
        if all(gone):
            done.append(row.pk)
    return done


@dataclass(frozen=True, slots=True)
class _Names:
    """Whether a row that is neither erased nor dropped names this file of the city."""

    city: int

    def __call__(self, digest: bytes) -> bool:
        here = Q(digest=digest) | Q(thumbnail_digest=digest)
        if Attachment.objects.filter(here, jurisdiction_id=self.city, erased_at__isnull=True).exists():
            return True
        return Enclosure.objects.filter(here, jurisdiction_id=self.city, dropped_at__isnull=True).exists()
