"""Builders for tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from loop311.accounts.testing import a_team
from loop311.callbacks import services
from loop311.callbacks.models import Callback
from loop311.callbacks.services import Wish
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.residents.testing import a_resident


def a_callback(city: Jurisdiction, *, at: datetime | None = None, **wish: Any) -> Callback:
    """Promised to a new resident with a mobile number and an e-mail address, for the hour after `at`."""
    at = at or now()
    resident = wish.pop("resident", None) or a_resident(city, email="ana@example.org", mobile="214-555-0123")
    wanted = {"window_start": at, "window_end": at + timedelta(hours=1), "team": a_team(city), **wish}
    return services.promise(resident, Wish(**wanted), by=system(city.pk), at=at)
