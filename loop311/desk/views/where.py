"""Where: addresses as they are typed, the map's drawings, what the city makes of a point, and the receipt."""

from __future__ import annotations

import dataclasses
from functools import partial

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from loop311.desk import filing, placing, reading
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.asking import QuestionForm
from loop311.kit.problems import Invalid
from loop311.places import drawing
from loop311.requests.receipts import receipt as receipt_of


@require_GET
@desk_page("places.read")
def suggest(request: HttpRequest, desk: Desk) -> HttpResponse:
    text = request.GET.get("q", "").replace("\x00", "")[:200]
    return JsonResponse(placing.suggestions(desk, text), safe=False)


@require_GET
@desk_page("places.read")
def city_map(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What a map begins with; names of areas and streets are fetched from the addresses named here."""
    found = drawing.city_map(desk.city.pk)
    layers = [
        {**dataclasses.asdict(layer), "url": reverse("desk:map_areas", args=[layer.version])} for layer in found.layers
    ]
    streets = reverse("desk:map_streets", args=[found.streets]) if found.streets else ""
    return JsonResponse({**dataclasses.asdict(found), "layers": layers, "streets": streets})


@require_GET
@desk_page("places.read", may_be_kept=True)
def map_areas(request: HttpRequest, desk: Desk, version: int) -> HttpResponse:
    found = drawing.version_of(desk.city.pk, version, "areas")
    return drawing.kept(request, f"areas-{found}", partial(drawing.areas_drawn, desk.city.pk, found))


@require_GET
@desk_page("places.read", may_be_kept=True)
def map_streets(request: HttpRequest, desk: Desk, version: int) -> HttpResponse:
    found = drawing.version_of(desk.city.pk, version, "streets")
    return drawing.kept(request, f"streets-{found}", partial(drawing.streets_main, desk.city.pk, found))


@require_GET
@desk_page("places.read", may_be_kept=True)
def map_cell(request: HttpRequest, desk: Desk, version: int, x: int, y: int) -> HttpResponse:
    found = drawing.version_of(desk.city.pk, version, "streets")
    x, y = min(x, 20_000), min(y, 20_000)
    return drawing.kept(request, f"streets-{found}-{x}-{y}", partial(drawing.streets_cell, desk.city.pk, found, x, y))


@require_GET
@desk_page("requests.read")
def around(request: HttpRequest, desk: Desk) -> HttpResponse:
    here = placing.position(request.GET.get("latitude"), request.GET.get("longitude"))
    if here is None:
        raise Invalid("Give latitude and longitude.")
    return JsonResponse(placing.around(desk, here))


@require_POST
@desk_page("requests.file")
def panel(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """The part of the filing page that depends on the place, by itself. Nothing is saved."""
    service = filing.offered(desk, code)
    answers = QuestionForm(service, desk.language, request.POST).answers
    found = placing.panel(desk, service, answers, filing.position_in(request.POST))
    chosen = request.POST.get("leading", "")
    return show(request, desk, "desk/where/_panel.html", {"panel": found, "chosen": chosen})


@require_GET
@desk_page("requests.read")
def receipt(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    """To print or to send, in one of the city's languages: the caller's own where it is known."""
    found = reading.find(desk, number)
    own = found.resident.language if found.resident else ""
    wanted = request.GET.get("language", own)
    language = wanted if wanted in desk.city.languages else desk.language
    context = {"receipt": receipt_of(found, language), "request_row": found, "languages": desk.city.languages}
    return show(request, desk, "desk/receipt.html", context)
