"""Codes of authenticator apps: each is taken once, however often its time window lets it pass."""

from __future__ import annotations

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django.core.cache import cache

_REMEMBERED = 120
"""Seconds; longer than a code passes."""


class _Once:
    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]  # of the forms below
        digits = "".join(filter(str.isalnum, code))
        if not cache.add(f"loop311:code:{self.user.pk}:{digits}", 1, _REMEMBERED):  # type: ignore[attr-defined]
            raise get_adapter().validation_error("incorrect_code")
        return code


class OnceForm(_Once, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """At the sign-in."""


class OnceAgainForm(_Once, ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    """Before factors are changed."""
