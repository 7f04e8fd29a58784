"""Who may do what: one table of roles and permissions. Deny unless listed."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    CONCIERGE = "concierge"
    TEAM_MEMBER = "team_member"
    TEAM_LEAD = "team_lead"
    DEPARTMENT_MANAGER = "department_manager"
    SUPERVISOR = "supervisor"
    CONFIGURATION_MANAGER = "configuration_manager"
    COORDINATOR = "coordinator"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


_ALL = frozenset(Role)
_DOERS = _ALL - {Role.AUDITOR}
_WORK = frozenset({Role.TEAM_MEMBER, Role.TEAM_LEAD, Role.DEPARTMENT_MANAGER, Role.ADMINISTRATOR})
_LEAD = frozenset({Role.TEAM_LEAD, Role.DEPARTMENT_MANAGER, Role.SUPERVISOR, Role.COORDINATOR, Role.ADMINISTRATOR})
_CENTRAL = frozenset({Role.CONCIERGE, Role.SUPERVISOR, Role.COORDINATOR, Role.ADMINISTRATOR})
_CONTACT = _CENTRAL | _WORK

PERMISSIONS: dict[str, frozenset[Role]] = {
    "requests.read": _ALL,
    "requests.file": _CONTACT,
    "requests.assign": _WORK | _LEAD,
    "requests.start": _WORK,
    "requests.wait": _WORK,
    "requests.resume": _WORK,
    "requests.hand_over": _WORK | _LEAD,
    "requests.add_evidence": _WORK | _CONTACT,
    "requests.resolve": _WORK,
    "requests.decline": _WORK | _LEAD,
    "requests.confirm": _CONTACT,  # the resident's word, taken down by a member of staff
    "requests.dispute": _CONTACT,
    "requests.join": _CONTACT | _LEAD,
    "requests.separate": _CONTACT | _LEAD,
    "requests.comment": _DOERS,
    "requests.reroute": _CONTACT | _LEAD,
    "requests.change_service": _CONTACT | _LEAD,
    "requests.import": frozenset({Role.ADMINISTRATOR}),
    "residents.read": _ALL,
    "residents.write": _CONTACT,
    "residents.merge": _CENTRAL,  # who is who is decided where people are spoken to, not by a crew
    "residents.erase": frozenset({Role.ADMINISTRATOR}),
    "interactions.read": _ALL,
    "interactions.write": _CONTACT,
    "interactions.take_over": frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),  # one that somebody else has left open
    "callbacks.read": _ALL,
    "callbacks.write": _CONTACT,
    "knowledge.read": _ALL,
    "knowledge.report": _DOERS,  # what nobody knows yet, and what an answer is worth
    "knowledge.write": _DOERS,
    "knowledge.publish": _LEAD | {Role.CONFIGURATION_MANAGER},
    "places.read": _ALL,
    "places.load": frozenset({Role.CONFIGURATION_MANAGER, Role.ADMINISTRATOR}),
    "catalog.read": _ALL,
    "catalog.publish": frozenset({Role.CONFIGURATION_MANAGER, Role.ADMINISTRATOR}),
    "notifications.read": _ALL - {Role.CONCIERGE, Role.TEAM_MEMBER},
    "notifications.write": frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
    "notifications.send_article": _CONTACT,
    "workorders.read": _ALL,
    "workorders.mend": frozenset({Role.TEAM_LEAD, Role.DEPARTMENT_MANAGER, Role.ADMINISTRATOR}),
    "workorders.load": frozenset({Role.CONFIGURATION_MANAGER, Role.ADMINISTRATOR}),
    "ledger.read": _ALL,
    "measures.read": _ALL,
    "accounts.read": frozenset({Role.AUDITOR, Role.ADMINISTRATOR}),
    "accounts.manage": frozenset({Role.ADMINISTRATOR}),
}
"""Permission -> the roles that have it. Token scopes are these same names."""

ALWAYS_SECOND_FACTOR = frozenset({Role.ADMINISTRATOR, Role.CONFIGURATION_MANAGER, Role.AUDITOR})
"""Who can change what others rely on, or read everything: never without a second factor in a real city."""

ANYBODY = "(anybody)"
"""Stands where a permission would, for a page that needs no sign-in: the sign-in itself, a link in a resident's message."""
SIGNED_IN = "(signed in)"
"""The same, for what everybody who works here may do whatever the role: their own settings, choosing a city, signing out."""


def permissions_of(roles: frozenset[Role]) -> frozenset[str]:
    """Everything at least one of the roles allows."""
    return frozenset(permission for permission, allowed in PERMISSIONS.items() if allowed & roles)


TOKEN_PREFIX = "l311_"  # noqa: S105 - the start every bearer token has, so that leaked ones can be found
"""Every bearer token begins so: scanners of repositories and logs can find one that leaked."""


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """Those that are no permission, in the order given."""
    return [scope for scope in scopes if scope not in PERMISSIONS]


def permissions_table() -> str:
    """The same as a Markdown table: permissions down, roles across; docs/reference/permissions.md holds it."""
    head = "| permission | " + " | ".join(role.replace("_", " ") for role in Role) + " |"
    line = "|---|" + ":-:|" * len(Role)
    rows = [f"| `{p}` | " + " | ".join("x" if role in allowed else "" for role in Role) + " |"
            for p, allowed in PERMISSIONS.items()]  # fmt: skip
    return "\n".join([head, line, *rows])
