"""What the city's past requests said: the words of the description and of free-text answers, never a name or a contact point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from loop311.catalog.definitions import Datatype, Service
from loop311.catalog.index import CatalogueIndex
from loop311.requests.models import Request
from loop311.requests.suggesting.features import words_of

MOST = 200_000
"""Requests that are learned from, the newest."""

_FREE = (Datatype.STRING, Datatype.TEXT)


@dataclass(frozen=True, slots=True)
class Row:
    """One past request: what was said and what it stands under now."""

    text: str
    """Folded words without digits, separated by spaces."""
    code: str
    at: datetime


def rows(jurisdiction_id: int, index: CatalogueIndex, until: datetime) -> Iterator[Row]:
    """Requests received before `until` under services offered now that say anything at all, newest first."""
    free = {service.code: _free_questions(service) for service in index.offered()}
    said = Request.objects.filter(
        jurisdiction_id=jurisdiction_id, received_at__lt=until, service__code__in=list(free)
    ).order_by("-received_at", "-pk")
    columns = said.values_list("description", "answers", "service__code", "received_at")
    for description, answers, code, at in columns[:MOST].iterator(chunk_size=5_000):
        text = _said(description, answers, free[code])
        if text:
            yield Row(text, code, at)


def _free_questions(service: Service) -> tuple[str, ...]:
    """Questions answered in one's own words; private ones may name somebody."""
    return tuple(q.code for q in service.questions if q.datatype in _FREE and not q.private)


def _said(description: str, answers: Mapping[str, object], free: tuple[str, ...]) -> str:
    texts = [description, *(answer for code in free if isinstance(answer := answers.get(code), str))]
    return " ".join(words_of("\n".join(texts)))
