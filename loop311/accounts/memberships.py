"""Which cities a sign-in opens."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from loop311.accounts.models import StaffMember, User


def open_memberships(user: User) -> QuerySet[StaffMember]:
    """Where a person works. Demo sign-ins, whose password everybody knows, open nothing in production."""
    rows = StaffMember.objects.filter(user=user, is_active=True).select_related("jurisdiction")
    return rows.filter(jurisdiction__is_demo=False) if settings.PRODUCTION else rows


def works_here(user: User) -> bool:
    """Whether a sign-in opens any city."""
    return open_memberships(user).exists()
