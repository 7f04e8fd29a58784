"""One key sends an answer: an article's short text and a link to the whole, to the resident of a contact."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from loop311.interactions import services as interactions
from loop311.interactions.models import Interaction
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from loop311.knowledge.models import Article
from loop311.knowledge.policies import Audience
from loop311.knowledge.services import current_text
from loop311.ledger.models import Event
from loop311.ledger.services import append
from loop311.notifications.models import Message
from loop311.notifications.policies import KIND_OF_POINT, Kind, MessageState, may_be_told, message_id
from loop311.notifications.services.queueing import defer_sending, template_for
from loop311.residents.models import Resident
from loop311.residents.policies import Point
from loop311.residents.services import contact_points, standing

ARTICLE_SENT = "article.sent"


@transaction.atomic
def send_article(
    interaction: Interaction,
    article: Article,
    *,
    by: Actor,
    contact_point_id: int | None = None,
    language: str = "",
    at: datetime | None = None,
) -> Message:
    """Send what the city answers, as it stands published, by text or e-mail; the contact remembers it.

    Once for a contact, article and contact point: the second time gives back the first message. `language` is the resident's
    unless given; the contact point the first that can be written to.
    """
    if by.jurisdiction_id != interaction.jurisdiction_id or article.jurisdiction_id != interaction.jurisdiction_id:
        raise NotFound("There is no such contact or article in this city.")
    if not by.may("notifications.send_article"):
        raise Forbidden("You may not send answers.")
    contact = Interaction.objects.select_for_update(of=("self",)).select_related("resident").get(pk=interaction.pk)
    resident = _sendable(contact, article)
    point = _point(resident, contact_point_id)
    sent = Message.objects.filter(
        jurisdiction_id=contact.jurisdiction_id, interaction=contact, article=article, contact_point_id=point.id
    ).first()
    return sent or _send(contact, resident, article, point, language, by, at or now())


def writable_points(resident: Resident) -> list[Point]:
    """Where an answer that was just asked for can be written to, in the order to offer them."""
    return [
        point
        for point in contact_points(resident)
        if point.kind in KIND_OF_POINT
        and may_be_told(ARTICLE_SENT, may_notify=point.may_notify, is_unsubscribed=point.is_unsubscribed)
    ]


def _sendable(contact: Interaction, article: Article) -> Resident:
    if not article.is_live or article.published is None:
        raise Conflict("Only a published article is sent.")
    if article.published.audience != Audience.PUBLIC:
        raise Conflict("This article is for staff only; say what the caller may know in your own words.")
    if contact.resident is None:
        detail = "Say first who is calling: an answer is sent to a resident's own number or address."
        raise Invalid(detail, fields=[FieldProblem("resident", detail)])
    resident: Resident = contact.resident
    return resident


def _point(resident: Resident, wanted: int | None) -> Point:
    points = writable_points(resident)
    found = next((point for point in points if wanted in (None, point.id)), None)
    if found is None:
        detail = "There is no mobile number or e-mail address of this resident to send it to; add one first."
        raise Invalid(detail, fields=[FieldProblem("contact_point", detail)])
    return found


def _send(
    contact: Interaction, resident: Resident, article: Article, point: Point, language: str, by: Actor, at: datetime
) -> Message:
    text = current_text(article, language or contact.language or standing(resident).language)
    body = {
        "article": article.pk,
        "version": text.version_id,
        "language": text.language,
        "contact_point": point.id,
        "kind": KIND_OF_POINT[point.kind].value,
    }
    event_id = append(ARTICLE_SENT, "interaction", contact.pk, body, by=by, at=at)
    event = Event.objects.select_related("jurisdiction").get(pk=event_id)
    message = Message.objects.create(
        jurisdiction_id=contact.jurisdiction_id,
        event=event,
        resident=resident,
        contact_point_id=point.id,
        interaction=contact,
        article=article,
        kind=Kind(KIND_OF_POINT[point.kind]),
        event_kind=ARTICLE_SENT,
        language=text.language,
        catalogue_version_id=template_for(event, "")[0],
        facts={"version": str(text.version_id)},
        state=MessageState.QUEUED,
        message_id=message_id(event.pk, point.id, urlsplit(settings.BASE_URL).hostname or "localhost"),
        next_attempt_at=at,
        created_at=at,
    )
    interactions.link(contact, "article", article.pk, by=by, at=at)
    defer_sending(message.pk, None)
    return message
