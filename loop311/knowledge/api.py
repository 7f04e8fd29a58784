"""/api/v1/knowledge: finding answers, what they are worth, and what nobody knows yet."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from loop311.accounts.api import require
from loop311.accounts.models import Team
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.api import LAX, Id, Input, Line, Window, quick
from loop311.kit.clock import now
from loop311.kit.problems import NotFound
from loop311.knowledge import queries, services
from loop311.knowledge.markup import to_html
from loop311.knowledge.models import Article, Feedback, Gap, Text
from loop311.knowledge.policies import MOST_WORDS, Audience, Dismissal, GapState, Rating, is_expired

router = Router(tags=["knowledge"])

Code = Annotated[str, Field(max_length=80)]
Language = Annotated[str, Field(max_length=35)]


class Asked(BaseModel):
    q: Annotated[str, Field(max_length=MOST_WORDS)] = Field("", description="The caller's words; empty: everything.")
    language: Language = Field("", description="In which the answers are wanted; the city's first when empty.")
    audience: Audience | None = Field(None, description="`public`: without what only staff may say.")
    topic: Code | None = Field(None, description="Only of this topic; without `q`.")
    service: Code | None = Field(None, description="Only what goes with this service; without `q`.")
    limit: Annotated[int, Field(ge=1, le=50)] = 8


class AnswerHit(BaseModel):
    article: int
    code: str
    version: int
    language: str
    title: str
    answer: str
    review: str
    topic: str
    audience: str
    services: list[str]
    owner: str
    checked_at: datetime | None
    expires_on: date | None
    is_expired: bool
    is_guess: bool


class AnswerHits(BaseModel):
    items: list[AnswerHit]


class ArticleText(BaseModel):
    language: str
    title: str
    answer: str
    body: str
    html: str = Field(description="The body as it is shown; nothing in it runs.")
    keywords: list[str]
    review: str


class WholeArticle(BaseModel):
    id: int
    code: str
    version: int
    topic: str
    audience: str
    owner_team: int | None
    owner_staff: int | None
    services: list[str]
    checked_at: datetime | None
    expires_on: date | None
    is_expired: bool
    texts: list[ArticleText]


class RatingIn(Input):
    rating: Annotated[Rating, LAX]
    words: Annotated[str, Field(max_length=2000)] = ""
    language: Language = ""


class RatingOut(BaseModel):
    id: int
    article: int
    version: int
    language: str
    rating: str
    words: str
    at: datetime
    settled_at: datetime | None


class RatingPage(BaseModel):
    items: list[RatingOut]
    next: int | None = Field(description="Send it as `after` for the window of newer ones; null at the end.")


class GapIn(Input):
    words: Line = Field(description="What the caller wants to know, without names or numbers of people.")
    language: Language = ""


class GapAnswer(Input):
    article: Code = Field(description="Code of the published article that answers it.")


class GapDismissal(Input):
    reason: Annotated[Dismissal, LAX]


class GapTeam(Input):
    team: Code = Field(description="Code of the team that knows where to look.")


class GapOut(BaseModel):
    id: int
    words: str
    language: str
    team: str
    asked: int
    opened_at: datetime
    due_at: datetime
    is_late: bool
    state: str
    article: str | None = Field(description="Code of what answered it.")
    dismissal: str
    ended_at: datetime | None


class GapList(BaseModel):
    items: list[GapOut]


@router.get("/knowledge/articles", response=AnswerHits, summary="What may answer a question, best first")
def search(request: HttpRequest, asked: Query[Asked]) -> HttpResponse:
    who = require(request, "knowledge.read")
    city = who.jurisdiction_id
    language = asked.language or _city(who).languages[0]
    audience = asked.audience.value if asked.audience else None
    if asked.q.strip():
        hits = queries.search(city, asked.q, language=language, audience=audience, limit=asked.limit)
    else:
        hits = queries.browse(
            city, language=language, audience=audience, topic=asked.topic, service=asked.service, limit=asked.limit
        )
    return quick({"items": hits})


@router.get(
    "/knowledge/articles/{slug:article_code}", response=WholeArticle, summary="One article, in all its languages"
)
def read(request: HttpRequest, article_code: str) -> WholeArticle:
    who = require(request, "knowledge.read")
    return _whole(_published(article_code, who), who)


@router.post("/knowledge/articles/{slug:article_code}/feedback", response={201: RatingOut}, summary="Did it help?")
def rate(request: HttpRequest, article_code: str, body: RatingIn) -> Status[RatingOut]:
    who = require(request, "knowledge.report")
    made = services.rate(_published(article_code, who), body.rating, words=body.words, language=body.language, by=who)
    return Status(201, _rating(made))


@router.get("/knowledge/feedback", response=RatingPage, summary="What nobody has looked at yet, oldest first")
def feedback(request: HttpRequest, window: Query[Window]) -> RatingPage:
    who = require(request, "knowledge.read")
    rows = queries.unsettled_feedback(who.jurisdiction_id).filter(pk__gt=window.after or 0)
    found = list(rows[: window.limit + 1])
    items = [_rating(each) for each in found[: window.limit]]
    return RatingPage(items=items, next=items[-1].id if len(found) > window.limit else None)


@router.post("/knowledge/feedback/{int:feedback_id}/settle", response=RatingOut, summary="It was looked at")
def settle(request: HttpRequest, feedback_id: Id) -> RatingOut:
    who = require(request, "knowledge.write")
    return _rating(services.settle(services.get_feedback(feedback_id, by=who), by=who))


@router.get("/knowledge/gaps", response=GapList, summary="What nobody knows yet, due first")
def gaps(request: HttpRequest) -> GapList:
    who = require(request, "knowledge.read")
    at = now()
    return GapList(items=[_gap(gap, at) for gap in queries.open_gaps(who.jurisdiction_id)])


@router.post("/knowledge/gaps", response={201: GapOut}, summary="Nobody knows this yet")
def report_gap(request: HttpRequest, body: GapIn) -> Status[GapOut]:
    who = require(request, "knowledge.report")
    return Status(201, _gap(services.report_gap(_city(who), body.words, language=body.language, by=who), now()))


@router.get("/knowledge/gaps/{int:gap_id}", response=GapOut, summary="One question")
def read_gap(request: HttpRequest, gap_id: Id) -> GapOut:
    return _gap(services.get_gap(gap_id, by=require(request, "knowledge.read")), now())


@router.post("/knowledge/gaps/{int:gap_id}/again", response=GapOut, summary="Another caller asks the same")
def ask_again(request: HttpRequest, gap_id: Id) -> GapOut:
    who = require(request, "knowledge.report")
    return _gap(services.ask_again(services.get_gap(gap_id, by=who), by=who), now())


@router.post("/knowledge/gaps/{int:gap_id}/answer", response=GapOut, summary="A published article answers it")
def answer_gap(request: HttpRequest, gap_id: Id, body: GapAnswer) -> GapOut:
    who = require(request, "knowledge.write")
    gap = services.get_gap(gap_id, by=who)
    return _gap(services.answer_gap(gap, services.get_article(body.article, by=who), by=who), now())


@router.post("/knowledge/gaps/{int:gap_id}/dismiss", response=GapOut, summary="It needs no article")
def dismiss_gap(request: HttpRequest, gap_id: Id, body: GapDismissal) -> GapOut:
    who = require(request, "knowledge.write")
    return _gap(services.dismiss_gap(services.get_gap(gap_id, by=who), body.reason, by=who), now())


@router.post("/knowledge/gaps/{int:gap_id}/reassign", response=GapOut, summary="Another team finds the answer")
def reassign_gap(request: HttpRequest, gap_id: Id, body: GapTeam) -> GapOut:
    who = require(request, "knowledge.write")
    gap = services.get_gap(gap_id, by=who)
    team = Team.objects.filter(jurisdiction_id=who.jurisdiction_id, code=body.team).first()
    if team is None:
        raise NotFound("There is no such team in this city.")
    return _gap(services.reassign_gap(gap, team, by=who), now())


def _city(who: Actor) -> Jurisdiction:
    return Jurisdiction.objects.get(pk=who.jurisdiction_id)


def _published(code: str, who: Actor) -> Article:
    found = services.get_article(code, by=who)
    if not found.is_live:
        raise NotFound("There is no such article.")
    return found


def _whole(article: Article, who: Actor) -> WholeArticle:
    version = article.published
    assert version is not None  # noqa: S101 - only published ones come here
    texts = Text.objects.filter(jurisdiction_id=who.jurisdiction_id, article=article, live=True)
    return WholeArticle(
        id=article.pk,
        code=article.code,
        version=version.number,
        topic=version.topic,
        audience=version.audience,
        owner_team=version.owner_team_id,
        owner_staff=version.owner_staff_id,
        services=version.services,
        checked_at=article.checked_at,
        expires_on=article.expires_on,
        is_expired=is_expired(article.expires_on, now().astimezone(article.jurisdiction.zone).date()),
        texts=[_text(text) for text in texts],
    )


def _text(text: Text) -> ArticleText:
    return ArticleText(
        language=text.language,
        title=text.title,
        answer=text.answer,
        body=text.body,
        html=to_html(text.body),
        keywords=text.keywords,
        review=text.review,
    )


def _rating(made: Feedback) -> RatingOut:
    return RatingOut(
        id=made.pk,
        article=made.article_id,
        version=made.version_id,
        language=made.language,
        rating=made.rating,
        words=made.words,
        at=made.at,
        settled_at=made.settled_at,
    )


def _gap(gap: Gap, at: datetime) -> GapOut:
    return GapOut(
        id=gap.pk,
        words=gap.words,
        language=gap.language,
        team=gap.team.code,
        asked=gap.asked,
        opened_at=gap.opened_at,
        due_at=gap.due_at,
        is_late=gap.is_late(at),
        state=gap.state,
        article=gap.article.code if gap.state == GapState.ANSWERED and gap.article else None,
        dismissal=gap.dismissal,
        ended_at=gap.ended_at,
    )
