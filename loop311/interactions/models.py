"""Every contact on every channel. A request cannot exist without the one it was asked in."""

from __future__ import annotations

from django.db import models

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key


class Interaction(models.Model):
    """One contact: a call, a visit, a web session, a message; whether or not it leads to a request."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    channel = models.TextField()
    """A value of interactions.policies.Channel."""
    resident = city_fk("residents.Resident", null=True, related_name="interactions", db_index=False)
    staff = city_fk("accounts.StaffMember", null=True, related_name="interactions", db_index=False)
    on_behalf_of = models.TextField(blank=True)
    """Who is really meant when somebody asks for another ('my mother'); erased with the resident."""
    language = models.TextField(blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    topic = models.TextField(blank=True)
    """What an information-only contact was about: a service code or a knowledge topic."""
    outcome = models.TextField(blank=True)
    """A value of interactions.policies.ContactOutcome; empty while it runs."""
    source = models.TextField(blank=True)
    """The other system it comes from, for imports."""
    source_id = models.TextField(blank=True)

    class Meta:
        constraints = [city_key("interaction")]
        indexes = [
            models.Index(fields=["jurisdiction", "started_at"], name="interaction_by_start"),
            models.Index(
                fields=["jurisdiction", "resident", "started_at"],
                name="interaction_of_resident",
                condition=models.Q(resident__isnull=False),
            ),
            models.Index(
                fields=["jurisdiction", "staff", "started_at"],
                name="interaction_of_staff",
                condition=models.Q(staff__isnull=False),
            ),
        ]


class InteractionLink(models.Model):
    """What a contact was about: a request asked again or disputed, a call-back, an article that answered it, a gap."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    interaction = city_fk("interactions.Interaction", related_name="links")
    subject_type = models.TextField()
    subject_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "interaction", "subject_type", "subject_id"],
                name="interaction_link_once",
            ),
        ]
        indexes = [models.Index(fields=["jurisdiction", "subject_type", "subject_id"], name="interaction_link_subject")]
