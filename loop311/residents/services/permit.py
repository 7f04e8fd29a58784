"""Who may read or change a resident, and the row itself, held for the change."""

from __future__ import annotations

from loop311.kit.actor import Actor, ActorKind
from loop311.kit.problems import Conflict, Forbidden, NotFound
from loop311.residents.models import Resident

_NOBODY = "There is no such resident."


def may(by: Actor, permission: str, resident_id: int | None = None) -> None:
    """Staff and applications by permission; residents for themselves only."""
    if by.kind is ActorKind.RESIDENT:
        if resident_id is None or by.ref != resident_id:
            raise NotFound(_NOBODY)
    elif not by.may(permission):
        raise Forbidden(f"This needs the permission {permission}.")


def in_city(by: Actor, jurisdiction_id: int) -> None:
    if by.jurisdiction_id != jurisdiction_id:
        raise NotFound(_NOBODY)


def locked(resident_id: int, *, by: Actor, permission: str = "residents.write") -> Resident:
    """The city's resident, held until the transaction ends; one who was erased can no longer be changed."""
    rows = Resident.objects.select_for_update().filter(jurisdiction_id=by.jurisdiction_id, pk=resident_id)
    resident = rows.first()
    if resident is None:
        raise NotFound(_NOBODY)
    may(by, permission, resident.pk)
    if resident.erased_at is not None:
        raise Conflict("This resident was erased; there is nothing left to change.")
    return resident


def check_version(resident: Resident, version: int | None) -> None:
    """A stale write is told, never lost. None skips the check, for callers that hold nothing old."""
    if version is not None and version != resident.version:
        raise Conflict(
            "Somebody has changed this resident meanwhile; read it again.", extra={"version": resident.version}
        )
