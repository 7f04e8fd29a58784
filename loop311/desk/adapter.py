"""How people come in: only those whom an administrator has taken on. What allauth asks of a site is answered here."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from loop311.accounts import lockout
from loop311.accounts.memberships import works_here
from loop311.accounts.models import User
from loop311.kit.secrets import Sealer


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Nobody makes an account for themselves; accounts.services.create_staff does."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "too_many_login_attempts": gettext_lazy("Too many wrong tries. Wait some minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts the try; a sentence that is the same whether the account exists or not."""
        try:
            lockout.admit(_account(credentials), self.get_client_ip(request))
        except lockout.Locked as locked:
            raise ValidationError(_too_many(locked.minutes), code="locked") from locked

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The right password of somebody who works nowhere (any more) is answered like a wrong one."""
        user = super().authenticate(request, **credentials)
        if not isinstance(user, User) or not works_here(user):
            return None
        lockout.passed(_account(credentials), self.get_client_ip(request))
        return user

    def reauthenticate(self, user: User, password: str) -> bool:
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def pre_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse | None:
        """However somebody proved who they are: they must work here."""
        if works_here(user) and user.is_active:
            return None
        messages.error(request, _("You do not work for a city here. Ask your administrator."))
        return redirect("account_login")

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/desk/me/"


def _account(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "")


def _too_many(minutes: int) -> str:
    return ngettext(
        "Too many wrong tries. Try again in %(minutes)s minute, or ask an administrator to let you in sooner.",
        "Too many wrong tries. Try again in %(minutes)s minutes, or ask an administrator to let you in sooner.",
        minutes,
    ) % {"minutes": minutes}


class FactorsAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets of authenticator apps and recovery codes are sealed with the deployment's key."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This code or key was not accepted. Try again, or use another way."),
    }

    def encrypt(self, text: str) -> str:
        return Sealer(settings.SECRET_KEY, "second factors").seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return Sealer(settings.SECRET_KEY, "second factors").open(encrypted_text)

    def get_totp_issuer(self) -> str:
        return f"Loop311 {context.request.get_host().partition(':')[0]}"

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's own name for it
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey") if number == 1 else _("Passkey {number}").format(number=number)


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Signing in at the city's identity provider: only people who work here, found by an address the provider vouches for."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        sociallogin.account.extra_data = {}  # what the provider knows of the person is not kept
        user: User = super().populate_user(request, sociallogin, data)
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The first time the provider's identity is bound to the person; from then on the identity alone counts."""
        if sociallogin.is_existing:
            return
        user = self._colleague(sociallogin)
        if user is None:
            raise ImmediateHttpResponse(render(request, "desk/nobody.html", status=403))
        if SocialAccount.objects.filter(user=user, provider=sociallogin.account.provider).exists():
            raise ImmediateHttpResponse(render(request, "desk/nobody.html", {"is_other": True}, status=403))
        sociallogin.connect(request, user)

    def _colleague(self, sociallogin: SocialLogin) -> User | None:
        for address in sociallogin.email_addresses:
            if address.verified:
                user = User.objects.filter(email=address.email.strip().lower()).first()
                if user is not None and works_here(user):
                    return user
        return None

    def is_email_verified(self, provider: Any, email: str) -> bool:
        """Some providers do not say whether an address is verified; the deployment names the domains they answer for."""
        return email.rpartition("@")[2].lower() in provider.app.settings["verified_domains"]
