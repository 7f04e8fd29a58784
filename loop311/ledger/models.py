"""The diary: append-only events, chained by hash per subject, checkpointed daily, free of personal data."""

from __future__ import annotations

from django.db import models

from loop311.jurisdictions.models import Jurisdiction


class Event(models.Model):
    """A past-tense fact about one subject. Rows are only ever added (a trigger holds that)."""

    id = models.BigAutoField(primary_key=True)
    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    subject_type = models.TextField()
    """Room-qualified noun: 'request', 'resident', 'callback', 'catalogue', 'staff'."""
    subject_id = models.BigIntegerField()
    sequence = models.IntegerField()
    """1, 2, 3 ... within the subject; no gaps."""
    kind = models.TextField()
    """'request.filed'. The list with its bodies is in docs/reference/events.md."""
    at = models.DateTimeField()
    actor_kind = models.TextField()
    actor_ref = models.BigIntegerField(default=0)
    body = models.TextField()
    """Canonical JSON (sorted keys, no spaces) of codes, ids, dates and digests; never names, numbers or words of a person."""
    previous_hash = models.BinaryField()
    hash = models.BinaryField()
    """SHA-256 over the canonical encoding of everything else in the row; see policies.event_hash."""
    recorded_at = models.DateTimeField()
    """When the row was written; `at` is when it happened, which for an imported event is years before."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "subject_type", "subject_id", "sequence"],
                name="event_one_per_place_in_chain",
            ),
        ]
        indexes = [models.Index(fields=["jurisdiction", "recorded_at"], name="event_by_day_recorded")]


class Head(models.Model):
    """The end of a subject's chain, locked while one is appended. Its seal needs the secret key, so SQL alone cannot make one."""

    pk = models.CompositePrimaryKey("jurisdiction", "subject_type", "subject_id")
    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    subject_type = models.TextField()
    subject_id = models.BigIntegerField()
    sequence = models.IntegerField()
    hash = models.BinaryField()
    seal = models.BinaryField()


class Checkpoint(models.Model):
    """The Merkle root over the events of a city recorded on one UTC day, in the order of their ids; chained to the day before."""

    pk = models.CompositePrimaryKey("jurisdiction", "day")
    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    day = models.DateField()
    events = models.BigIntegerField()
    root = models.BinaryField()
    previous = models.BinaryField()
    hash = models.BinaryField()
    seal = models.BinaryField()
    made_at = models.DateTimeField()


class Handled(models.Model):
    """This handler has done its work for this event; written in the handler's own transaction."""

    pk = models.CompositePrimaryKey("event", "handler")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, db_index=False)
    handler = models.TextField()
    at = models.DateTimeField()
