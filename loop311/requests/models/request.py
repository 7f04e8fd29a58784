"""The heart: a request, its promises, its proof. Written only by this room's services; triggers hold what must be impossible."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key
from loop311.requests.policies import OPEN_STATES, WORKABLE, State


class Request(models.Model):
    """One resident's ask, with its own public number for ever."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    """Held by the contact, which is of the same city."""
    number = models.TextField()
    """'26-00000001'; never changes, never reused."""
    interaction = city_fk("interactions.Interaction", related_name="requests", db_index=False)
    resident = city_fk("residents.Resident", null=True, related_name="requests", db_index=False)
    """Null when anonymous."""
    catalogue_version = city_fk("catalog.CatalogueVersion", db_index=False)
    """The version it was filed under; a change of service moves it to the version of that moment."""
    service = city_fk("catalog.Service", related_name="requests", db_index=False)
    team = city_fk("accounts.Team", related_name="requests", db_index=False)
    """Accountable now; never null."""
    assignee = city_fk("accounts.StaffMember", null=True, related_name="assigned_requests", db_index=False)
    state = models.TextField(default=State.RECEIVED)
    priority = models.TextField()
    channel = models.TextField()
    """Of the interaction, kept here for lists and reports."""
    description = models.TextField(blank=True)
    answers = models.JSONField(default=dict)
    address = models.TextField(blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    location_note = models.TextField(blank=True)
    areas = models.JSONField(default=dict)
    """Layer code -> area key at the time of filing: {"council_district": "7"}."""
    publicity = models.TextField()
    completion = models.JSONField(default=list)
    """The completion rule's groups of evidence kinds, snapshot for the trigger: [["photo", "inspection"], ["position"]]."""

    received_at = models.DateTimeField()
    first_response_due_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    """Of the newest resolution promise; only imported requests may have none."""
    first_responded_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    """When the work was last reported done (or declined, or joined's leader done)."""
    ended_at = models.DateTimeField(null=True)
    """When it became closed or declined."""
    dispute_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    outcome = models.TextField(blank=True)
    """Outcome code of the service; required in done, closed and declined."""
    outcome_note = models.TextField(blank=True)
    waiting_reason = models.TextField(blank=True)
    handed_to = models.TextField(blank=True)
    """Code of the outside owner."""
    handed_reference = models.TextField(blank=True)
    leading = city_fk("requests.Request", null=True, related_name="followers", db_index=False)
    joined_count = models.IntegerField(default=0)
    reopened_count = models.IntegerField(default=0)
    evidence_after = models.BigIntegerField(default=0)
    """Only evidence with a higher id proves the present end: what was shown before a dispute proves nothing after it."""
    escalate_at = models.DateTimeField(null=True)
    """When the next step of the escalation ladder is due; null while the clock stands still or has ended."""
    salt = models.BinaryField(default=bytes)
    """Mixed into the digests of what the resident said, so that nobody can guess it from the ledger; erased with it."""
    version = models.IntegerField(default=1)
    """Rises by one with every change; a write that names an older one is refused."""

    source = models.TextField(blank=True)
    """The system it was imported from; empty for requests filed here."""
    source_id = models.TextField(blank=True)
    source_digest = models.BinaryField(null=True)
    """SHA-256 of the imported row, to know an unchanged one."""

    class Meta:
        constraints = [
            city_key("request"),
            models.UniqueConstraint(fields=["jurisdiction", "number"], name="request_number_once"),
            models.UniqueConstraint(
                fields=["jurisdiction", "source", "source_id"],
                condition=~Q(source=""),
                name="request_source_once",
            ),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in State]), name="request_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "closed", "declined"]) | ~Q(outcome=""),
                name="request_end_has_outcome",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["closed", "declined"]) | Q(ended_at__isnull=False),
                name="request_end_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="joined") | Q(leading__isnull=False), name="request_joined_has_leading"
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | ~Q(waiting_reason=""), name="request_waiting_has_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state="handed_over") | ~Q(handed_to=""), name="request_handed_over_has_owner"
            ),
            models.CheckConstraint(condition=~Q(source="") | Q(due_at__isnull=False), name="request_has_promise"),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="request_position_in_degrees",
            ),
        ]
        indexes = [
            models.Index(fields=["jurisdiction", "team", "-received_at", "-id"], name="request_team_newest"),
            models.Index(fields=["jurisdiction", "-received_at", "-id"], name="request_newest"),
            models.Index(
                fields=["jurisdiction", "latitude", "longitude"],
                name="request_open_near",
                condition=Q(state__in=sorted(OPEN_STATES)),
            ),
            models.Index(
                fields=["jurisdiction", "latitude", "longitude"],
                name="request_near",
                condition=Q(latitude__isnull=False),
            ),
            models.Index(
                fields=["jurisdiction", "due_at"],
                name="request_open_due",
                condition=Q(state__in=sorted(OPEN_STATES)),
            ),
            models.Index(
                fields=["jurisdiction", "team", "due_at", "id"],
                name="request_team_open_due",
                condition=Q(state__in=sorted(WORKABLE)),
            ),
            models.Index(
                fields=["jurisdiction", "resident", "-received_at"],
                name="request_of_resident",
                condition=Q(resident__isnull=False),
            ),
            models.Index(
                fields=["jurisdiction", "resident", "-received_at"],
                name="request_open_of_resident",
                condition=Q(resident__isnull=False, state__in=sorted(OPEN_STATES)),
            ),
            models.Index(
                F("jurisdiction"),
                OpClass(Lower("address"), name="text_pattern_ops"),
                name="request_at_address_of_resident",
                condition=Q(resident__isnull=False),
            ),
            models.Index(
                fields=["jurisdiction", "leading"], name="request_follows", condition=Q(leading__isnull=False)
            ),
            models.Index(fields=["jurisdiction", "dispute_until"], name="request_done", condition=Q(state="done")),
            models.Index(fields=["jurisdiction", "interaction"], name="request_asked_in"),
            models.Index(fields=["escalate_at"], name="request_escalates", condition=Q(escalate_at__isnull=False)),
            GinIndex(fields=["areas"], name="request_by_area", opclasses=["jsonb_path_ops"]),
        ]


