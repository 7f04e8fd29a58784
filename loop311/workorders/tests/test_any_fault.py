"""Whatever goes wrong, in whatever order: each order is there once, and everything about it was said once, in order."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.workorders import services
from loop311.workorders.connectors.base import TryLater, Unknown
from loop311.workorders.models import Outgoing
from loop311.workorders.policies import SETTLING
from loop311.workorders.testing import Linked, linked

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process that spoke is gone."""


def worsen(here: Linked, chance: random.Random) -> None:
    """What the next call meets: the truth, an answer that was lost, a refusal for now, a broken connector or a kill."""
    worst = [None, Unknown(reason="lost"), TryLater(reason="busy"), ValueError("odd"), Killed()]
    fault = chance.choice(worst)
    here.department.next_answers = [] if fault is None else [fault]
    here.department.carries_out = chance.random() < 0.5 and not isinstance(fault, TryLater)
    here.department.is_up = chance.random() < 0.9


def work(here: Linked, chance: random.Random) -> None:
    with suppress(Killed):
        here.work(later=chance.choice([1, 20, SETTLING.total_seconds() + 1, 400]))


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_lost_doubled_or_said_out_of_order(seed: int) -> None:
    chance, here = random.Random(seed), linked()
    filed: list[Request] = []
    said: dict[int, list[str]] = {}
    for step in range(25):
        if not filed or chance.random() < 0.2:
            filed.append(here.city.file())
        chosen = chance.choice(filed)
        said.setdefault(chosen.pk, []).append(f"Word {step}.")
        requests.comment(chosen, text=f"Word {step}.", by=here.city.system)
        worsen(here, chance)
        work(here, chance)
    here.department.next_answers, here.department.is_up = [], True
    for _ in range(40):
        here.work(later=1900)
    marks = [record.reference for record in here.department.records.values()]
    assert sorted(marks) == sorted(here.order(request).reference for request in filed)
    for request in filed:
        assert here.department.records[here.order(request).their_key].notes == said.get(request.pk, [])
    assert not Outgoing.objects.filter(ended_at__isnull=True).exists()
    assert here.reconcile() == services.Compared(pairs=len(filed), open=0, mended=0)
