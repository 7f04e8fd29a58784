"""Links to the departments' systems, the orders handed over, what is still to be said, what was heard, and what does not agree."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key
from loop311.workorders.policies import LinkState, MismatchKind, OrderState, standing


class LinkQuerySet(models.QuerySet["Link"]):
    def of_city(self, jurisdiction_id: int) -> Self:
        return self.filter(jurisdiction_id=jurisdiction_id)

    def in_use(self) -> Self:
        return self.filter(retired_at__isnull=True)

    def listened_for(self) -> Self:
        return self.in_use().exclude(state=LinkState.PAUSED)


class Link(models.Model):
    """One department's system. What it is called and how it is spoken to comes from links.yaml."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    code = models.TextField()
    name = models.TextField()
    connector = models.TextField()
    """A key of connectors.KINDS."""
    mapping = models.TextField()
    """Canonical JSON of mapping.LinkMap; where its secrets are, never the secrets."""
    owner = city_fk("accounts.StaffMember", related_name="links", db_index=False)
    """Who answers for it: is told when it breaks, and owns what does not agree."""
    address = models.TextField(unique=True)
    """The end of the address that their call-backs come to; cannot be guessed."""
    state = models.TextField(default=LinkState.UNTESTED)
    state_at = models.DateTimeField()
    since = models.DateTimeField()
    """Since when it is listened for: loaded, or no longer paused."""
    heard_at = models.DateTimeField(null=True)
    """The last heartbeat that was answered."""
    tried_at = models.DateTimeField(null=True)
    said = models.TextField(blank=True)
    """What the last test or failure said: one sentence."""
    failing = models.BooleanField(default=False)
    newest_there = models.DateTimeField(null=True)
    """The newest happening that was heard of, by their clock."""
    compared_at = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    """No longer in links.yaml."""

    objects = LinkQuerySet.as_manager()

    class Meta:
        constraints = [
            city_key("link"),
            models.UniqueConstraint(fields=["jurisdiction", "code"], name="link_code_once"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in LinkState]), name="link_state_known"),
        ]

    def standing(self, at: datetime) -> LinkState:
        """How it stands now, whether or not a worker is there to say so."""
        return standing(self.state, self.heard_at, self.since, self.failing, at)

    def silence(self, at: datetime) -> timedelta:
        return at - max(self.heard_at or self.since, self.since)


class OrderQuerySet(models.QuerySet["Order"]):
    def of_city(self, jurisdiction_id: int) -> Self:
        return self.filter(jurisdiction_id=jurisdiction_id)

    def due(self, at: datetime) -> Self:
        return self.filter(next_at__lte=at)


class Order(models.Model):
    """One hand-off of a request to one link. A request has at most one that holds; what it was before stays as it ended."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    link = city_fk("workorders.Link", related_name="orders", db_index=False)
    request = city_fk("requests.Request", related_name="orders", db_index=False)
    reference = models.TextField()
    """Our mark there: 'city-26-00000001', or 'city-26-00000001.2' for the request's second order."""
    service = models.TextField()
    """Our service's code when it was handed over."""
    theirs = models.TextField()
    """Their service, as the mapping said then."""
    holds = models.BooleanField(default=True)
    """It is (to be) theirs; False: it is to be cancelled there, or was."""
    state = models.TextField(default=OrderState.UNPROCESSED)
    their_key = models.TextField(blank=True)
    their_url = models.TextField(blank=True)
    token = models.TextField(blank=True)
    their_status = models.TextField(blank=True)
    """As last heard, raw."""
    their_at = models.DateTimeField(null=True)
    """When that happened, by their clock."""
    fails = models.IntegerField(default=0)
    """In a row, with what is to be said now."""
    reason = models.TextField(blank=True)
    """Why it waits, is unknown or parked; no personal data."""
    next_at = models.DateTimeField(null=True)
    """When something is to be done next; null: nothing is, or a person must."""
    opened_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            city_key("workorder"),
            models.UniqueConstraint(fields=["jurisdiction", "reference"], name="workorder_reference_once"),
            models.UniqueConstraint(
                fields=["jurisdiction", "request"], condition=Q(holds=True), name="workorder_one_holds"
            ),
            models.UniqueConstraint(
                fields=["jurisdiction", "link", "their_key"], condition=~Q(their_key=""), name="workorder_key_once"
            ),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in OrderState]), name="workorder_state_known"),
            models.CheckConstraint(
                condition=~Q(state=OrderState.ACKNOWLEDGED) | ~Q(their_key=""), name="workorder_acknowledged_has_key"
            ),
            models.CheckConstraint(
                condition=~Q(state=OrderState.PARKED) | ~Q(reason=""), name="workorder_parked_has_reason"
            ),
            models.CheckConstraint(condition=~Q(state=OrderState.CANCELLED) | Q(holds=False), name="workorder_ended"),
        ]
        indexes = [
            models.Index(fields=["link", "next_at", "id"], name="workorder_due", condition=Q(next_at__isnull=False)),
            models.Index(fields=["jurisdiction", "link", "-id"], name="workorder_of_link"),
            models.Index(fields=["jurisdiction", "request"], name="workorder_of_request"),
            models.Index(
                fields=["jurisdiction", "link", "state"],
                name="workorder_stuck",
                condition=Q(state__in=[OrderState.PARKED, OrderState.UNKNOWN, OrderState.UNPROCESSED]),
            ),
        ]


