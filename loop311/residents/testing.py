"""Builders for tests."""

from __future__ import annotations

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.residents import services
from loop311.residents.models import Resident
from loop311.residents.services import PointInput


def a_resident(
    city: Jurisdiction, name: str = "Resident", *, email: str = "", mobile: str = "", language: str = ""
) -> Resident:
    """A resident of the city, reachable where said."""
    points = [PointInput("email", email)] if email else []
    points += [PointInput("mobile", mobile)] if mobile else []
    return services.create(city, name=name, language=language, contact_points=points, by=system(city.pk))
