"""GET /api/v1/services/suggest: which service a resident's words may mean."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from loop311.accounts.api import require
from loop311.catalog.api import Language, Words
from loop311.requests.suggesting import suggest

router = Router(tags=["catalogue"])


class SuggestedService(BaseModel):
    code: str
    name: str
    why: str = Field(description="words: the catalogue's own words fit; past: only past requests say so.")
    score: float = Field(description="Comparable within this list only.")
    safety: bool = Field(description="It asks first whether somebody is in danger.")


@router.get(
    "/services/suggest",
    response=list[SuggestedService],
    summary="What a resident's words may mean, best first; a person chooses",
)
def suggest_services(
    request: HttpRequest, q: Words, language: Language = "", limit: Annotated[int, Field(ge=1, le=20)] = 6
) -> list[SuggestedService]:
    who = require(request, "catalog.read")
    index, found = suggest(who.jurisdiction_id, q, limit)
    return [
        SuggestedService(
            code=each.service.code,
            name=index.text(each.service.names, language),
            why=each.why,
            score=round(each.score, 3),
            safety=any(question.safety for question in each.service.questions),
        )
        for each in found
    ]