class Outgoing(models.Model):
    """One thing to be said about an order, in order. Holds no words: they are read when it is said, and an erased resident's
    are gone by then."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    order = city_fk("workorders.Order", related_name="outgoing", db_index=False)
    event_id = models.BigIntegerField()
    """The ledger's event it follows; 0 for what a mending act says."""
    kind = models.TextField()
    """'create', 'cancel', or a value of connectors.base.ChangeKind."""
    body = models.JSONField(default=dict)
    """Ids and codes."""
    at = models.DateTimeField()
    doubtful = models.BooleanField(default=False)
    """It was begun to be said and may have arrived."""
    ended_at = models.DateTimeField(null=True)
    said = models.BooleanField(default=False)
    """With `ended_at`: whether they have it, or it was dropped."""

    class Meta:
        constraints = [
            city_key("workorder_outgoing"),
            models.UniqueConstraint(
                fields=["jurisdiction", "order", "event_id", "kind"],
                condition=~Q(event_id=0),
                name="workorder_outgoing_once",
            ),
            models.CheckConstraint(condition=Q(said=False) | Q(ended_at__isnull=False), name="workorder_said_has_time"),
        ]
        indexes = [
            models.Index(
                fields=["jurisdiction", "order", "id"], name="workorder_to_say", condition=Q(ended_at__isnull=True)
            ),
            models.Index(fields=["jurisdiction", "order", "-id"], name="workorder_outgoing_of"),
        ]


class Incoming(models.Model):
    """One report of theirs, once, however often it is heard."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    link = city_fk("workorders.Link", related_name="reports", db_index=False)
    order = city_fk("workorders.Order", related_name="reports", db_index=False)
    report = models.TextField()
    """Its id, as the connector names it."""
    status = models.TextField(blank=True)
    happened_at = models.DateTimeField()
    """By their clock."""
    heard_at = models.DateTimeField()
    became = models.TextField()
    """What followed here: a request's verb, 'nothing', 'older', or a value of MismatchKind."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "link", "report"], name="workorder_report_once"),
        ]
        indexes = [models.Index(fields=["jurisdiction", "order", "-id"], name="workorder_reports_of")]


class Call(models.Model):
    """The id of a signed call-back that was taken: the same again is a replay. Kept for a day."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    link = city_fk("workorders.Link", related_name="calls", db_index=False)
    call = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["jurisdiction", "link", "call"], name="workorder_call_once")]
        indexes = [models.Index(fields=["link", "-at"], name="workorder_calls_of")]


class Mismatch(models.Model):
    """Two records of the same work that do not agree, until somebody mends it."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    link = city_fk("workorders.Link", related_name="mismatches", db_index=False)
    order = city_fk("workorders.Order", null=True, related_name="mismatches", db_index=False)
    """Null when only their side has a record."""
    owner = city_fk("accounts.StaffMember", related_name="mismatches", db_index=False)
    kind = models.TextField()
    their_key = models.TextField(blank=True)
    ours = models.TextField(blank=True)
    theirs = models.TextField(blank=True)
    """What each side says: codes and statuses."""
    opened_at = models.DateTimeField()
    mended_at = models.DateTimeField(null=True)
    how = models.TextField(blank=True)
    """A code: 'agreed', or the mending act."""

    class Meta:
        constraints = [
            city_key("mismatch"),
            models.UniqueConstraint(
                fields=["jurisdiction", "link", "order", "kind", "their_key"],
                condition=Q(mended_at__isnull=True),
                nulls_distinct=False,
                name="mismatch_open_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=[k.value for k in MismatchKind]), name="mismatch_kind_known"),
            models.CheckConstraint(condition=Q(mended_at__isnull=True) | ~Q(how=""), name="mismatch_mended_says_how"),
        ]
        indexes = [
            models.Index(
                fields=["jurisdiction", "link", "opened_at"],
                name="mismatch_open",
                condition=Q(mended_at__isnull=True),
            ),
            models.Index(fields=["jurisdiction", "order"], name="mismatch_of_order"),
        ]
