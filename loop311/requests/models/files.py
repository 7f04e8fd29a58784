"""Photos and documents: of a request, and of a contact whose request is not filed yet."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key


class Attachment(models.Model):
    """A photo or document. The file itself lies in the city's `kit.files.Store` under its digest; rows are only added."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    request = city_fk("requests.Request", related_name="attachments", db_index=False)
    evidence = city_fk("requests.Evidence", null=True, related_name="attachments", db_index=False)
    """What it proves; null for what only shows the problem."""
    role = models.TextField()
    """A value of policies.AttachmentRole."""
    digest = models.BinaryField()
    """SHA-256 of the file as it is kept; of a photo, after it was written anew."""
    received_digest = models.BinaryField()
    """SHA-256 of the file as it came."""
    media_type = models.TextField()
    size = models.BigIntegerField()
    width = models.IntegerField(default=0)
    height = models.IntegerField(default=0)
    thumbnail_digest = models.BinaryField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    """Where the camera says it was taken; erased with the words."""
    taken_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)
    """Of what proves nothing; evidence has its own."""
    at = models.DateTimeField()
    actor_kind = models.TextField()
    actor_ref = models.BigIntegerField(default=0)
    erased_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    """When the erased file was removed from the disk."""

    class Meta:
        constraints = [
            city_key("attachment"),
            models.CheckConstraint(condition=Q(role__in=["photo", "document"]), name="attachment_role_known"),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="attachment_position_in_degrees",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(latitude__isnull=True, taken_at__isnull=True, note=""),
                name="attachment_erased_says_nothing",
            ),
        ]
        indexes = [
            models.Index(fields=["jurisdiction", "request", "-id"], name="attachment_of_request"),
            models.Index(fields=["jurisdiction", "digest"], name="attachment_of_file"),
            models.Index(
                fields=["jurisdiction", "thumbnail_digest"],
                name="attachment_of_thumbnail",
                condition=Q(thumbnail_digest__isnull=False),
            ),
            models.Index(
                fields=["jurisdiction", "id"],
                name="attachment_to_remove",
                condition=Q(erased_at__isnull=False, removed_at__isnull=True),
            ),
        ]


class Enclosure(models.Model):
    """A photo or document sent in a contact before its request is filed, checked and kept as an attachment is.

    Becomes an Attachment when the request is filed, in that transaction; dropped with the draft otherwise.
    """

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    interaction = city_fk("interactions.Interaction", related_name="enclosures", db_index=False)
    key = models.TextField()
    """The key under which the request will be filed: which thing of the contact it shows."""
    role = models.TextField()
    digest = models.BinaryField()
    received_digest = models.BinaryField()
    media_type = models.TextField()
    size = models.BigIntegerField()
    width = models.IntegerField(default=0)
    height = models.IntegerField(default=0)
    thumbnail_digest = models.BinaryField(null=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    taken_at = models.DateTimeField(null=True)
    at = models.DateTimeField()
    dropped_at = models.DateTimeField(null=True)
    """Nobody is to see it any more; its files, and then the row, are removed by the sweep."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=["photo", "document"]), name="enclosure_role_known"),
            models.UniqueConstraint(
                fields=["jurisdiction", "interaction", "key", "received_digest"],
                condition=Q(dropped_at__isnull=True),
                name="enclosure_once",
            ),
        ]
        indexes = [
            models.Index(fields=["jurisdiction", "digest"], name="enclosure_of_file"),
            models.Index(
                fields=["jurisdiction", "thumbnail_digest"],
                name="enclosure_of_thumbnail",
                condition=Q(thumbnail_digest__isnull=False),
            ),
            models.Index(fields=["id"], name="enclosure_to_remove", condition=Q(dropped_at__isnull=False)),
        ]
