"""Reports over the API."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field

from loop311.accounts.api import require
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.api import LAX, Day, Line
from loop311.measures.reports import Against, By, requests_report

router = Router(tags=["measures"])


class Wanted(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    start: Day | None = Field(None, alias="from", description="First local day on which the requests were opened.")
    end: Day | None = Field(None, alias="to", description="The day after the last one.")
    by: Annotated[By, LAX] = By.SERVICE
    layer: Line = Field("", description="With `by=area`: the layer, if not the fullest.")
    promise: Annotated[Against, LAX] = Field(Against.CURRENT, description="Which promise lateness is measured against.")


class MeasuresOut(BaseModel):
    opened: int
    closed: int
    open: int
    open_late: int
    on_time_share: float | None = Field(description="On time among those done with a promise and those open and late.")
    median_days: float | None
    p90_days: float | None
    joined: int
    reopened: int


class RowOut(MeasuresOut):
    key: str = Field(description="Code, area key, channel or month; '' for requests that have none.")
    name: str


class ReportOut(BaseModel):
    total: MeasuresOut
    rows: list[RowOut]


@router.get("/reports/requests", response=ReportOut, summary="Requests opened in a time, counted")
def requests(request: HttpRequest, wanted: Query[Wanted]) -> ReportOut:
    """The definitions stand in docs/reference/measures.md."""
    who = require(request, "measures.read")
    found = requests_report(
        Jurisdiction.objects.get(pk=who.jurisdiction_id),
        by=who,
        rows=wanted.by,
        start=wanted.start,
        end=wanted.end,
        layer=wanted.layer,
        against=wanted.promise,
    )
    return ReportOut.model_validate(found.plain())