class Promise(models.Model):
    """A date given for a step of a request. Never edited: a change is the next one, with its reason."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False, db_constraint=False)
    """Held by the request, which is of the same city."""
    request = city_fk("requests.Request", related_name="promises", db_index=False)
    step = models.TextField()
    """A value of catalog.definitions.Step."""
    sequence = models.IntegerField()
    """1 is the first promise of the step, the one every report can be restated against."""
    due_at = models.DateTimeField()
    made_at = models.DateTimeField()
    reason = models.TextField()
    """A value of policies.PromiseReason."""
    note = models.TextField(blank=True)
    catalogue_version = city_fk("catalog.CatalogueVersion", db_index=False)
    policy = models.TextField(blank=True)
    """Code of the promise policy in that version."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "request", "step", "sequence"], name="promise_one_after_another"
            ),
        ]


class ClockStop(models.Model):
    """A time during which the clock stood still, for a reason on the service's closed list."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    request = city_fk("requests.Request", related_name="clock_stops", db_index=False)
    reason = models.TextField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ends_by = models.DateTimeField(null=True)
    """When it ends by itself."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["jurisdiction", "request"],
                condition=Q(ended_at__isnull=True),
                name="clock_stops_once_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["jurisdiction", "request"], name="clock_stop_of_request")]


class Evidence(models.Model):
    """What proves that work was done. Rows are only added."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    request = city_fk("requests.Request", related_name="evidence", db_index=False)
    kind = models.TextField()
    """A value of catalog.definitions.EvidenceKind."""
    at = models.DateTimeField()
    actor_kind = models.TextField()
    actor_ref = models.BigIntegerField(default=0)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    reference = models.TextField(blank=True)
    """Where the thing itself is: a file's key, a reading, an inspection number."""
    digest = models.BinaryField(null=True)
    """SHA-256 of the thing itself, where there is one."""
    note = models.TextField(blank=True)

    class Meta:
        constraints = [city_key("evidence")]
        indexes = [models.Index(fields=["jurisdiction", "request"], name="evidence_of_request")]


class Comment(models.Model):
    """Words on a request, by staff or by the resident (with a dispute, for instance)."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    request = city_fk("requests.Request", related_name="comments", db_index=False)
    at = models.DateTimeField()
    actor_kind = models.TextField()
    actor_ref = models.BigIntegerField(default=0)
    is_public = models.BooleanField(default=False)
    text = models.TextField()

    class Meta:
        constraints = [city_key("comment")]
        indexes = [models.Index(fields=["jurisdiction", "request"], name="comment_of_request")]


class Escalated(models.Model):
    """This step of the ladder was climbed for this promise; once."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    promise = models.ForeignKey(Promise, on_delete=models.PROTECT, db_index=False)
    level = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["promise", "level"], name="escalated_once")]


class FilingKey(models.Model):
    """A sender's idempotency key: the same key again gives the same request, never a second one."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    sender = models.TextField()
    """'application:12'; keys of one sender never meet another's."""
    key = models.TextField()
    digest = models.BinaryField()
    """SHA-256 of what was asked: another body under the same key is refused."""
    request = city_fk("requests.Request", db_index=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["jurisdiction", "sender", "key"], name="filing_key_once")]


class UsualTime(models.Model):
    """How long requests of a service usually take, in an area or (with empty layer and area) the whole city, as last counted."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    service = city_fk("catalog.Service", db_index=False)
    layer = models.TextField(blank=True)
    area = models.TextField(blank=True)
    sample = models.IntegerField()
    """Requests looked at, those still open included."""
    done = models.IntegerField()
    median_hours = models.IntegerField(null=True)
    """Within this half are done; null when that was not seen."""
    p90_hours = models.IntegerField(null=True)
    longest_hours = models.IntegerField()
    """The longest that any of them has taken, or has been open, so far."""
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "service", "layer", "area"], name="usual_time_once"),
        ]


class ImportRun(models.Model):
    """One run of an import: what was read and what became of it."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    mapping = models.TextField()
    source = models.TextField()
    file_digest = models.BinaryField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    counts = ArrayField(models.BigIntegerField(), default=list)
    """read, created, updated, unchanged, rejected."""
