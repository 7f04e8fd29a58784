"""The catalogue over the API: what can be asked for now, and its versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from loop311.accounts.api import require
from loop311.catalog import services
from loop311.catalog.checks import check
from loop311.catalog.definitions import Question, Service
from loop311.catalog.files import plain_values, read_values
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.models import CatalogueVersion
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.api import Input, Prose, When, Window
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid, NotFound

router = Router(tags=["catalogue"])

Code = Annotated[str, Field(max_length=80)]
Language = Annotated[
    str, Field(max_length=35, description="Texts in this language where there are any, else the first.")
]
Words = Annotated[
    str,
    Field(
        max_length=2000, description="A resident's own words in any of the city's languages; also only the beginning."
    ),
]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


# --- Services -------------------------------------------------------------------------------------------------------------


class ServiceHead(BaseModel):
    code: str
    name: str
    description: str
    keywords: list[str]
    group: str
    group_name: str
    department: str
    place: str = Field(description="required, optional or none")
    publicity: str = Field(description="What a public map may show: exact, block or hidden")


class ServiceOut(ServiceHead):
    questions: int = Field(description="How many; the service itself lists them.")


class ChoiceOut(BaseModel):
    code: str
    text: str
    advice: str = Field(description="What to tell the resident who chooses this; may be empty.")
    emergency: bool = Field(description="Somebody is in danger now: end with 911.")


class QuestionOut(BaseModel):
    code: str
    datatype: str
    text: str
    help: str
    required: bool
    safety: bool = Field(description="Asked before everything else.")
    private: bool
    choices: list[ChoiceOut]
    when: list[dict[str, Any]] = Field(description="Asked only when all of these hold for earlier answers.")
    max_length: int
    minimum: float | None
    maximum: float | None


class OutcomeOut(BaseModel):
    code: str
    ending: str = Field(description="done or declined")
    text: str


class WholeService(ServiceHead):
    questions: list[QuestionOut]
    outcomes: list[OutcomeOut]
    stop_reasons: list[str] = Field(description="For which the clock may stop.")
    dispute_days: int
    version: int = Field(description="Of the catalogue this was read from.")


@router.get(
    "/services", response=list[ServiceOut], summary="What can be asked for now; with `q`, what the words fit best"
)
def list_services(request: HttpRequest, language: Language = "", q: Words = "") -> list[ServiceOut]:
    who = require(request, "catalog.read")
    version, index = services.current(who.jurisdiction_id)
    found = services.finder_of(version.pk).find(q) if q.strip() else None
    listed = index.offered() if found is None else [index.services[each.code] for each in found]
    return [ServiceOut(**_head(service, index, language), questions=len(service.questions)) for service in listed]


@router.get("/services/{code}", response=WholeService, summary="One service with its questions and outcomes")
def one_service(request: HttpRequest, code: Code, language: Language = "") -> WholeService:
    who = require(request, "catalog.read")
    version, index = services.current(who.jurisdiction_id)
    service = index.services.get(code)
    if service is None or service.historical:
        raise NotFound("There is no such service in the catalogue in force.")
    promise = index.promise_of(service)
    return WholeService(
        **_head(service, index, language),
        questions=[_question(question, index, language) for question in service.questions],
        outcomes=[
            OutcomeOut(code=one.code, ending=one.ending, text=index.text(one.texts, language))
            for one in index.outcomes_of(service)
        ],
        stop_reasons=list(promise.stop_reasons) if promise else [],
        dispute_days=service.dispute_days,
        version=version.number,
    )


def _head(service: Service, index: CatalogueIndex, language: str) -> dict[str, Any]:
    """What a service in the list and a service by itself have in common."""
    return {
        "code": service.code,
        "name": index.text(service.names, language),
        "description": index.text(service.descriptions, language),
        "keywords": list(service.keywords.get(language or index.languages[0], ())),
        "group": service.group,
        "group_name": index.text(index.groups[service.group].names, language),
        "department": service.department,
        "place": service.place.value,
        "publicity": service.publicity.value,
    }


def _question(question: Question, index: CatalogueIndex, language: str) -> QuestionOut:
    return QuestionOut(
        code=question.code,
        datatype=question.datatype,
        text=index.text(question.texts, language),
        help=index.text(question.help, language),
        required=question.required,
        safety=question.safety,
        private=question.private,
        choices=[
            ChoiceOut(
                code=choice.code,
                text=index.text(choice.texts, language),
                advice=index.text(choice.advice, language),
                emergency=choice.emergency,
            )
            for choice in question.choices
        ],
        when=[plain_values(condition) for condition in question.when],
        max_length=question.max_length,
        minimum=question.minimum,
        maximum=question.maximum,
    )


# --- Versions -------------------------------------------------------------------------------------------------------------


class VersionOut(BaseModel):
    number: int
    effective_at: datetime
    published_at: datetime
    note: str
    digest: str = Field(description="SHA-256 of the canonical document.")


class VersionList(BaseModel):
    items: list[VersionOut]
    in_force: int | None = Field(description="Number of the version in force now.")
    next: int | None = Field(description="Send it as `after` for the next window; null at the end.")


class WholeVersion(VersionOut):
    document: dict[str, Any] = Field(description="The catalogue, as in its YAML files.")


class FindingOut(BaseModel):
    level: str = Field(description="error: cannot be published; warning: probably not meant")
    path: str
    sentence: str


class Checked(BaseModel):
    services: int
    findings: list[FindingOut]


class DocumentIn(Input):
    document: dict[str, Any] = Field(description="A whole catalogue, as in its YAML files.")


class PublicationIn(DocumentIn):
    effective_at: When | None = Field(None, description="When it takes effect; now unless said.")
    note: Prose = Field("", description="Why, for the list of versions.")


@router.get("/catalogue/versions", response=VersionList, summary="The catalogue's versions, newest first")
def list_versions(request: HttpRequest, window: Query[Window]) -> VersionList:
    who = require(request, "catalog.read")
    rows = CatalogueVersion.objects.filter(jurisdiction_id=who.jurisdiction_id).defer("document").order_by("-number")
    if window.after is not None:
        rows = rows.filter(number__lt=min(window.after, 2**31 - 1))
    found = list(rows[: window.limit + 1])
    items = [_version(row) for row in found[: window.limit]]
    return VersionList(
        items=items,
        in_force=services.number_in_force(who.jurisdiction_id, now()) or None,
        next=items[-1].number if len(found) > window.limit else None,
    )


@router.get("/catalogue/versions/{int:version_number}", response=WholeVersion, summary="One version with its document")
def one_version(request: HttpRequest, version_number: Number) -> WholeVersion:
    who = require(request, "catalog.read")
    version = services.version_by_number(who.jurisdiction_id, version_number)
    document = plain_values(services.index_of(version.pk).catalogue)
    return WholeVersion(**_version(version).model_dump(), document=document)


@router.post("/catalogue/check", response=Checked, summary="What is wrong with a catalogue; nothing is stored")
def check_document(request: HttpRequest, body: DocumentIn) -> Checked:
    require(request, "catalog.publish")
    with _in_document():
        catalogue = read_values(body.document)
    findings = [FindingOut(level=f.level, path=f.path, sentence=f.sentence) for f in check(catalogue)]
    return Checked(services=len(catalogue.services), findings=findings)


@router.post(
    "/catalogue/versions",
    response={200: VersionOut, 201: VersionOut},
    summary="Publish a catalogue as the next version; 200 when the newest says the same already",
)
def publish(request: HttpRequest, body: PublicationIn) -> Status[VersionOut]:
    who = require(request, "catalog.publish")
    city = Jurisdiction.objects.get(pk=who.jurisdiction_id)
    newest = services.newest_number(city.pk)
    with _in_document():
        catalogue = read_values(body.document)
        version = services.publish(city, catalogue, by=who, effective_at=body.effective_at, note=body.note)
    return Status(201 if version.number > newest else 200, _version(version))


def _version(row: CatalogueVersion) -> VersionOut:
    return VersionOut.model_validate(services.described(row))


@contextmanager
def _in_document() -> Iterator[None]:
    """Problems name their fields as the sender wrote them: inside `document`."""
    try:
        yield
    except Invalid as problem:
        fields = [FieldProblem(f"document.{field.field}".rstrip("."), field.detail) for field in problem.fields]
        raise Invalid(problem.detail, fields=fields) from problem
