"""What residents are told: one message for each event and contact point. Holds no words and no addresses."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key
from loop311.ledger.models import Event
from loop311.notifications.policies import LISTED, WAITING, MessageState


class Message(models.Model):
    """Rendered when it is sent, from the texts of a catalogue version and `facts`; the address is the contact point's."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, db_index=False)
    resident = city_fk("residents.Resident", related_name="messages", db_index=False)
    contact_point = city_fk("residents.ContactPoint", related_name="messages", db_index=False)
    request = city_fk("requests.Request", null=True, related_name="messages", db_index=False)
    interaction = city_fk("interactions.Interaction", null=True, related_name="messages", db_index=False)
    """The contact in which an answer was sent; null for what follows from events."""
    article = city_fk("knowledge.Article", null=True, related_name="messages", db_index=False)
    kind = models.TextField()
    """A value of policies.Kind."""
    event_kind = models.TextField()
    language = models.TextField()
    catalogue_version = city_fk("catalog.CatalogueVersion", null=True, db_index=False)
    """Whose template is used; null for the built-in texts."""
    facts = models.JSONField(default=dict)
    """What was so when it happened: codes and dates, nothing personal. See services.queueing."""
    state = models.TextField(default=MessageState.QUEUED)
    message_id = models.TextField()
    """The e-mail's Message-ID and the text's idempotency key; follows from event and contact point."""
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    """A code such as 'smtp 550'; never the server's words, which repeat the address."""
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    """When it was sent, or given up."""

    class Meta:
        constraints = [
            city_key("message"),
            models.UniqueConstraint(fields=["jurisdiction", "event", "contact_point"], name="message_once"),
            models.UniqueConstraint(
                fields=["jurisdiction", "interaction", "article", "contact_point"],
                condition=Q(article__isnull=False),
                name="message_answer_once",
            ),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in MessageState]), name="message_state_known"),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="message_waiting", condition=Q(state__in=sorted(WAITING))),
            models.Index(fields=["jurisdiction", "-id"], name="message_listed", condition=Q(state__in=sorted(LISTED))),
            models.Index(fields=["jurisdiction", "request"], name="message_of_request"),
            models.Index(fields=["jurisdiction", "contact_point"], name="message_of_point"),
        ]


class QuietHours(models.Model):
    """A city's own quiet hours for texts; without a row those of policies.Quiet hold."""

    jurisdiction = models.OneToOneField(Jurisdiction, on_delete=models.PROTECT, primary_key=True)
    start = models.TimeField()
    end = models.TimeField()


class Notice(models.Model):
    """An e-mail to the city's own people about an escalation; to a member of staff, or to the team's own address."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, db_index=False)
    staff = city_fk("accounts.StaffMember", null=True, related_name="notices", db_index=False)
    team = city_fk("accounts.Team", null=True, related_name="notices", db_index=False)
    message_id = models.TextField()
    error = models.TextField(blank=True)
    """Why the last attempt failed: a code."""
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "event", "staff"], condition=Q(staff__isnull=False), name="notice_once_to_staff"
            ),
            models.UniqueConstraint(
                fields=["jurisdiction", "event", "team"], condition=Q(team__isnull=False), name="notice_once_to_team"
            ),
            models.CheckConstraint(
                condition=Q(staff__isnull=True, team__isnull=False) | Q(staff__isnull=False, team__isnull=True),
                name="notice_has_one_recipient",
            ),
        ]
        indexes = [
            models.Index(fields=["jurisdiction", "-id"], name="notice_unsent", condition=Q(sent_at__isnull=True)),
        ]


class DigestChoice(models.Model):
    """Whether and at which hour of the city's day a member of staff wants the daily e-mail; without a row the role decides."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    staff = city_fk("accounts.StaffMember", related_name="digest_choices", db_index=False)
    is_wanted = models.BooleanField()
    hour = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "staff"], name="digest_choice_once"),
            models.CheckConstraint(condition=Q(hour__range=(0, 23)), name="digest_choice_hour_of_a_day"),
        ]


class Digest(models.Model):
    """One person's e-mail of one day; its words are made when it is sent."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    staff = city_fk("accounts.StaffMember", related_name="digests", db_index=False)
    day = models.DateField()
    """In the city's zone."""
    message_id = models.TextField()
    error = models.TextField(blank=True)
    """Why the last attempt failed: a code."""
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "day", "staff"], name="digest_once_a_day"),
        ]
