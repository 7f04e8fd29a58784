"""A filing over Open311: its arguments become what every other door files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from loop311.catalog.definitions import Open311Type, Service
from loop311.catalog.index import CatalogueIndex
from loop311.georeport.model import CreateResult
from loop311.interactions.policies import Channel
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, system
from loop311.kit.problems import Forbidden, WrongMediaType
from loop311.open311 import arguments, offering, services
from loop311.open311.arguments import Arguments
from loop311.open311.policies import refuse
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.residents import services as residents
from loop311.residents.models import Resident

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def check_form(request: HttpRequest) -> None:
    """A form, over TLS where the deployment has it: a key that came in the clear is not taken, and nothing is redirected."""
    check_secure(request)
    if request.content_type not in _FORMS:
        raise WrongMediaType("Send a form: application/x-www-form-urlencoded or multipart/form-data.")


def check_secure(request: HttpRequest) -> None:
    if settings.BASE_URL.startswith("https://") and not request.is_secure():
        raise Forbidden("Send this over https; the key you sent should be replaced.")


@dataclass(frozen=True, slots=True)
class Result:
    request: Request
    service: Service
    token: str


def file(request: HttpRequest, city: Jurisdiction, index: CatalogueIndex, by: Actor) -> Result:
    """The request that was filed; with the same Idempotency-Key the same one again."""
    code = request.POST.get("service_code", "").strip()
    if not code:
        raise refuse("service_code", "service_code is missing.")
    service = offering.service_of(index, code)
    given = arguments.read(request, city, service)
    kept = requests.receive(city.pk, given.uploads)
    key = request.headers.get("Idempotency-Key") or None
    with transaction.atomic():
        filed = requests.file(city, _filing(given, service, city, by), by=by, key=key)
        if kept:
            requests.attach_received(filed, kept, by=_showing(by), proves=False, key=key)
        _tell_the_team(filed, service, given.others, city)
        services.remember_photos(filed, given.links, by=by)
        noted = services.note(
            filed,
            by=by,
            with_token=service.open311 is Open311Type.BATCH,
            account_id=given.account_id,
            device_id=given.device_id,
        )
    requests.settle(city.pk, kept)
    return Result(filed, service, noted.token if noted else "")


def _filing(given: Arguments, service: Service, city: Jurisdiction, by: Actor) -> requests.Filing:
    return requests.Filing(
        service_code=service.code,
        answers=given.answers,
        description=given.description,
        address=given.spot.address,
        latitude=given.spot.latitude,
        longitude=given.spot.longitude,
        channel=Channel.API,
        knows_conditions=False,
        language=given.language,
        resident=_resident(given, city, by),
    )


def _resident(given: Arguments, city: Jurisdiction, by: Actor) -> Resident | None:
    """Who reports, when there is a way to reach them; a name alone is nobody we could tell the end."""
    if not given.points:
        return None
    return residents.recognise(city, by=by, name=given.name, contact_points=given.points)


def _showing(by: Actor) -> Actor:
    """Who may file may show the problem in the same breath."""
    return replace(by, permissions=by.permissions | {"requests.add_evidence", "requests.comment"})


def _tell_the_team(filed: Request, service: Service, others: dict[str, list[str]], city: Jurisdiction) -> None:
    """What was sent for questions that the service does not ask, and what it asks that was not answered. The public does not read
    it."""
    lines = [f"{code}: {', '.join(values)}" for code, values in others.items()]
    said = ["Sent along over Open311:", *lines] if lines else []
    open_ = offering.unanswered(service, filed.answers, city.languages)
    if open_:
        said += ["Not answered over Open311, which cannot say that these follow from other answers:", *open_]
    if said:
        text = "\n".join(said)[:20_000]
        requests.comment(filed, text=text, by=system(city.pk), key=f"open311-others-{filed.pk}")


def answer(result: Result, index: CatalogueIndex, language: str) -> CreateResult:
    """The number, or the token, or neither, as the service's type has it."""
    said = _notice(index, result.service, result.request, language)
    told = {"service_notice": said} if said else {}
    if result.service.open311 is Open311Type.REALTIME:
        told["service_request_id"] = result.request.number
    elif result.token:
        told["token"] = result.token
    return CreateResult(**told)


def _notice(index: CatalogueIndex, service: Service, request: Request, language: str) -> str:
    """What the sender should hear at once: the advice of the answers that were given."""
    said = [
        index.text(choice.advice, language)
        for question in service.questions
        for choice in question.choices
        if choice.advice and choice.code in _chosen(request.answers.get(question.code))
    ]
    return " ".join(filter(None, said))


def _chosen(answer: object) -> list[object]:
    return answer if isinstance(answer, list) else [answer]
