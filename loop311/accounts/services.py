"""Who works here: sign-ins, staff, their roles and teams, and the tokens of programs."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from loop311.accounts.models import Department, StaffMember, Team, TeamMembership, Token, User
from loop311.accounts.policies import PERMISSIONS, TOKEN_PREFIX, Role, permissions_of, unknown_scopes
from loop311.accounts.sessions import end_all_sessions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound, Unauthenticated
from loop311.ledger import services as ledger

_ROLES = frozenset(role.value for role in Role)

# --- Staff -------------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_staff(
    jurisdiction: Jurisdiction,
    email: str,
    *,
    name: str,
    roles: Iterable[str],
    by: Actor,
    teams: Iterable[str] = (),
    department: str = "",
    password: str | None = None,
) -> StaffMember:
    """Take a person on in a city: `teams` and `department` are codes. An existing sign-in is used again, with its password."""
    manage(by, jurisdiction.pk)
    wanted = _roles(roles)
    members = _teams(jurisdiction.pk, teams)
    user = _user(email, password)
    try:
        with transaction.atomic():
            staff = StaffMember.objects.create(
                jurisdiction=jurisdiction,
                user=user,
                name=_text("name", name),
                roles=wanted,
                department=_department(jurisdiction.pk, department) if department else None,
            )
    except IntegrityError as error:
        raise Conflict("This person works for the city already.") from error
    _join(staff, members)
    body = {"roles": wanted, "teams": [t.pk for t in members]}
    ledger.append("staff.added", "staff", staff.pk, body, by=by, first=True)
    return staff


@transaction.atomic
def change_staff(
    staff: StaffMember,
    *,
    by: Actor,
    roles: Iterable[str] | None = None,
    teams: Iterable[str] | None = None,
    name: str | None = None,
    department: str | None = None,
) -> StaffMember:
    """Replace the roles, the teams (codes), the department ('' for none) or the name shown; what is None stays."""
    staff = managed(staff, by)
    body: dict[str, object] = {}
    if roles is not None:
        wanted = _roles(roles)
        if Role.ADMINISTRATOR not in wanted:
            _keep_an_administrator(staff)
        staff.roles = body["roles"] = wanted
    if name is not None:
        staff.name = _text("name", name)
        body["name_changed"] = True
    if department is not None:
        staff.department = _department(staff.jurisdiction_id, department) if department else None
        body["department"] = staff.department_id
    staff.save(update_fields=["roles", "name", "department"])
    if teams is not None:
        members = _teams(staff.jurisdiction_id, teams)
        TeamMembership.objects.filter(staff=staff).exclude(team__in=members).delete()
        _join(staff, members)
        body["teams"] = [t.pk for t in members]
    ledger.append("staff.changed", "staff", staff.pk, body, by=by)
    return staff


@transaction.atomic
def deactivate_staff(staff: StaffMember, *, by: Actor) -> StaffMember:
    """The person has left: no sign-in to this city and no token works any more; what they did stays theirs.

    Their sessions end at once, unless they work for another city; in this one every page is closed to them all the same.
    """
    staff = managed(staff, by)
    if staff.is_active:
        _keep_an_administrator(staff)
        staff.is_active = False
        staff.save(update_fields=["is_active"])
        if not StaffMember.objects.filter(user_id=staff.user_id, is_active=True).exists():
            end_all_sessions(staff.user)
        ledger.append("staff.left", "staff", staff.pk, {}, by=by)
    return staff


@transaction.atomic
def reactivate_staff(staff: StaffMember, *, by: Actor) -> StaffMember:
    """The person is back, with the roles and teams they had."""
    staff = managed(staff, by)
    if not staff.is_active:
        staff.is_active = True
        staff.save(update_fields=["is_active"])
        ledger.append("staff.returned", "staff", staff.pk, {}, by=by)
    return staff


def _keep_an_administrator(staff: StaffMember) -> None:
    """Of two who would both go at once the second waits here, and then is the last."""
    if Role.ADMINISTRATOR not in staff.roles or not staff.is_active:
        return
    Jurisdiction.objects.select_for_update(no_key=True).get(pk=staff.jurisdiction_id)
    others = StaffMember.objects.filter(jurisdiction_id=staff.jurisdiction_id, is_active=True).exclude(pk=staff.pk)
    if not others.filter(roles__contains=[Role.ADMINISTRATOR]).exists():
        raise Conflict("The city would have no administrator left: make somebody else one first.")


def get_staff(staff_id: int, *, by: Actor) -> StaffMember:
    """A member of staff of the actor's city, or NotFound."""
    staff = StaffMember.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=staff_id).first()
    if staff is None:
        raise NotFound("There is no such member of staff.")
    return staff


def staff_by_email(jurisdiction: Jurisdiction, email: str) -> StaffMember:
    """Who works for the city under this address, or NotFound."""
    staff = StaffMember.objects.filter(jurisdiction=jurisdiction, user__email=email.strip().lower()).first()
    if staff is None:
        raise NotFound(f"Nobody with the address {email} works for {jurisdiction.name}.")
    return staff


