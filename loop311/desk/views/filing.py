"""Taking a request down, page after page, without scripts: service, questions, place and resident. Also: another service."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from loop311.catalog.definitions import Service
from loop311.desk import filing, placing, reading
from loop311.desk.access import Desk, desk_page, show
from loop311.desk.asking import QuestionForm
from loop311.desk.filing import DetailsForm
from loop311.desk.placing import Position
from loop311.kit.problems import Conflict, FieldProblem, Invalid
from loop311.places.geocoding import Candidate
from loop311.requests import services
from loop311.requests.policies import State
from loop311.requests.sentences import say


@require_GET
@desk_page("requests.file")
def picker(request: HttpRequest, desk: Desk) -> HttpResponse:
    words = request.GET.get("q", "").replace("\x00", "")[:200]
    context = {"groups": filing.picker(desk, words), "words": words, "resident": request.GET.get("resident", "")}
    return show(request, desk, "desk/picker.html", context)


@require_http_methods(["GET", "POST"])
@desk_page("requests.file")
def file(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Questions until none is left, then the details, then it is filed."""
    service = filing.offered(desk, code)
    data = request.POST if request.method == "POST" else None
    questions = QuestionForm(service, desk.language, data)
    if service.questions and not (questions.is_complete and questions.is_valid()):
        return _ask(request, desk, service, questions)
    if data is None or "key" not in data:
        blank = {
            "key": str(uuid.uuid4()),
            "resident": _whole(request.POST.get("resident") or request.GET.get("resident")),
        }
        return _details(request, desk, service, questions, DetailsForm(desk, service, initial=blank))
    return _file_or_mend(request, desk, service, questions, DetailsForm(desk, service, data))


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _ask(request: HttpRequest, desk: Desk, service: Service, questions: QuestionForm) -> HttpResponse:
    wrong = questions.is_complete and bool(questions.errors)
    context = {"service": service, "name": say(service.names, desk.language, service.code), "form": questions,
               "resident": request.POST.get("resident") or request.GET.get("resident", "")}  # fmt: skip
    return show(request, desk, "desk/questions.html", context, status=422 if wrong else 200)


def _details(
    request: HttpRequest,
    desk: Desk,
    service: Service,
    questions: QuestionForm,
    form: DetailsForm,
    status: int = 200,
    position: Position | None = None,
) -> HttpResponse:
    context = {"service": service, "name": say(service.names, desk.language, service.code), "form": form,
               "carried": questions.carried(), "advice": questions.advice(),
               "panel": placing.panel(desk, service, questions.answers, position), "chosen": form["leading"].value()}  # fmt: skip
    return show(request, desk, "desk/details.html", context, status=status)


def _file_or_mend(
    request: HttpRequest, desk: Desk, service: Service, questions: QuestionForm, form: DetailsForm
) -> HttpResponse:
    """Filed, or the page again: with what the address may mean, or with what must be mended."""
    address = request.POST.get("address", "")[:300].replace("\x00", "")
    form.offer_places(found := filing.places(desk, address))
    if "search" in request.POST or (found and _is_unplaced(request.POST, address)):
        return _look(request, desk, service, questions, address, found)
    if not form.is_valid():
        return _details(request, desk, service, questions, form, 422, _pointed(request.POST))
    try:
        with transaction.atomic():  # a resident is written down only together with the request
            filed = filing.file(desk, service, questions.answers, form.cleaned_data)
    except (Invalid, Conflict) as problem:
        form.add_problem(_at_fields(problem))
        return _details(request, desk, service, questions, form, problem.status, _pointed(request.POST))
    messages.success(request, _("Filed. The resident's number is {number}.").format(number=filed.number))
    return redirect("desk:receipt" if filed.state == State.HANDED_OVER else "desk:request", number=filed.number)


def _is_unplaced(data: QueryDict, address: str) -> bool:
    """Nobody has said yet which of the places found is meant."""
    return not data.get("place") and data.get("searched") != address and _pointed(data) is None


def _look(
    request: HttpRequest, desk: Desk, service: Service, questions: QuestionForm, address: str, found: list[Candidate]
) -> HttpResponse:
    """What the address may mean, the likeliest chosen already."""
    place = _likeliest(found)
    looked = DetailsForm(desk, service, initial={**request.POST.dict(), "searched": address, "place": place})
    looked.offer_places(found)
    likely = (found[0].latitude, found[0].longitude) if found else _pointed(request.POST)
    return _details(request, desk, service, questions, looked, position=likely)


def _pointed(data: QueryDict) -> Position | None:
    """Where the form points to; nothing wrong is said here, the form says it."""
    try:
        return filing.position_in(data)
    except Invalid:
        return None


def _likeliest(found: list[Candidate]) -> str:
    return filing.written(found[0]) if found else ""


def _at_fields(problem: Invalid | Conflict) -> Invalid:
    """The service's names of fields as this page has them."""
    here = {"latitude": "address", "longitude": "address"}
    faults = {here.get(f.field, "phone" if "contact_points" in f.field else f.field): f.detail for f in problem.fields}
    return Invalid(problem.detail, fields=[FieldProblem(field, detail) for field, detail in faults.items()])


@require_http_methods(["GET", "POST"])
@desk_page("requests.change_service")
def change_service(request: HttpRequest, desk: Desk, number: str) -> HttpResponse:
    """First the new service, then its questions; number, history and the first promise stay."""
    found = reading.find(desk, number)
    code = request.POST.get("service") or request.GET.get("service")
    if not code:
        context = {"request_row": found, "groups": filing.picker(desk, ""), "words": ""}
        return show(request, desk, "desk/change_service.html", context)
    service = filing.offered(desk, code)
    questions = QuestionForm(service, desk.language, request.POST if request.method == "POST" else None)
    ready = request.method == "POST" and (not service.questions or (questions.is_complete and questions.is_valid()))
    context = {"request_row": found, "service": service, "form": questions,
               "name": say(service.names, desk.language, service.code),
               "version": _whole(request.POST.get("version")) or found.version}  # fmt: skip
    if not ready:
        wrong = questions.is_complete and bool(questions.errors)
        return show(request, desk, "desk/change_questions.html", context, status=422 if wrong else 200)
    try:
        services.change_service(
            found, service_code=service.code, answers=questions.answers, by=desk.actor,
            version=_whole(request.POST.get("version")),
        )  # fmt: skip
    except (Invalid, Conflict) as problem:
        return show(request, desk, "desk/change_questions.html", {**context, "problem": problem, "version": found.version},
                    status=problem.status)  # fmt: skip
    messages.success(request, _("The service was changed. Number, history and first promise stay."))
    return redirect("desk:request", number=found.number)
