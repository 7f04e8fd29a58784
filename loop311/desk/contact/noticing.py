"""The clock's part: contacts that nobody has touched for long are noted as left open."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from loop311.desk.contact import drafts
from loop311.desk.models import Draft
from loop311.interactions import services as interactions
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.sweeps import pass_over

MOST = 200
"""Contacts noted in one run."""

log = structlog.get_logger(__name__)


def sweep(at: datetime | None = None) -> int:
    """Note every contact that nobody has touched for the hours of the setting, once; returns how many."""
    at = at or now()
    since = at - timedelta(hours=settings.CONTACT_LEFT_OPEN_HOURS)
    untouched = Draft.objects.filter(left_open_at__isnull=True, updated_at__lte=since).order_by("updated_at", "pk")
    return sum(_note(pk, since, at) for pk in list(untouched.values_list("pk", flat=True)[:MOST]))


def _note(draft_id: int, since: datetime, at: datetime) -> int:
    try:
        with transaction.atomic():
            rows = Draft.objects.select_for_update(of=("self",)).filter(
                left_open_at__isnull=True, updated_at__lte=since
            )
            draft = rows.select_related("interaction").filter(pk=draft_id).first()
            if draft is None:
                return 0  # somebody has touched it meanwhile
            interactions.note_left_open(draft.interaction, draft.staff_id, by=system(draft.jurisdiction_id))
            drafts.note_left_open(draft, at)
    except Exception:
        pass_over()
        log.exception("a contact that was left open", draft=draft_id)
        return 0
    return 1
