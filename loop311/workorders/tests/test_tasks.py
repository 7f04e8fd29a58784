"""What the clock starts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from procrastinate import RetryStrategy

from loop311.workorders import tasks, working
from loop311.workorders.connectors.base import CannotTell
from loop311.workorders.models import Mismatch
from loop311.workorders.testing import Linked, linked

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Linked:
    found = linked()
    monkeypatch.setattr(working, "connector_of", lambda link, **_: found.department)
    return found


def jobs(task: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name = %s", [task])
        return [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in cursor.fetchall()]


def test_every_minute_each_link_is_heard_for_and_what_lost_its_job_gets_one(here: Linked) -> None:
    here.city.file()
    here.follow()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    tasks.sweep(0)
    assert jobs("workorders.beat") == jobs("workorders.send") == [{"link": here.link.pk}]
    tasks.send(here.link.pk)
    assert len(here.department.records) == 1


def test_after_a_heartbeat_that_failed_the_next_is_not_a_minute_away(here: Linked) -> None:
    tasks.beat(here.link.pk)
    here.department.is_up = False
    tasks.beat(here.link.pk)
    tasks.beat(here.link.pk, again=True)
    assert jobs("workorders.beat") == [{"link": here.link.pk, "again": True}]


def test_every_night_each_link_is_compared_in_a_job_of_its_own(here: Linked) -> None:
    here.hand_over()
    here.department.records.clear()
    tasks.compare(0)
    assert jobs("workorders.reconcile") == [{"link": here.link.pk}]
    tasks.reconcile(here.link.pk)
    assert Mismatch.objects.get().kind == "gone_there"


def test_who_cannot_be_asked_is_asked_again_and_nothing_is_concluded(here: Linked) -> None:
    here.hand_over()
    here.department.is_up = False
    with pytest.raises(CannotTell):  # the job's own retries are minutes apart
        tasks.reconcile(here.link.pk)
    assert not Mismatch.objects.exists()
    assert tasks.reconcile.retry_strategy == RetryStrategy(max_attempts=6, wait=900)


def test_many_that_wait_are_said_in_several_jobs(here: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "MOST_AT_ONCE", 2)
    for _ in range(3):
        here.city.file()
    here.follow()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    tasks.send(here.link.pk)
    assert (len(here.department.records), jobs("workorders.send")) == (2, [{"link": here.link.pk}])
    tasks.send(here.link.pk)
    assert (len(here.department.records), len(jobs("workorders.send"))) == (3, 1)
