"""Addresses of coming in and of one's own sign-in: allauth's views under its own names, in our frame."""

from __future__ import annotations

from allauth.account.views import LoginView, LogoutView, PasswordChangeView, ReauthenticateView
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as social
from allauth.socialaccount.providers.openid_connect import views as providers
from django.urls import path
from django.views.decorators.cache import never_cache

from loop311.accounts.audience import open_to
from loop311.accounts.policies import SIGNED_IN
from loop311.desk.doors import entrance, own
from loop311.desk.views import me

urlpatterns = [
    path("sign-in/", entrance(LoginView.as_view()), name="account_login"),
    path("sign-in/code/", entrance(mfa.authenticate), name="mfa_authenticate"),
    path("sign-in/passkey/", entrance(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("sign-in/with/<slug:provider_id>/", entrance(providers.login), name="openid_connect_login"),
    path("sign-in/with/<slug:provider_id>/back/", entrance(providers.callback), name="openid_connect_callback"),
    path("sign-in/cancelled/", entrance(social.login_cancelled), name="socialaccount_login_cancelled"),
    path("sign-out/", open_to(SIGNED_IN)(never_cache(LogoutView.as_view())), name="account_logout"),
    path("forgot/", me.forgot, name="forgot"),
    path("password/<slug:uid>/<slug:token>/", me.choose_password, name="choose_password"),
    path("me/", me.index, name="mfa_index"),
    path("me/password/", own(PasswordChangeView.as_view()), name="account_change_password"),
    path(
        "me/password/none/", me.index, name="account_set_password"
    ),  # where allauth leads who has none: a link is sent
    path("me/confirm/", own(ReauthenticateView.as_view()), name="account_reauthenticate"),
    path("me/confirm/code/", own(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("me/confirm/passkey/", own(passkeys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("me/app/", own(totp.activate_totp), name="mfa_activate_totp"),
    path("me/app/remove/", own(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("me/codes/", own(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("me/codes/new/", own(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("me/codes/file/", own(codes.download_recovery_codes), name="mfa_download_recovery_codes"),
    path("me/passkeys/", me.index, name="mfa_list_webauthn"),
    path("me/passkeys/add/", own(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("me/passkeys/<int:pk>/", own(passkeys.edit_webauthn), name="mfa_edit_webauthn"),
    path("me/passkeys/<int:pk>/remove/", own(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path("me/sessions/end/", me.end_other_sessions, name="end_other_sessions"),
    path("me/sessions/<int:session_id>/end/", me.end_session, name="end_session"),
]
