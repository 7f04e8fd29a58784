"""Promises to ring a resident, and how they were tried to be kept."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from loop311.callbacks.policies import AttemptOutcome, CallbackState, Tried, Way, is_due, is_late
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key


class CallbackQuerySet(models.QuerySet["Callback"]):
    def of_city(self, jurisdiction_id: int) -> Self:
        return self.filter(jurisdiction_id=jurisdiction_id)

    def open(self) -> Self:
        return self.filter(state=CallbackState.OPEN)

    def due(self, at: datetime) -> Self:
        return self.open().filter(window_start__lte=at, window_end__gte=at)

    def late(self, at: datetime) -> Self:
        return self.open().filter(window_end__lt=at)

    def soonest_first(self) -> Self:
        return self.order_by("window_end", "pk")


class Callback(models.Model):
    """A promise to ring a resident within a window. The window is never edited: another one is another promise."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    resident = city_fk("residents.Resident", related_name="callbacks", db_index=False)
    request = city_fk("requests.Request", null=True, related_name="callbacks", db_index=False)
    interaction = city_fk("interactions.Interaction", related_name="callbacks", db_index=False)
    """The contact it was asked for in."""
    team = city_fk("accounts.Team", related_name="callbacks", db_index=False)
    """Accountable; never null."""
    owner = city_fk("accounts.StaffMember", null=True, related_name="callbacks", db_index=False)
    way = models.TextField(default=Way.CALL)
    """A value of policies.Way: what was promised."""
    contact_point = city_fk("residents.ContactPoint", null=True, related_name="+", db_index=False)
    """Where; null for letters and visits."""
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    reason = models.TextField(blank=True)
    """What about, in the words of who wrote it down; emptied when the resident is erased."""
    state = models.TextField(default=CallbackState.OPEN)
    cancel_reason = models.TextField(blank=True)
    promised_at = models.DateTimeField()
    late_at = models.DateTimeField(null=True)
    """When it was found late; once."""
    ended_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    objects = CallbackQuerySet.as_manager()

    class Meta:
        constraints = [
            city_key("callback"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in CallbackState]), name="callback_state_known"
            ),
            models.CheckConstraint(condition=Q(way__in=[w.value for w in Way]), name="callback_way_known"),
            models.CheckConstraint(condition=Q(window_end__gt=F("window_start")), name="callback_window_has_length"),
            models.CheckConstraint(
                condition=Q(state=CallbackState.OPEN, ended_at__isnull=True)
                | (~Q(state=CallbackState.OPEN) & Q(ended_at__isnull=False)),
                name="callback_end_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=CallbackState.CANCELLED) | ~Q(cancel_reason=""), name="callback_cancelled_has_reason"
            ),
        ]
        indexes = [
            models.Index(
                fields=["jurisdiction", "team", "window_end", "id"],
                name="callback_open_of_team",
                condition=Q(state=CallbackState.OPEN),
            ),
            models.Index(
                fields=["jurisdiction", "window_end", "id"], name="callback_open", condition=Q(state=CallbackState.OPEN)
            ),
            models.Index(
                fields=["window_end"],
                name="callback_to_be_marked_late",
                condition=Q(state=CallbackState.OPEN, late_at__isnull=True),
            ),
            models.Index(
                fields=["jurisdiction", "request"], name="callback_of_request", condition=Q(request__isnull=False)
            ),
            models.Index(fields=["jurisdiction", "resident"], name="callback_of_resident"),
            models.Index(fields=["jurisdiction", "window_end", "id"], name="callback_by_window"),
        ]

    def is_due(self, at: datetime) -> bool:
        return is_due(CallbackState(self.state), self.window_start, self.window_end, at)

    def is_late(self, at: datetime) -> bool:
        return is_late(CallbackState(self.state), self.window_end, at)


class Attempt(models.Model):
    """One try to reach the resident. Rows are only added."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    callback = city_fk("callbacks.Callback", related_name="attempts", db_index=False)
    at = models.DateTimeField()
    way = models.TextField()
    outcome = models.TextField()
    """A value of policies.AttemptOutcome."""
    contact_point = city_fk("residents.ContactPoint", null=True, related_name="+", db_index=False)
    actor_kind = models.TextField()
    actor_ref = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            city_key("attempt"),
            models.CheckConstraint(condition=Q(way__in=[w.value for w in Way]), name="attempt_way_known"),
            models.CheckConstraint(
                condition=Q(outcome__in=[o.value for o in AttemptOutcome]), name="attempt_outcome_known"
            ),
        ]
        indexes = [models.Index(fields=["jurisdiction", "callback"], name="attempt_of_callback")]

    def tried(self) -> Tried:
        return Tried(Way(self.way), AttemptOutcome(self.outcome))
