"""What other systems sent with a request that the request itself has no place for. And who is told of updates.

Written only by `services.py`; webhooks by `subscribing.py` and `telling.py`.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key


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


class Webhook(models.Model):
    """A system that is told of updates instead of asking for them."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    token = city_fk("accounts.Token", related_name="+", db_index=False)
    """Whose it is: it ends with the key."""
    url = models.TextField()
    sealed_secret = models.TextField()
    """What calls are signed with, sealed with the deployment's key."""
    language = models.TextField()
    service_codes = ArrayField(models.TextField(), default=list)
    numbers = ArrayField(models.TextField(), default=list)
    """Of requests. Empty, like no service codes, is all."""
    mine = models.BooleanField(default=False)
    """Only requests that were filed with the key."""
    created_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True)
    """Since when no call was taken; null while they are."""
    failures = models.IntegerField(default=0)
    """Calls in a row that were not taken."""
    problem = models.TextField(blank=True)
    """Of the last call that was not taken."""
    lost = models.IntegerField(default=0)
    """Updates that were given up."""
    quiet_until = models.DateTimeField(null=True)
    """Not called before, after a failure."""
    busy_until = models.DateTimeField(null=True)
    """A worker calls it; if the worker dies, until then."""
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.TextField(blank=True)

    class Meta:
        constraints = [city_key("open311_webhook")]
        indexes = [
            models.Index(fields=["jurisdiction"], condition=Q(ended_at=None), name="open311_webhook_live"),
            models.Index(fields=["jurisdiction", "token"], name="open311_webhook_of_key"),
        ]

    @property
    def state(self) -> str:
        """'active', 'failing' or 'ended'."""
        if self.ended_at:
            return "ended"
        return "failing" if self.failing_since else "active"


class WebhookCall(models.Model):
    """An update that a webhook is still to be told of; gone once it was. What it says is read when it is sent."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    webhook = city_fk("open311.Webhook", related_name="calls", db_index=False)
    request = city_fk("requests.Request", related_name="+", db_index=False)
    event = models.BigIntegerField()
    """Of the ledger; the update's id."""
    at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    """First."""
    failures = models.IntegerField(default=0)
    next_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "webhook", "event"], name="open311_call_once"),
        ]
        indexes = [models.Index(fields=["jurisdiction", "request"], name="open311_call_of_request")]
