"""allauth's own pages in our frame: a desk for the header, fields as the design system has them, 422 for what must be mended."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from requests import RequestException

from loop311.accounts.audience import open_to
from loop311.accounts.policies import ANYBODY
from loop311.desk.access import Desk, own_page
from loop311.desk.forms import dress

Door = Callable[..., HttpResponseBase]


def entrance(view: Door) -> Door:
    """A page on the way in: nobody is known yet."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return _framed(request, None, view(request, *args, **kwargs))
        except RequestException:  # the identity provider is away
            return render(request, "socialaccount/authentication_error.html", status=503)

    return open_to(ANYBODY)(never_cache(page))


def own(view: Door) -> Door:
    """A page of somebody's own settings."""

    @wraps(view)
    def page(request: HttpRequest, desk: Desk, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return _framed(request, desk, view(request, *args, **kwargs))
        except PermissionDenied:  # nothing to confirm with, or codes shown already
            return redirect("mfa_index")

    return own_page(page)


def _framed(request: HttpRequest, desk: Desk | None, response: HttpResponseBase) -> HttpResponseBase:
    if not isinstance(response, TemplateResponse) or response.is_rendered:
        return response
    context = response.context_data or {}
    forms = [each for each in context.values() if isinstance(each, BaseForm)]
    for form in forms:
        for field in form.fields.values():
            dress(field)
    if request.method == "POST" and response.status_code == 200 and any(form.errors for form in forms if form.is_bound):
        response.status_code = 422
    response.context_data = {**context, "desk": desk}
    return response.render()  # now, while times are the city's
