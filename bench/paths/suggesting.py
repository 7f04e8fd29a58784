"""What the caller's words may mean: the learned model alone, and the whole suggestion with its one query, in one process."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import numpy as np
from django.db import connection

from bench import timing
from bench.results import Effort, Result
from bench.town import Town
from loop311.catalog.services import current
from loop311.requests.suggesting import suggest
from loop311.requests.suggesting.features import BUCKETS, SCHEME
from loop311.requests.suggesting.model import Header, Model, write
from loop311.requests.suggesting.serving import learned, path_of


def measure(town: Town, effort: Effort) -> Iterator[Result]:
    """With a model of all services whose numbers are made up: how sure it is does not change how long it takes."""
    version, index = current(town.jurisdiction.pk)
    codes = tuple(index.services)
    header = Header(
        scheme=SCHEME, buckets=BUCKETS, city=town.jurisdiction.pk, catalogue=version.number,
        catalogue_digest=bytes(version.digest).hex(), codes=codes, requests=0, until="",
    )  # fmt: skip
    chance = np.random.default_rng(311)
    matrix = chance.normal(size=(BUCKETS, len(codes))).astype(np.float16)
    size = write(path_of(town.jurisdiction.pk), Model(header, matrix, np.zeros(len(codes), dtype=np.float32)))
    said = _sentences([text for each in index.offered() for text in each.descriptions.values()])
    try:
        alone = timing.milliseconds(
            lambda turn: learned(version, said[turn % len(said)]), effort.seconds / 4, time.thread_time
        )
        whole = timing.milliseconds(
            lambda turn: suggest(town.jurisdiction.pk, said[turn % len(said)]), effort.seconds / 4
        )
    finally:
        path_of(town.jurisdiction.pk).unlink()
        connection.close()
    p99 = timing.percentile(alone, 0.99)
    note = f"sentences of the catalogue; {len(codes)} services, {size / 1e6:.0f} MB read in place; own time of the processor"
    yield Result("suggestion, learned part, p50", None, timing.percentile(alone, 0.5), "ms", note=note)
    yield Result("suggestion, learned part, p99", None, p99, "ms", bar="< 1 ms", kept=p99 < 1, note=note)
    note = "with the search and its one query"
    yield Result("suggestion, p99", None, timing.percentile(whole, 0.99), "ms", note=note)


def _sentences(texts: list[str]) -> list[str]:
    random.Random(311).shuffle(texts)  # noqa: S311 - an order, no secrets
    return texts
