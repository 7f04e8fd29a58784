"""Second factors: who has one, who must, and taking them away. Part of this room's services.

The rows are allauth's (authenticator apps, passkeys, recovery codes, identities at a provider); their owner adds them at
/desk/me/, an administrator can only take them away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction

from loop311.accounts.models import StaffMember, User
from loop311.accounts.policies import ALWAYS_SECOND_FACTOR, Role
from loop311.accounts.services import actor_for_staff, manage, managed
from loop311.accounts.sessions import end_all_sessions
from loop311.jurisdictions import services as jurisdictions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.problems import Conflict, FieldProblem, Invalid
from loop311.ledger import services as ledger

CODES = Authenticator.Type.RECOVERY_CODES


def has_second_factor(user: User) -> bool:
    """An authenticator app or a passkey; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user=user).exclude(type=CODES).exists())


def with_second_factor(people: Sequence[StaffMember]) -> set[int]:
    """Ids of those who have one; one query."""
    users = Authenticator.objects.filter(user__in=[staff.user_id for staff in people]).exclude(type=CODES)
    found = set(users.values_list("user_id", flat=True))
    return {staff.pk for staff in people if staff.user_id in found}


def required_roles(city: Jurisdiction) -> frozenset[str]:
    """Roles that open nothing in this city without a second factor. A demo city, and a deployment without an address, ask none."""
    if city.is_demo or not settings.PRODUCTION:
        return frozenset()
    return ALWAYS_SECOND_FACTOR | frozenset(city.second_factor_roles)


def is_missing(staff: StaffMember, user: User, records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the person must set up a second factor first. `records`: how this session was signed in (allauth's).

    One query, and only for roles that need one.
    """
    if not required_roles(staff.jurisdiction) & set(staff.roles):
        return False
    return not (_by_trusted_provider(records) or has_second_factor(user))


def _by_trusted_provider(records: Sequence[Mapping[str, Any]]) -> bool:
    """Signed in at an identity provider of which the deployment says that it asks for a second factor itself."""
    trusted = {app["provider_id"] for app in settings.IDENTITY_PROVIDERS if app["settings"]["second_factor"]}
    return any(each.get("method") == "socialaccount" and each.get("provider") in trusted for each in records)


@transaction.atomic
def require_second_factor(city: Jurisdiction, roles: Iterable[str], *, by: Actor) -> Jurisdiction:
    """Which roles need one in this city, beside those that always do."""
    manage(by, city.pk)
    wanted = sorted(set(roles) - ALWAYS_SECOND_FACTOR)
    strange = [role for role in wanted if role not in frozenset(Role)]
    if strange:
        detail = f"There is no role {', '.join(strange)}."
        raise Invalid(detail, fields=[FieldProblem("roles", detail)])
    if city.second_factor_roles != wanted:
        jurisdictions.set_second_factor_roles(city, wanted)
        ledger.append("city.second_factor_required", "city", city.pk, {"roles": wanted}, by=by)
    return city


@transaction.atomic
def reset_factors(staff: StaffMember, *, by: Actor) -> StaffMember:
    """Take away every second factor and identity of somebody who lost them, and sign them out everywhere.

    Who also works for another city is that city's concern too: only the deployment itself (the command) may do it then.
    """
    staff = managed(staff, by)
    if by.kind != ActorKind.SYSTEM and works_elsewhere(staff):
        raise Conflict("This person also works for another city here: ask whoever runs this server to do it.")
    Authenticator.objects.filter(user=staff.user).delete()
    SocialAccount.objects.filter(user=staff.user).delete()
    end_all_sessions(staff.user)
    ledger.append("staff.factors_reset", "staff", staff.pk, {}, by=by)
    return staff


def works_elsewhere(staff: StaffMember) -> bool:
    """Whether the same sign-in opens another city."""
    return StaffMember.objects.filter(user_id=staff.user_id, is_active=True).exclude(pk=staff.pk).exists()


@transaction.atomic
def note_own_change(user: User, kind: str, body: Mapping[str, Any]) -> None:
    """Somebody changed how they sign in: a line in the diary of each city they work for."""
    for staff in StaffMember.objects.filter(user=user, is_active=True):
        ledger.append(kind, "staff", staff.pk, dict(body), by=actor_for_staff(staff))
