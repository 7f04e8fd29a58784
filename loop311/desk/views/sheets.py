"""Work sheets, to print."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from loop311.desk.access import Desk, desk_page, show
from loop311.desk.sheets import sheets


@require_GET
@desk_page("requests.read")
def picked(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Of the picked rows of a queue ('number:version'), or of plain numbers."""
    numbers = [value.partition(":")[0] for value in request.GET.getlist("pick")]
    return show(request, desk, "desk/sheets.html", {"sheets": sheets(desk, numbers)})
