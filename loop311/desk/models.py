"""What the desk keeps for itself: contacts that are being taken down."""

from __future__ import annotations

from django.db import models

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key


class Draft(models.Model):
    """A running contact as its concierge has typed it so far. Written by desk.contact.drafts only; gone when the contact ends."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    staff = city_fk("accounts.StaffMember", related_name="drafts", db_index=False)
    interaction = city_fk("interactions.Interaction", related_name="drafts", db_index=False)
    content = models.JSONField(default=dict)
    """A desk.contact.content.Content."""
    version = models.IntegerField(default=1)
    tab = models.TextField(blank=True)
    """Which window wrote last: one that has seen an older version is told of the other's words."""
    updated_at = models.DateTimeField()
    left_open_at = models.DateTimeField(null=True)
    """When it was noted that nobody touches it any more; again null as soon as somebody does."""

    class Meta:
        constraints = [
            city_key("draft"),
            models.UniqueConstraint(fields=["jurisdiction", "interaction"], name="draft_of_contact_once"),
        ]
        indexes = [models.Index(fields=["jurisdiction", "staff", "-updated_at"], name="draft_of_staff")]


class SavedFilter(models.Model):
    """Choices of a team's queue under a name. Written by desk.queue.saved only."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    team = city_fk("accounts.Team", related_name="saved_filters", db_index=False)
    staff = city_fk("accounts.StaffMember", related_name="saved_filters", db_index=False)
    """Who keeps it."""
    name = models.TextField()
    query = models.TextField(blank=True)
    """The choices, as they stand in an address."""
    is_shared = models.BooleanField(default=False)
    """The whole team sees it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "team", "staff", "name"], name="saved_filter_name_once"),
        ]
