"""What allauth reports of its own rows, written into the ledger. It reports by signals only, so here alone signals are heard."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, user_logged_in
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.socialaccount.signals import social_account_added

from loop311.accounts.factors import note_own_change
from loop311.accounts.models import User


def connect() -> None:
    """Called once, when the room is ready."""
    authenticator_added.connect(_added, dispatch_uid="loop311")
    authenticator_removed.connect(_removed, dispatch_uid="loop311")
    authenticator_reset.connect(_renewed, dispatch_uid="loop311")
    password_changed.connect(_password, dispatch_uid="loop311")
    social_account_added.connect(_identity, dispatch_uid="loop311")
    user_logged_in.connect(_signed_in, dispatch_uid="loop311")


def _added(user: User, authenticator: Authenticator, **_: Any) -> None:
    note_own_change(user, "staff.factor_added", {"factor": str(authenticator.type)})


def _removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    note_own_change(user, "staff.factor_removed", {"factor": str(authenticator.type)})


def _renewed(user: User, authenticator: Authenticator, **_: Any) -> None:
    note_own_change(user, "staff.factor_added", {"factor": str(authenticator.type)})


def _password(user: User, **_: Any) -> None:
    note_own_change(user, "staff.password_changed", {})


def _identity(sociallogin: Any, **_: Any) -> None:
    note_own_change(sociallogin.user, "staff.factor_added", {"factor": f"provider:{sociallogin.account.provider}"})


def _signed_in(request: Any, user: User, **_: Any) -> None:
    records = request.session.get("account_authentication_methods") or []
    how = [str(each.get("type") or each.get("method")) for each in records]
    note_own_change(user, "staff.signed_in", {"how": how})
