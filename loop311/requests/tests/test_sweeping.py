"""One request that time cannot move on holds up no other: whatever is wrong with it is logged, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from loop311.requests import services
from loop311.requests.models import Request
from loop311.requests.services import sweeping
from loop311.requests.testing import MONDAY, City

LATER = MONDAY + timedelta(days=30)


def failing(step: Callable[..., Any], poisoned: int) -> Callable[..., Any]:
    """The step, which cannot be taken for one request."""

    def stumbling(request: Request | int, *args: Any, **kwargs: Any) -> Any:
        if (request.pk if isinstance(request, Request) else request) == poisoned:
            raise KeyError("something nobody thought of")
        return step(request, *args, **kwargs)

    return stumbling


def states(*requests: Request) -> list[str]:
    return [Request.objects.get(pk=request.pk).state for request in requests]


def test_one_that_cannot_be_closed_holds_up_no_other(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = city.done(city.file()), city.done(city.file(), at=MONDAY + timedelta(hours=6))
    monkeypatch.setattr(sweeping, "close_undisputed", failing(services.close_undisputed, first.pk))
    monkeypatch.setattr(sweeping, "BATCH", 1)
    assert services.sweep(LATER)["closed"] == 1
    assert states(first, second) == ["done", "closed"]


def test_one_whose_clock_cannot_run_again_holds_up_no_other(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (services.wait(city.file(), reason="rain", by=city.system, at=MONDAY) for _ in range(2))
    monkeypatch.setattr(sweeping, "resume", failing(services.resume, first.pk))
    monkeypatch.setattr(sweeping, "BATCH", 1)
    assert services.sweep(LATER)["resumed"] == 1
    assert states(first, second) == ["waiting", "in_progress"]


def test_one_that_cannot_be_escalated_holds_up_no_other(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = city.file(), city.file()
    monkeypatch.setattr(sweeping, "_escalate", failing(sweeping._escalate, first.pk))
    monkeypatch.setattr(sweeping, "BATCH", 1)
    assert services.sweep(LATER)["escalated"] > 0
    escalated: list[datetime | None] = [Request.objects.get(pk=r.pk).escalate_at for r in (first, second)]
    assert escalated == [first.escalate_at, None]


def test_what_is_wrong_with_one_end_does_not_stop_the_ladder(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned, late = city.done(city.file()), city.file()
    monkeypatch.setattr(sweeping, "close_undisputed", failing(services.close_undisputed, poisoned.pk))
    services.sweep(LATER)
    assert Request.objects.get(pk=late.pk).escalate_at is None
