"""Words on a request, and their erasure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from loop311.catalog.definitions import EvidenceKind
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.requests.models import Comment, Evidence, Request
from loop311.requests.policies import Verb
from loop311.requests.services import access
from loop311.requests.services.attaching import erase_attachments
from loop311.residents import services as residents

MAX_COMMENT = 20_000


@transaction.atomic
def comment(
    request: Request,
    *,
    text: str,
    by: Actor,
    is_public: bool = False,
    version: int | None = None,
    key: str | None = None,
    at: datetime | None = None,
) -> Request:
    """Add words; public ones are shown to the resident. The same `key` again adds nothing."""
    at = at or now()
    request = access.lock(request.pk, by=by)
    digest = access.digest_of({"request": request.pk, "text": text, "is_public": is_public})
    sender = access.sender_of(by, Verb.COMMENT)
    if key is not None and access.already_done(sender, key, digest, by=by):
        return request
    access.begin(request, Verb.COMMENT, by=by, version=version)
    if not text.strip() or len(text) > MAX_COMMENT or "\x00" in text:
        raise Invalid(
            f"A comment has 1 to {MAX_COMMENT} characters, none of them NUL.",
            fields=[FieldProblem("text", "This is empty, too long, or holds NUL.")],
        )
    if by.kind is ActorKind.RESIDENT:
        access.hold_reporter(request)
    words = Comment.objects.create(
        jurisdiction_id=request.jurisdiction_id,
        request=request,
        at=at,
        actor_kind=by.kind.value,
        actor_ref=by.ref,
        is_public=is_public,
        text=text,
    )
    access.write(request, "request.commented", {"comment": words.pk, "public": is_public}, by=by, at=at)
    if key is not None:
        access.remember(sender, key, digest, request, by=by, at=at)
    return request


@transaction.atomic
def erase_words(resident_ids: Iterable[int], *, by: Actor, at: datetime | None = None) -> int:
    """Erase what these residents wrote and where they pointed, on all their requests; returns how many.

    Number, service, areas, dates, outcome and the whole ledger stay: the salt is erased with the words, so the
    digests in the ledger can no longer be matched to anything.
    """
    access.permit(by, "comment")
    at = at or now()
    access.one_at_a_time(by)  # so that each family can be held as every verb holds it: the leading request first
    ids = list(
        Request.objects.filter(jurisdiction_id=by.jurisdiction_id, resident_id__in=list(resident_ids))
        .order_by(Coalesce("leading_id", "pk"), F("leading_id").asc(nulls_first=True), "pk")
        .values_list("pk", flat=True)
    )
    for request_id in ids:
        request = access.lock(request_id, by=by)
        request.description = request.address = request.location_note = request.outcome_note = ""
        request.handed_reference = ""
        request.answers = {}
        request.salt = b""
        request.latitude = request.longitude = None
        fields = (
            "description", "address", "location_note", "outcome_note", "handed_reference", "answers", "salt", "latitude",
            "longitude",
        )  # fmt: skip
        access.write(request, "request.words_erased", {}, by=by, at=at, fields=fields)
        of_request = {"jurisdiction_id": by.jurisdiction_id, "request_id": request_id}
        Comment.objects.filter(**of_request).update(text="")
        erase_attachments(request_id, by=by, at=at)
        shown = Evidence.objects.filter(**of_request)
        shown.update(note="")
        shown.exclude(kind=EvidenceKind.RESIDENT_YES).update(reference="")  # a yes refers to the request it was said on
    return len(ids)


def forget_resident(event_id: int) -> None:
    """Handler of `resident.erased`."""
    ids, by = residents.erased_in(event_id)
    erase_words(ids, by=by)
