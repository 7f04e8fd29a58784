"""Who wrote to us: people and organisations, how to reach them, what they agreed to. The only room that holds their names."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Reverse

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key


class Resident(models.Model):
    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    kind = models.TextField(default="person")
    """'person' or 'organisation'."""
    name = models.TextField(blank=True)
    language = models.TextField()
    note = models.TextField(blank=True)
    address = models.TextField(blank=True)
    time_zone = models.TextField(blank=True, default="", db_default="")
    """Where their clocks are, as an IANA name; empty for the city's own. Call-backs are promised by it."""
    merged_into = city_fk("residents.Resident", null=True)
    """Follow it to the one that now stands for both; undoing a merge sets it to null again."""
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)
    search = models.TextField(blank=True)
    """Name and address as policies.indexed writes them; emptied when the resident is erased."""
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            city_key("resident"),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="resident_not_merged_into_itself"),
        ]
        indexes = [
            GinIndex("jurisdiction", OpClass("search", name="gin_trgm_ops"), name="resident_words"),
            models.Index(
                fields=["jurisdiction", "merged_into"],
                name="resident_merged_into",
                condition=Q(merged_into__isnull=False),
            ),
        ]


class ContactPoint(models.Model):
    """One way to reach a resident. `address` is normalised: E.164 for phones, lower case for e-mail."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    resident = city_fk("residents.Resident", related_name="contact_points")
    kind = models.TextField()
    """'email', 'phone' (voice only) or 'mobile' (voice and SMS)."""
    address = models.TextField()
    is_preferred = models.BooleanField(default=False)
    may_notify = models.BooleanField(default=True)
    """The resident wants to hear about own requests here."""
    unsubscribed_at = models.DateTimeField(null=True)
    """No message at all but the answer to what the resident asked for just now."""
    verified_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            city_key("contact_point"),
            models.UniqueConstraint(
                fields=["jurisdiction", "resident", "kind", "address"],
                condition=Q(removed_at__isnull=True),
                name="contact_point_once",
            ),
        ]
        indexes = [
            models.Index(fields=["jurisdiction", "address"], name="contact_point_by_address"),
            models.Index(fields=["jurisdiction", "resident"], name="contact_point_of_resident"),
            models.Index(
                F("jurisdiction"),
                OpClass(Reverse("address"), name="text_pattern_ops"),
                name="contact_point_phone_end",
                condition=~Q(kind="email") & Q(removed_at__isnull=True),
            ),
            models.Index(
                F("jurisdiction"),
                OpClass("address", name="text_pattern_ops"),
                name="contact_point_email",
                condition=Q(kind="email", removed_at__isnull=True),
            ),
        ]


class Consent(models.Model):
    """What a resident agreed or refused, when and how; a later row replaces an earlier one of the same purpose."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    resident = city_fk("residents.Resident", related_name="consents")
    purpose = models.TextField()
    """'surveys', 'outreach', 'share_with_utility' ..."""
    given = models.BooleanField()
    at = models.DateTimeField()
    how = models.TextField()
    """Channel and wording version."""

    class Meta:
        indexes = [models.Index(fields=["jurisdiction", "resident", "purpose", "-at"], name="consent_newest")]


class Merge(models.Model):
    """Two residents found to be one. Keeps what is needed to undo it."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    kept = city_fk("residents.Resident", related_name="+")
    gone = city_fk("residents.Resident", related_name="+")
    reason = models.TextField(blank=True)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "gone"], condition=Q(undone_at__isnull=True), name="merge_once_at_a_time"
            ),
        ]