def staff_of(jurisdiction: Jurisdiction) -> QuerySet[StaffMember]:
    """Everybody who works or worked for the city, with sign-in and teams; two queries."""
    return (
        StaffMember.objects.filter(jurisdiction=jurisdiction)
        .select_related("user")
        .prefetch_related("teams")
        .order_by("pk")
    )


def search_staff(jurisdiction: Jurisdiction, words: str) -> QuerySet[StaffMember]:
    """Of `staff_of`, those whose name or address holds the words; by name, those who left at the end."""
    found = staff_of(jurisdiction).filter(Q(name__icontains=words) | Q(user__email__icontains=words))
    return found.order_by("-is_active", "name", "pk")


def actor_for_staff(staff: StaffMember) -> Actor:
    """What this person may do in this city; two queries at most. Somebody who has left may do nothing."""
    if not staff.is_active:
        return Actor(ActorKind.STAFF, staff.jurisdiction_id, staff.pk)
    teams = TeamMembership.objects.filter(staff=staff).values_list("team_id", flat=True)
    return Actor(
        ActorKind.STAFF, staff.jurisdiction_id, staff.pk, permissions_of(_known(staff.roles)), frozenset(teams)
    )


def _user(email: str, password: str | None) -> User:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise Invalid(
            "The e-mail address is not one.", fields=[FieldProblem("email", "Write it like name@example.gov.")]
        ) from error
    user = User.objects.filter(email=address).first()
    if user is not None:
        return user
    if password is not None:
        check_password_strength(password)
    return User.objects.create_user(username=address, email=address, password=password)


def check_password_strength(password: str) -> None:
    """Invalid when the settings' validators refuse the password."""
    try:
        validate_password(password)
    except ValidationError as error:
        detail = " ".join(str(message) for message in error.messages)
        raise Invalid(detail, fields=[FieldProblem("password", detail)]) from error


def managed(staff: StaffMember, by: Actor) -> StaffMember:
    """The row, locked, for somebody who manages the accounts of its city."""
    rows = StaffMember.objects.select_related("user").select_for_update(of=("self",))
    found = rows.filter(jurisdiction_id=by.jurisdiction_id, pk=staff.pk).first()
    if found is None:
        raise NotFound("There is no such member of staff.")
    manage(by, found.jurisdiction_id)
    return found


def _join(staff: StaffMember, teams: Sequence[Team]) -> None:
    TeamMembership.objects.bulk_create(
        [TeamMembership(jurisdiction_id=staff.jurisdiction_id, staff=staff, team=team) for team in teams],
        ignore_conflicts=True,
    )


def _teams(jurisdiction_id: int, codes: Iterable[str]) -> list[Team]:
    wanted = list(dict.fromkeys(codes))
    found = {team.code: team for team in Team.objects.filter(jurisdiction_id=jurisdiction_id, code__in=wanted)}
    missing = [code for code in wanted if code not in found]
    if missing:
        raise Invalid(
            f"There is no team {', '.join(missing)} in this city.", fields=[FieldProblem("teams", "unknown team")]
        )
    return [found[code] for code in wanted]


def _department(jurisdiction_id: int, code: str) -> Department:
    department = Department.objects.filter(jurisdiction_id=jurisdiction_id, code=code).first()
    if department is None:
        raise Invalid(f"There is no department {code}.", fields=[FieldProblem("department", "unknown department")])
    return department


def _roles(roles: Iterable[str]) -> list[str]:
    wanted = sorted(set(roles))
    strange = [role for role in wanted if role not in _ROLES]
    if strange or not wanted:
        known = ", ".join(Role)
        detail = f"There is no role {', '.join(strange)}." if strange else "Give at least one role."
        raise Invalid(f"{detail} The roles are {known}.", fields=[FieldProblem("roles", detail)])
    return wanted


def _known(roles: Iterable[str]) -> frozenset[Role]:
    return frozenset(Role(role) for role in roles if role in _ROLES)


# --- Tokens ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_token(
    jurisdiction: Jurisdiction,
    name: str,
    scopes: Iterable[str],
    *,
    by: Actor,
    staff: StaffMember | None = None,
    expires_at: datetime | None = None,
    per_minute: int | None = None,
    at: datetime | None = None,
) -> tuple[Token, str]:
    """A bearer token and its secret, which is shown this once: only its SHA-256 is kept.

    With `staff` it carries that person's authority, never more than the scopes; without, it is an application of its own.
    Nobody gives a scope they do not hold.
    """
    manage(by, jurisdiction.pk)
    at = at or now()
    wanted = _scopes(scopes, by)
    if expires_at is not None and expires_at <= at:
        raise Invalid("The token would have expired already.", fields=[FieldProblem("expires_at", "Lies in the past.")])
    if staff is not None and staff.jurisdiction_id != jurisdiction.pk:
        raise NotFound("There is no such member of staff.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        jurisdiction=jurisdiction,
        name=_text("name", name),
        staff=staff,
        scopes=wanted,
        digest=_digest(secret),
        created_at=at,
        expires_at=expires_at,
        per_minute=per_minute,
    )
    ends = expires_at.isoformat() if expires_at else None
    body = {"scopes": wanted, "staff": staff.pk if staff else None, "expires_at": ends}
    ledger.append("token.created", "token", token.pk, body, by=by, at=at, first=True)
    return token, secret


