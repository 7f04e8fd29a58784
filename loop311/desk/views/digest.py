"""One's own daily e-mail: whether, and at which hour."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from loop311.desk.access import Desk, own_page, show
from loop311.desk.queue.forms import DigestForm
from loop311.notifications import services


@require_http_methods(["GET", "POST"])
@own_page
def choose(request: HttpRequest, desk: Desk) -> HttpResponse:
    if request.method == "POST":
        form = DigestForm(request.POST)
        if form.is_valid():
            chosen = form.cleaned_data
            services.choose_digest(desk.staff, is_wanted=chosen["is_wanted"], hour=chosen["hour"], by=desk.actor)
            messages.success(request, _("Kept."))
            return redirect("desk:digest")
        return show(request, desk, "desk/digest.html", {"form": form}, status=422)
    choice = services.digest_choice(desk.staff)
    form = DigestForm(initial={"is_wanted": choice.is_wanted, "hour": choice.hour})
    return show(request, desk, "desk/digest.html", {"form": form})
