"""The address that departments' systems call: signed, young, each call once."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from loop311.accounts.audience import open_to
from loop311.accounts.policies import ANYBODY
from loop311.kit.clock import now
from loop311.kit.problems import Malformed, Problem, TooLarge
from loop311.workorders import services, working
from loop311.workorders.connectors.base import Report, Unreadable
from loop311.workorders.models import Link
from loop311.workorders.services import calling

LARGEST = 256_000
"""Bytes of a call."""


@require_POST
@csrf_exempt  # no cookie is ever read: the signature says who calls
@open_to(ANYBODY)
def called(request: HttpRequest, address: str) -> HttpResponse:
    """202 with what became of it; the very same call again is answered and changes nothing."""
    try:
        return _take(request, calling.link_at(address))
    except Problem as problem:
        return JsonResponse({"error": problem.detail}, status=problem.status)


def _take(request: HttpRequest, link: Link) -> HttpResponse:
    at = now()
    if int(request.headers.get("Content-Length") or 0) > LARGEST:
        raise TooLarge(f"A call has at most {LARGEST} bytes.")
    body = request.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise TooLarge(f"A call has at most {LARGEST} bytes.")
    identity = calling.check(link, request.headers, body, at)
    reports = _read(link, request, body)
    with transaction.atomic():  # both or neither: a call that was half taken comes again
        if not services.take_call(link, identity, at):
            return JsonResponse({"became": [], "duplicate": True})
        became = [_became(link, report, at) for report in reports]
    return JsonResponse({"became": became, "duplicate": False}, status=202)


def _became(link: Link, report: Report, at: datetime) -> str:
    """Whoever names a record that leads nowhere hears it at once: nobody else would ever notice."""
    became = services.hear(link, report, at)
    if became is None:
        return "nothing" if services.is_ours(link, report) else "not_ours"
    return became


def _read(link: Link, request: HttpRequest, body: bytes) -> list[Report]:
    with working.speaking(link) as connector:
        try:
            return list(connector.receive(request.headers, body))
        except Unreadable as error:
            raise Malformed(str(error)) from error
