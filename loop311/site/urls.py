"""Every address of the site."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from loop311.accounts.audience import open_to
from loop311.accounts.policies import ANYBODY
from loop311.site import errors, health, observing
from loop311.site.api import api, openapi

urlpatterns: list[URLPattern | URLResolver] = [
    path("", open_to(ANYBODY)(RedirectView.as_view(url="/desk/")), name="first_page"),
    path("healthz", open_to(ANYBODY)(health.healthz)),
    path("metrics", open_to(ANYBODY)(observing.metrics)),
    path("api/v1/openapi.json", open_to(ANYBODY)(openapi)),
    path("api/v1/", api.urls),
    path("open311/", include("loop311.open311.urls")),
    path("desk/", include("loop311.desk.sign_in_urls")),
    path("desk/", include("loop311.desk.urls")),
    path("hooks/workorders/", include("loop311.workorders.urls")),
    path("", include("loop311.notifications.urls")),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
