"""Every address of the site."""

from __future__ import annotations

from allauth.account.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from loop311.site import errors, health, observing
from loop311.site.api import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/desk/"), name="first_page"),
    path("healthz", health.healthz),
    path("metrics", observing.metrics),
    path("api/v1/", api.urls),
    path("desk/sign-in/", LoginView.as_view(), name="account_login"),
    path("desk/sign-out/", LogoutView.as_view(), name="account_logout"),
    path("desk/", include("loop311.desk.urls")),
    path("", include("loop311.notifications.urls")),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
