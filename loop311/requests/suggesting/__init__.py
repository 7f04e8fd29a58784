"""Which service a resident's words mean: the search over the catalogue's own words, and what past requests have taught.

It only proposes; a person chooses. scikit-learn is imported by `learning` alone, and that only by `loop311 suggest train`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from loop311.catalog.definitions import Service
from loop311.catalog.finding import Found
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.models import CatalogueVersion
from loop311.catalog.services import current, finder_of
from loop311.requests.suggesting.serving import learned

Why = Literal["words", "past"]

SEARCH_COUNTS = 0.5
"""The best service of a search that fits perfectly, beside one that past requests are certain of (1)."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One proposed service. `score` is comparable within one list only."""

    service: Service
    why: Why
    """words: its own words fit; past: only past requests say so."""
    score: float


def suggest(jurisdiction_id: int, words: str, limit: int = 6) -> tuple[CatalogueIndex, list[Suggestion]]:
    """The services the words may mean, best first, with the catalogue they are from. One small query."""
    version, index = current(jurisdiction_id)
    return index, suggest_under(version, index, words, limit)


def suggest_under(version: CatalogueVersion, index: CatalogueIndex, words: str, limit: int) -> list[Suggestion]:
    searched = finder_of(version.pk).find(words)
    remembered = {
        code: sure
        for code, sure in learned(version, words)
        if code in index.services and not index.services[code].historical
    }
    found = {each.code for each in searched}
    return [
        Suggestion(index.services[code], "words" if code in found else "past", score)
        for code, score in merged(searched, remembered, limit, critical_codes(index))
    ]


def merged(
    searched: Sequence[Found], remembered: dict[str, float], limit: int, critical: frozenset[str]
) -> list[tuple[str, float]]:
    """Both lists as one, best first. Whatever of `critical` the search alone would have shown is in it, learned or not."""
    best = searched[0].score if searched else 0.0
    scores = {each.code: SEARCH_COUNTS * each.score**2 / (best * (best + 1)) for each in searched}
    for code, sure in remembered.items():
        scores[code] = scores.get(code, 0.0) + sure
    ranked = sorted(scores, key=lambda code: -scores[code])
    kept = {each.code for each in searched[:limit]} & critical
    room = limit - len(kept)
    for code in ranked:
        if room and code not in kept:
            kept.add(code)
            room -= 1
    return [(code, scores[code]) for code in ranked if code in kept]


def critical_codes(index: CatalogueIndex) -> frozenset[str]:
    """Services that ask first whether somebody is in danger."""
    return frozenset(s.code for s in index.catalogue.services if any(question.safety for question in s.questions))
