"""How often the right service is proposed first and among the first three, by the search, by what was learned, and by both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache

from loop311.catalog.finding import Finder
from loop311.catalog.index import CatalogueIndex
from loop311.requests.suggesting import critical_codes, merged
from loop311.requests.suggesting.features import words_of
from loop311.requests.suggesting.model import Model

MOST = 5_000
"""Rows that are measured on, evenly taken."""
SHOWN = 6
"""Proposals a person is shown."""

Case = tuple[str, Collection[str]]
"""A text, and the services any of which is right."""
Rank = Callable[[str], Sequence[str]]
"""A text -> service codes, best first."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares of the rows whose right service came first, and among the first three."""

    first: float
    top_3: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The same rows, ranked in three ways."""

    requests: int
    search: Accuracy
    learned: Accuracy
    together: Accuracy


def measure(cases: Sequence[Case], index: CatalogueIndex, finder: Finder, model: Model) -> Measured:
    """At least one case. Rows of a service that the model does not know count against it."""
    critical = critical_codes(index)

    def search(text: str) -> list[str]:
        return [found.code for found in finder.find(text)]

    def learned(text: str) -> list[str]:
        return [code for code, _ in model.judge(text) if code in index.services]

    def together(text: str) -> list[str]:
        return [code for code, _ in merged(finder.find(text), dict(model.judge(text)), SHOWN, critical)]

    sample = evenly(cases, MOST)
    return Measured(len(sample), *(_accuracy(sample, cache(rank)) for rank in (search, learned, together)))


def _accuracy(cases: Sequence[Case], rank: Rank) -> Accuracy:
    first = sum(any(code in right for code in rank(text)[:1]) for text, right in cases)
    top_3 = sum(any(code in right for code in rank(text)[:3]) for text, right in cases)
    return Accuracy(first / len(cases), top_3 / len(cases))


def evenly(cases: Sequence[Case], most: int) -> Sequence[Case]:
    """All, or `most` of them at equal distances."""
    if len(cases) <= most:
        return cases
    return [cases[number * len(cases) // most] for number in range(most)]


def says_more_than_the_name(text: str, code: str, index: CatalogueIndex) -> bool:
    """Whether the words are somebody's own and do not just repeat the service's name."""
    return text.split() not in [words_of(name) for name in index.services[code].names.values()]
