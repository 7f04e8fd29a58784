"""From a draft to the city's answer, by a second person; checked again, and one day retired."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from loop311.knowledge.models import Article, Text, Version
from loop311.knowledge.policies import Hand, Review, VersionState, is_second_person, is_writable
from loop311.knowledge.services.writing import MOST_NOTE, SUBJECT, held_article
from loop311.ledger import services as ledger


@transaction.atomic
def ask_review(version: Version, *, by: Actor, at: datetime | None = None) -> Version:
    """The draft is ready for a second person."""
    if not by.may("knowledge.write"):
        raise Forbidden("You may not write articles.")
    version = _held(version, by)
    if version.state != VersionState.DRAFT:
        raise Conflict(f"This version is {version.state}; only a draft is given to review.")
    return _decide(version, VersionState.REVIEW, "article.review_asked", "", by=by, at=at or now())


@transaction.atomic
def send_back(version: Version, words: str, *, by: Actor, at: datetime | None = None) -> Version:
    """Something must be mended first: `words` say what."""
    _permit(by)
    version = _held(version, by)
    _waits(version)
    words = words.strip()
    if not words or len(words) > MOST_NOTE or not is_writable(words):
        detail = f"Say in at most {MOST_NOTE} characters what must be mended."
        raise Invalid(detail, fields=[FieldProblem("words", detail)])
    return _decide(version, VersionState.DRAFT, "article.sent_back", words, by=by, at=at or now())


@transaction.atomic
def publish(version: Version, *, by: Actor, at: datetime | None = None) -> Version:
    """A second person has read it: from now on it is the city's answer, checked today."""
    _permit(by)
    version = _held(version, by)
    _waits(version)
    if not is_second_person(version.writer, Hand(by.kind.value, by.ref)):
        raise Forbidden("You wrote this version: a second person reads and publishes it.")
    at = at or now()
    article = version.article
    _take_down(article)
    if article.published is not None:
        Version.objects.filter(pk=article.published.pk).update(state=VersionState.REPLACED)
    _decide(version, VersionState.PUBLISHED, "article.published", "", by=by, at=at)
    Text.objects.filter(jurisdiction_id=article.jurisdiction_id, version=version).update(live=True)
    article.published, article.retired_at, article.expires_on = version, None, version.expires_on
    _checked(article, by, at, "published", "retired_at", "expires_on")
    return version


@transaction.atomic
def confirm(
    article: Article,
    *,
    by: Actor,
    expires_on: date | None = None,
    keep_expiry: bool = False,
    at: datetime | None = None,
) -> Article:
    """Somebody has looked and it still holds, until `expires_on` (none: without end)."""
    _permit(by)
    article = held_article(article, by)
    at = at or now()
    if not article.is_live:
        raise Conflict("Only a published article is checked.")
    if not keep_expiry:
        if expires_on is not None and expires_on < at.astimezone(article.jurisdiction.zone).date():
            detail = "The day until which it holds has passed already."
            raise Invalid(detail, fields=[FieldProblem("expires_on", detail)])
        article.expires_on = expires_on
    _checked(article, by, at, "expires_on")
    ledger.append("article.checked", SUBJECT, article.pk, _check_body(article), by=by, at=at)
    return article


@transaction.atomic
def check_translation(version: Version, language: str, *, by: Actor, at: datetime | None = None) -> Text:
    """Somebody other than its writer has read this translation."""
    _permit(by)
    version = _held(version, by)
    text = Text.objects.filter(jurisdiction_id=by.jurisdiction_id, version=version, language=language).first()
    if text is None:
        raise NotFound("The article has no text in this language.")
    if text.review != Review.TRANSLATED:
        raise Conflict(f"This text is {text.review}: only a translation is checked.")
    if not is_second_person(version.writer, Hand(by.kind.value, by.ref)):
        raise Forbidden("You wrote this version: a second person checks the translation.")
    at = at or now()
    text.review, text.reviewed_at = Review.CHECKED, at
    text.reviewed_by_kind, text.reviewed_by_ref = by.kind.value, by.ref
    text.save(update_fields=["review", "reviewed_at", "reviewed_by_kind", "reviewed_by_ref"])
    body = {"version": version.pk, "number": version.number, "language": language}
    ledger.append("article.translation_checked", SUBJECT, version.article_id, body, by=by, at=at)
    return text


@transaction.atomic
def retire(article: Article, *, by: Actor, at: datetime | None = None) -> Article:
    """It is no answer any more; a newer version brings it back."""
    _permit(by)
    article = held_article(article, by)
    if not article.is_live:
        raise Conflict("Only a published article is retired.")
    article.retired_at = at or now()
    article.save(update_fields=["retired_at"])
    _take_down(article)
    body = {"version": article.published_id}
    ledger.append("article.retired", SUBJECT, article.pk, body, by=by, at=article.retired_at)
    return article


def note_check(
    article: Article, by_kind: str, by_ref: int, at: datetime | None, expires_on: date | None, *, by: Actor
) -> None:
    """What a file says of the last check, for a round trip without loss; called by loading only."""
    article.checked_at, article.checked_by_kind, article.checked_by_ref = at, by_kind, by_ref
    article.expires_on = expires_on
    article.save(update_fields=["checked_at", "checked_by_kind", "checked_by_ref", "expires_on"])
    ledger.append("article.checked", SUBJECT, article.pk, _check_body(article), by=by)


def _check_body(article: Article) -> dict[str, object]:
    at, until = article.checked_at, article.expires_on
    return {
        "version": article.published_id,
        "checked_at": at.isoformat() if at else None,
        "expires_on": until.isoformat() if until else None,
    }


def _checked(article: Article, by: Actor, at: datetime, *also: str) -> None:
    article.checked_at, article.checked_by_kind, article.checked_by_ref = at, by.kind.value, by.ref
    article.save(update_fields=["checked_at", "checked_by_kind", "checked_by_ref", *also])


def _permit(by: Actor) -> None:
    if not by.may("knowledge.publish"):
        raise Forbidden("You may not decide about articles.")


def _held(version: Version, by: Actor) -> Version:
    """The version with its article, both held."""
    article = held_article(Article(pk=version.article_id), by)
    rows = Version.objects.filter(jurisdiction_id=by.jurisdiction_id, article=article, pk=version.pk)
    found = rows.select_for_update().first()
    if found is None:
        raise NotFound("The article has no such version.")
    found.article = article
    return found


def _waits(version: Version) -> None:
    if version.state == VersionState.REPLACED:
        raise Conflict("There is a newer version of this article; read that one.")
    if version.state != VersionState.REVIEW:
        raise Conflict(f"This version is {version.state}; it does not wait for a second person.")


def _decide(version: Version, state: VersionState, kind: str, words: str, *, by: Actor, at: datetime) -> Version:
    version.state, version.decision, version.decided_at = state, words, at
    version.decided_by_kind, version.decided_by_ref = by.kind.value, by.ref
    version.save(update_fields=["state", "decision", "decided_at", "decided_by_kind", "decided_by_ref"])
    body = {"version": version.pk, "number": version.number}
    ledger.append(kind, SUBJECT, version.article_id, body, by=by, at=at)
    return version


def _take_down(article: Article) -> None:
    Text.objects.filter(jurisdiction_id=article.jurisdiction_id, article=article, live=True).update(live=False)
