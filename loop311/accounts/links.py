"""Links to choose a password, for newcomers and those who forgot theirs. Nothing is stored: a link carries its own proof,
works for three days (PASSWORD_RESET_TIMEOUT), and no more once the password has changed or somebody signed in. Part of this
room's services."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.utils.http import base36_to_int, int_to_base36

from loop311.accounts.factors import note_own_change
from loop311.accounts.lockout import passed
from loop311.accounts.memberships import works_here
from loop311.accounts.models import StaffMember, User
from loop311.accounts.services import check_password_strength, managed
from loop311.kit.actor import Actor, system
from loop311.kit.problems import Conflict, NotFound
from loop311.ledger import services as ledger


class _Links(PasswordResetTokenGenerator):
    key_salt = "loop311.accounts.links"


_links = _Links()


def password_link(staff: StaffMember) -> str:
    """The whole address; whoever opens it chooses the password. A second factor stays needed."""
    user = staff.user
    return f"{settings.BASE_URL}/desk/password/{int_to_base36(user.pk)}/{_links.make_token(user)}/"


def user_behind(uid: str, token: str) -> User:
    """Whose link this is; NotFound when it was used, is too old, or its person works here no more."""
    try:
        user = User.objects.filter(pk=base36_to_int(uid)).first()
    except (ValueError, OverflowError):
        user = None
    if user is None or not _links.check_token(user, token) or not works_here(user):
        raise NotFound("This link was used already or is too old. Ask for a new one.")
    return user


@transaction.atomic
def choose_password(uid: str, token: str, password: str) -> User:
    """The holder of the link has this password from now on, is signed out everywhere, and may try at once."""
    user = User.objects.select_for_update().get(pk=user_behind(uid, token).pk)
    user_behind(uid, token)
    _set(user, password)
    note_own_change(user, "staff.password_changed", {})
    return user


@transaction.atomic
def set_password(staff: StaffMember, password: str, *, by: Actor) -> StaffMember:
    """For the command of whoever runs the server; at the desk people choose their own by a link."""
    staff = managed(staff, by)
    _set(staff.user, password)
    ledger.append("staff.password_changed", "staff", staff.pk, {}, by=by)
    return staff


def _set(user: User, password: str) -> None:
    check_password_strength(password)
    user.set_password(password)
    user.save(update_fields=["password"])
    passed(user.email, "")


@transaction.atomic
def invite(staff: StaffMember, *, by: Actor) -> StaffMember:
    """Send the person a link to choose a password; the message follows from the event."""
    staff = managed(staff, by)
    if not staff.is_active:
        raise Conflict("This person does not work here any more.")
    ledger.append("staff.link_asked", "staff", staff.pk, {}, by=by)
    return staff


@transaction.atomic
def ask_for_link(email: str) -> None:
    """Somebody says they forgot their password. Nothing is said of whether the address is known here."""
    staff = StaffMember.objects.filter(user__email=email.strip().lower(), is_active=True).order_by("pk").first()
    if staff is not None and works_here(staff.user):
        ledger.append("staff.link_asked", "staff", staff.pk, {}, by=system(staff.jurisdiction_id))
