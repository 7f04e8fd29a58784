"""Departments and teams as the catalogue names them. Written by publishing a catalogue; part of this room's services."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from loop311.accounts.models import Department, Team
from loop311.kit.actor import Actor
from loop311.kit.problems import Forbidden


@transaction.atomic
def ensure_department(code: str, *, names: Mapping[str, str], by: Actor) -> Department:
    """The city's department of this code, made or renamed as needed."""
    _require(by)
    department, _ = Department.objects.update_or_create(
        jurisdiction_id=by.jurisdiction_id, code=code, defaults={"names": dict(names)}
    )
    return department


@transaction.atomic
def ensure_team(code: str, *, department: Department, names: Mapping[str, str], by: Actor, email: str = "") -> Team:
    """The city's team of this code, made, renamed or moved to another department as needed."""
    _require(by)
    team, _ = Team.objects.update_or_create(
        jurisdiction_id=by.jurisdiction_id,
        code=code,
        defaults={"department": department, "names": dict(names), "email": email},
    )
    return team


def _require(by: Actor) -> None:
    if not (by.may("catalog.publish") or by.may("accounts.manage")):
        raise Forbidden("Departments and teams are changed by publishing a catalogue.")
