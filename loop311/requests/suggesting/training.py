"""Training a city's model: learned from the past up to a day, measured on what came later, then learned anew from all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from loop311.catalog.index import CatalogueIndex
from loop311.catalog.models import CatalogueVersion
from loop311.catalog.services import current, finder_of
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.problems import Invalid, Unavailable
from loop311.requests.suggesting.features import BUCKETS, SCHEME
from loop311.requests.suggesting.measuring import Measured, measure, says_more_than_the_name
from loop311.requests.suggesting.model import Header, Model, write
from loop311.requests.suggesting.past import Row, rows
from loop311.requests.suggesting.serving import path_of

FEWEST = 200
"""Requests with words that anything can be learned from."""
FEWEST_OF_SERVICE = 3
"""A service with fewer is left to the search."""
HELD_OUT = 5
"""One in so many requests, the newest, is held out where no days are given."""

Learner = Callable[[Sequence[Row]], tuple[tuple[str, ...], NDArray[np.float16], NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Holdout:
    """Measured on what was received from `start` up to and not including `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Training:
    requests: int
    """That the model in place was learned from."""
    services: int
    """That it knows; `offered`: that there are."""
    offered: int
    learned_from: int
    """Requests before `held_from`; the figures are those of a model that knew only them."""
    held_from: datetime
    held_to: datetime
    held_out: int
    all_rows: Measured
    own_words: Measured | None
    """Without the requests whose words only repeat the service's name; None where there are no others."""
    bytes: int
    file: str


def train(city: Jurisdiction, *, until: datetime, holdout: Holdout | None = None) -> Training:
    """Learn, measure, learn from everything before `until`, put the model in place. Raises Invalid when there is too little."""
    learn = _learner()
    version, index = current(city.pk)
    said = _enough(city, list(rows(city.pk, index, until)))
    held = holdout or _newest(said, until)
    before = [row for row in said if row.at < held.start]
    later = [row for row in said if held.start <= row.at < held.end]
    if not later:
        raise Invalid("No request with words was received in the time that is held out: choose another.")
    all_rows, own_words = _measured(later, index, version, _model(city, version, before, held.start, learn))
    model = _model(city, version, said, until, learn)
    path = path_of(city.pk)
    return Training(
        requests=len(said),
        services=len(model.header.codes),
        offered=len(index.offered()),
        learned_from=len(before),
        held_from=held.start,
        held_to=held.end,
        held_out=len(later),
        all_rows=all_rows,
        own_words=own_words,
        bytes=write(path, model),
        file=str(path),
    )


def _learner() -> Learner:
    try:
        learn: Learner = import_module("loop311.requests.suggesting.learning").learn
    except ModuleNotFoundError as error:
        raise Unavailable("Training needs scikit-learn: pip install -r requirements/train.txt") from error
    return learn


def _enough(city: Jurisdiction, said: list[Row]) -> list[Row]:
    if len(said) < FEWEST:
        raise Invalid(
            f"{city.slug} has only {len(said)} requests with words under services it offers; {FEWEST} are needed to learn from."
        )
    return said


def _newest(said: Sequence[Row], until: datetime) -> Holdout:
    """`said` is newest first."""
    return Holdout(said[len(said) // HELD_OUT - 1].at, until)


def _model(
    city: Jurisdiction, version: CatalogueVersion, said: Sequence[Row], until: datetime, learn: Learner
) -> Model:
    times = Counter(row.code for row in said)
    known = [row for row in said if times[row.code] >= FEWEST_OF_SERVICE]
    if len({row.code for row in known}) < 2:
        raise Invalid(
            f"Before {until.astimezone(city.zone):%Y-%m-%d} fewer than two services have {FEWEST_OF_SERVICE} requests with words."
        )
    codes, matrix, bias = learn(known)
    header = Header(
        scheme=SCHEME,
        buckets=BUCKETS,
        city=city.pk,
        catalogue=version.number,
        catalogue_digest=bytes(version.digest).hex(),
        codes=codes,
        requests=len(known),
        until=until.isoformat(),
    )
    return Model(header, matrix, bias)


def _measured(
    later: Sequence[Row], index: CatalogueIndex, version: CatalogueVersion, model: Model
) -> tuple[Measured, Measured | None]:
    finder = finder_of(version.pk)
    own = [(row.text, (row.code,)) for row in later if says_more_than_the_name(row.text, row.code, index)]
    return (
        measure([(row.text, (row.code,)) for row in later], index, finder, model),
        measure(own, index, finder, model) if own else None,
    )
