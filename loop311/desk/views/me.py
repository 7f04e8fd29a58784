"""One's own sign-in: how one proves who one is, where one is signed in, and a password forgotten."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from loop311.accounts import links, sessions
from loop311.accounts.audience import open_to
from loop311.accounts.policies import ANYBODY
from loop311.desk.access import Desk, lacks_second_factor, own_page, show
from loop311.desk.sign_in_forms import ForgotForm, NewPasswordForm
from loop311.kit.problems import Invalid, NotFound


@require_GET
@own_page
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    user = desk.staff.user
    rows = list(Authenticator.objects.filter(user=user).order_by("pk"))
    of_kind = {kind: [row for row in rows if row.type == kind] for kind in Authenticator.Type.values}
    codes = of_kind[Authenticator.Type.RECOVERY_CODES]
    names = {app["provider_id"]: app["name"] for app in settings.IDENTITY_PROVIDERS}
    identities = SocialAccount.objects.filter(user=user).order_by("pk")
    context = {
        "has_password": user.has_usable_password(),
        "app": next(iter(of_kind[Authenticator.Type.TOTP]), None),
        "passkeys": of_kind[Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else None,
        "identities": [names.get(row.provider, row.provider) for row in identities],
        "places": sessions.sessions_of(user, request.session.session_key),
        "lacks_second_factor": lacks_second_factor(request, desk.staff),
    }
    return show(request, desk, "desk/me.html", context)


@require_POST
@own_page
def end_session(request: HttpRequest, desk: Desk, session_id: int) -> HttpResponse:
    if not sessions.end_session(desk.staff.user, session_id):
        raise NotFound(_("You are not signed in there any more."))
    messages.success(request, _("Signed out there."))
    return redirect("mfa_index")


@require_POST
@own_page
def end_other_sessions(request: HttpRequest, desk: Desk) -> HttpResponse:
    sessions.end_other_sessions(desk.staff.user, request.session.session_key)
    messages.success(request, _("Signed out everywhere but here."))
    return redirect("mfa_index")


@open_to(ANYBODY)
@require_http_methods(["GET", "POST"])
@never_cache
def forgot(request: HttpRequest) -> HttpResponse:
    """The answer is the same whether the address is known here or not."""
    form = ForgotForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return show(request, None, "desk/forgot.html", {"form": form}, status=422 if form.is_bound else 200)
    address = form.cleaned_data["email"].lower()
    if ratelimit.consume(request, action="reset_password", key=address):
        links.ask_for_link(address)
    return show(request, None, "desk/forgot.html", {"is_sent": True})


@open_to(ANYBODY)
@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters()
def choose_password(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    try:
        user = links.user_behind(uid, token)
        form = NewPasswordForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            context = {"form": form, "address": user.email}
            return show(request, None, "desk/choose_password.html", context, status=422 if form.is_bound else 200)
        links.choose_password(uid, token, form.cleaned_data["password"])
    except NotFound as problem:
        return show(request, None, "desk/link_used.html", {"problem": problem}, status=404)
    except Invalid as problem:
        form.add_problem(problem)
        context = {"form": form, "address": user.email}
        return show(request, None, "desk/choose_password.html", context, status=422)
    get_adapter().logout(request)
    messages.success(request, _("Your password is set. Sign in with it."))
    return redirect("account_login")
