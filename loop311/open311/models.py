"""What other systems sent with a request that the request itself has no place for. Written only by `services.py`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk


class Filed(models.Model):
    """A filing that got a token, or named the device or account it came from. Most have no such row."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    request = city_fk("requests.Request", related_name="+", db_index=False)
    token = models.TextField(blank=True)
    """Asked for the number with it, for ever; empty where the number was given at once, or never is."""
    account_id = models.TextField(blank=True)
    device_id = models.TextField(blank=True)
    """As the sender calls them; never given out, erased with the words."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "request"], name="open311_filed_once"),
            models.UniqueConstraint(
                fields=["jurisdiction", "token"], condition=~Q(token=""), name="open311_filed_token_once"
            ),
        ]


class RemotePhoto(models.Model):
    """A `media_url` that was sent: the file behind it is fetched by a job and attached to the request."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    request = city_fk("requests.Request", related_name="+", db_index=False)
    position = models.IntegerField()
    """1, 2, 3 ... of those of one filing or update."""
    url = models.TextField(blank=True)
    """Erased with the words."""
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)
    """Why there is no file, once it is settled; empty when there is one."""

    class Meta:
        indexes = [models.Index(fields=["jurisdiction", "request"], name="open311_photo_of_request")]


class TakenUpdate(models.Model):
    """A partner's update that was taken: the same `update_id` again changes nothing."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    sender = models.TextField()
    """'application:12'; ids of one sender never meet another's."""
    update_id = models.TextField()
    request = city_fk("requests.Request", related_name="+", db_index=False)
    digest = models.BinaryField()
    """SHA-256 of what was said, to know the same id with something else."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "sender", "update_id"], name="open311_update_once"),
        ]
        indexes = [models.Index(fields=["jurisdiction", "request"], name="open311_update_of_request")]
