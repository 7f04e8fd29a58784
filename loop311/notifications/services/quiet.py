"""A city's quiet hours for texts."""

from __future__ import annotations

from datetime import time

from django.db import transaction

from loop311.kit.actor import Actor
from loop311.kit.problems import Forbidden
from loop311.ledger.services import append
from loop311.notifications.models import QuietHours
from loop311.notifications.policies import Quiet


def quiet_hours(jurisdiction_id: int) -> Quiet:
    own = QuietHours.objects.filter(jurisdiction=jurisdiction_id).first()
    return Quiet(own.start, own.end) if own else Quiet()


@transaction.atomic
def set_quiet_hours(start: time, end: time, *, by: Actor) -> Quiet:
    """No texts between these wall times of the city; the same twice means: never quiet."""
    if not by.may("notifications.write"):
        raise Forbidden("You may not change the quiet hours.")
    QuietHours.objects.update_or_create(jurisdiction_id=by.jurisdiction_id, defaults={"start": start, "end": end})
    body = {"start": start.isoformat("minutes"), "end": end.isoformat("minutes")}
    append("notifications.quiet_hours_set", "notifications", by.jurisdiction_id, body, by=by)
    return Quiet(start, end)
