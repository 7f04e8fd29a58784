"""What may answer a caller's question, in one process: the screen asks it for every few words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.db import connection

from bench import timing
from bench.desks.budgets import WORDS
from bench.results import Effort, Result
from bench.town import Town
from loop311.knowledge.files import STARTER, read_folder
from loop311.knowledge.queries import search
from loop311.knowledge.services.loading import load

COPIES = 10
"""Of the starter set, so that there are as many articles as in a big city."""


def write(town: Town, effort: Effort) -> int:
    """The articles; how many. A run that only shows that everything measures has them once."""
    starter, copies = read_folder(STARTER), COPIES if effort.seconds > 1 else 1
    names = [(each, f"{each.code}-{number}" if number else each.code) for number in range(copies) for each in starter]
    articles = [replace(each, code=code) for each, code in names]
    load(town.jurisdiction, articles, by=town.by)
    return len(articles)


def measure(town: Town, articles: int, effort: Effort) -> Iterator[Result]:
    def look(turn: int) -> object:
        return search(town.jurisdiction.pk, WORDS[turn % len(WORDS)], language="en")

    taken = timing.milliseconds(look, effort.seconds / 4)
    connection.close()
    p99 = timing.percentile(taken, 0.99)
    note = f"{articles} articles in two languages; the query alone"
    yield Result("knowledge, p50", None, timing.percentile(taken, 0.5), "ms", note=note)
    yield Result("knowledge, p99", None, p99, "ms", bar="<= 500 ms", kept=p99 <= 500, note=note)
