"""How people come in: only those whom an administrator has taken on."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Nobody makes an account for themselves; accounts.services.create_staff does."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