@transaction.atomic
def revoke_token(token: Token, *, by: Actor, at: datetime | None = None) -> Token:
    """From now on the token opens nothing; revoking twice changes nothing."""
    found = Token.objects.select_for_update().filter(jurisdiction_id=by.jurisdiction_id, pk=token.pk).first()
    if found is None:
        raise NotFound("There is no such token.")
    manage(by, found.jurisdiction_id)
    if found.revoked_at is None:
        found.revoked_at = at or now()
        found.save(update_fields=["revoked_at"])
        ledger.append("token.revoked", "token", found.pk, {}, by=by, at=at)
    return found


def get_token(token_id: int, *, by: Actor) -> Token:
    """A token of the actor's city, or NotFound."""
    token = Token.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=token_id).first()
    if token is None:
        raise NotFound("There is no such token.")
    return token


def tokens_of(jurisdiction: Jurisdiction) -> QuerySet[Token]:
    """The city's tokens with the people they belong to, oldest first."""
    return Token.objects.filter(jurisdiction=jurisdiction).select_related("staff__user").order_by("pk")


def authenticate(secret: str, *, at: datetime | None = None) -> Actor | None:
    """Who stands behind a bearer token, in one query; None when it is unknown, expired, revoked, or its person has left."""
    try:
        return open_token(secret, at=at)
    except Unauthenticated:
        return None


def open_token(secret: str, *, at: datetime | None = None) -> Actor:
    """As `authenticate`, but says why not (Unauthenticated)."""
    row = _row_of(secret) if secret.startswith(TOKEN_PREFIX) else None
    if row is None:
        raise _invalid_token("The token is not known here.")
    if row["revoked_at"] is not None:
        raise _invalid_token("The token was revoked.")
    if row["expires_at"] is not None and row["expires_at"] <= (at or now()):
        raise _invalid_token("The token has expired.")
    scopes = frozenset(row["scopes"])
    if row["staff_id"] is None:
        return Actor(ActorKind.APPLICATION, row["jurisdiction_id"], row["id"], scopes)
    if not row["is_active"]:
        raise _invalid_token("The person the token belongs to does not work here any more.")
    permissions = scopes & permissions_of(_known(row["roles"]))
    return Actor(ActorKind.STAFF, row["jurisdiction_id"], row["staff_id"], permissions, frozenset(row["teams"]))


_BEARER = """
SELECT t.id, t.jurisdiction_id, t.staff_id, t.scopes, t.expires_at, t.revoked_at, s.is_active, s.roles,
       ARRAY(SELECT m.team_id FROM accounts_teammembership m WHERE m.staff_id = t.staff_id) AS teams
FROM accounts_token t LEFT JOIN accounts_staffmember s ON s.id = t.staff_id WHERE t.digest = %s
"""


def _row_of(secret: str) -> dict[str, Any] | None:
    """Plain SQL: every call of the API begins with it, and putting it together as a queryset cost more than asking it."""
    with connection.cursor() as cursor:
        cursor.execute(_BEARER, [_digest(secret)])
        row = cursor.fetchone()
        return None if row is None else dict(zip((column.name for column in cursor.description), row, strict=True))


def _invalid_token(detail: str) -> Unauthenticated:
    return Unauthenticated(detail, extra={"token_error": "invalid_token"})


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _scopes(scopes: Iterable[str], by: Actor) -> list[str]:
    wanted = sorted(set(scopes))
    strange = unknown_scopes(wanted)
    if strange or not wanted:
        detail = f"There is no scope {', '.join(strange)}." if strange else "Give at least one scope."
        raise Invalid(f"{detail} The scopes are {', '.join(PERMISSIONS)}.", fields=[FieldProblem("scopes", detail)])
    beyond = [scope for scope in wanted if not by.may(scope)]
    if beyond:
        raise Forbidden(f"You cannot give what you do not have: {', '.join(beyond)}.")
    return wanted


def manage(by: Actor, jurisdiction_id: int) -> None:
    """Forbidden, unless the actor manages the accounts of this city."""
    if by.jurisdiction_id != jurisdiction_id:
        raise NotFound("There is no such city here.")
    if not by.may("accounts.manage"):
        raise Forbidden("Only an administrator of the city may do this.")


def _text(field: str, value: str) -> str:
    text = value.strip()
    if not text:
        raise Invalid(f"Give a {field}.", fields=[FieldProblem(field, "This may not be empty.")])
    return text
