"""What people at the desks say about answers; the owner reads it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.knowledge.models import Article, Feedback
from loop311.knowledge.policies import Rating, rating_refusal
from loop311.knowledge.services.writing import SUBJECT, current_text
from loop311.ledger import services as ledger


@transaction.atomic
def rate(
    article: Article, rating: str, *, by: Actor, words: str = "", language: str = "", at: datetime | None = None
) -> Feedback:
    """Say whether the published answer helped, is wrong, or out of date. Helpful needs nobody to look at it."""
    if article.jurisdiction_id != by.jurisdiction_id:
        raise NotFound("There is no such article.")
    if not by.may("knowledge.report"):
        raise Forbidden("You may not say what answers are worth.")
    refusal = rating_refusal(rating, words)
    if refusal:
        raise Invalid(refusal.detail, fields=[refusal])
    text = current_text(article, language)
    at = at or now()
    is_settled = rating == Rating.HELPFUL and not words.strip()
    made = Feedback.objects.create(
        jurisdiction_id=article.jurisdiction_id,
        article=article,
        version_id=text.version_id,
        language=text.language,
        rating=rating,
        words=words.strip(),
        at=at,
        by_kind=by.kind.value,
        by_ref=by.ref,
        settled_at=at if is_settled else None,
        settled_by_kind=by.kind.value if is_settled else "",
        settled_by_ref=by.ref if is_settled else 0,
    )
    body = {"feedback": made.pk, "version": made.version_id, "language": made.language, "rating": made.rating}
    ledger.append("article.rated", SUBJECT, article.pk, body, by=by, at=at)
    return made


@transaction.atomic
def settle(feedback: Feedback, *, by: Actor, at: datetime | None = None) -> Feedback:
    """It was looked at: mended in a new version, or found right as it is."""
    if not by.may("knowledge.write"):
        raise Forbidden("You may not write articles.")
    rows = Feedback.objects.select_for_update().filter(jurisdiction_id=by.jurisdiction_id, pk=feedback.pk)
    found = rows.first()
    if found is None:
        raise NotFound("There is no such feedback.")
    if found.settled_at is not None:
        raise Conflict("Somebody has looked at this already.")
    found.settled_at, found.settled_by_kind, found.settled_by_ref = at or now(), by.kind.value, by.ref
    found.save(update_fields=["settled_at", "settled_by_kind", "settled_by_ref"])
    body = {"feedback": found.pk, "rating": found.rating}
    ledger.append("article.rating_settled", SUBJECT, found.article_id, body, by=by, at=found.settled_at)
    return found


def get_feedback(feedback_id: int, *, by: Actor) -> Feedback:
    """What was said in the actor's city, or NotFound."""
    found = Feedback.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=feedback_id).first()
    if found is None:
        raise NotFound("There is no such feedback.")
    return found
