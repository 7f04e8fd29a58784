"""The daily e-mail to those who lead teams or coordinate areas: who wants it and when, and that it goes out once a day."""

from __future__ import annotations

from datetime import date, datetime, time
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.timezone import localtime

from loop311.accounts.models import StaffMember
from loop311.accounts.policies import Role
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit import jobs
from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Forbidden, Invalid
from loop311.notifications.models import Digest, DigestChoice
from loop311.notifications.policies import message_id

USUAL_HOUR = 7
LATEST = 4
"""Hours after a person's hour in which a digest is still news; later it waits for tomorrow."""

BY_ROLE = (Role.TEAM_LEAD, Role.COORDINATOR)
"""Who gets it without asking."""

_DIGEST = 1 << 61
"""Added to an id, so that a digest's Message-ID is never that of a message or notice."""


def digest_choice(staff: StaffMember) -> DigestChoice:
    """What the person has chosen, or what the role gives."""
    chosen = DigestChoice.objects.filter(jurisdiction_id=staff.jurisdiction_id, staff=staff).first()
    return chosen or DigestChoice(staff=staff, is_wanted=bool(set(BY_ROLE) & set(staff.roles)), hour=USUAL_HOUR)


@transaction.atomic
def choose_digest(staff: StaffMember, *, is_wanted: bool, hour: int = USUAL_HOUR, by: Actor) -> None:
    """One's own choice; from the address in the e-mail too."""
    if by.jurisdiction_id != staff.jurisdiction_id or by.ref != staff.pk:
        raise Forbidden("Everybody chooses this alone.")
    if not 0 <= hour <= 23:
        raise Invalid("Choose an hour of the day.", fields=[FieldProblem("hour", "Choose an hour of the day.")])
    DigestChoice.objects.update_or_create(
        jurisdiction_id=staff.jurisdiction_id, staff=staff, defaults={"is_wanted": is_wanted, "hour": hour}
    )


def plan_digests(at: datetime | None = None) -> int:
    """Those whose hour has come in their city's own day, each once; returns how many. A killed worker loses none."""
    at = at or now()
    return sum(_plan(city, at) for city in Jurisdiction.objects.order_by("pk"))


def _plan(city: Jurisdiction, at: datetime) -> int:
    local = localtime(at, city.zone)
    done = Digest.objects.filter(jurisdiction=city, day=local.date()).values("staff_id")
    people = StaffMember.objects.filter(jurisdiction=city, is_active=True, user__is_active=True).exclude(pk__in=done)
    choices = {row.staff_id: row for row in DigestChoice.objects.filter(jurisdiction=city)}
    due = [staff for staff in people.order_by("pk") if _is_due(staff, choices.get(staff.pk), local.timetz())]
    return sum(_queue(city, staff, local.date(), at) for staff in due)


def _is_due(staff: StaffMember, chosen: DigestChoice | None, local: time) -> bool:
    is_wanted = chosen.is_wanted if chosen else bool(set(BY_ROLE) & set(staff.roles))
    hour = chosen.hour if chosen else USUAL_HOUR
    return is_wanted and hour <= local.hour < hour + LATEST


@transaction.atomic
def _queue(city: Jurisdiction, staff: StaffMember, day: date, at: datetime) -> int:
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    name = message_id(day.toordinal(), _DIGEST + staff.pk, host)
    row, is_new = Digest.objects.get_or_create(
        jurisdiction=city, staff=staff, day=day, defaults={"message_id": name, "created_at": at}
    )
    if is_new:
        jobs.defer("notifications.digest", queue="messages", digest=row.pk, priority=jobs.LATER)
    return int(is_new)


def note_digest(digest_id: int, *, error: str = "") -> None:
    """The mail server has taken it, or there was nothing to say; or (error: a code) it has not."""
    if error:
        Digest.objects.filter(pk=digest_id, sent_at__isnull=True).update(error=error)
    else:
        Digest.objects.filter(pk=digest_id).update(sent_at=now(), error="")
