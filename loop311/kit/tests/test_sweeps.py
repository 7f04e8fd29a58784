"""A sweep that stopped working is seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from loop311.kit import sweeps
from loop311.kit.clock import now
from loop311.kit.models import Sweep
from loop311.kit.sweeps import Run, pass_over, standing, watch, watched

pytestmark = pytest.mark.django_db
NAME = "kit.test"


@pytest.fixture(autouse=True)
def only_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "WATCHED", {})


def run(outcome: Exception | int = 0) -> None:
    @watched(NAME, every=timedelta(minutes=1))
    def sweep() -> None:
        if isinstance(outcome, Exception):
            raise outcome
        pass_over(outcome)

    sweep()


def broken() -> None:
    with pytest.raises(ValueError, match="secret"):
        run(ValueError("secret words"))


def one() -> Run:
    [found] = standing()
    return found


def earlier(**ago: int) -> None:
    since = now() - timedelta(**ago)
    Sweep.objects.update(watched_since=since, begun_at=since)
    Sweep.objects.exclude(succeeded_at=None).update(succeeded_at=since)


def test_a_sweep_that_worked_is_not_late() -> None:
    run()
    assert (one().is_late, one().error, one().left_over) == (False, "", 0)


def test_a_sweep_that_fails_is_late_after_five_of_its_runs_and_its_words_are_not_kept() -> None:
    run()
    earlier(minutes=4)
    broken()
    assert (one().is_late, one().error) == (False, "ValueError")
    earlier(minutes=6)
    broken()
    assert one().is_late
    assert "secret" not in str(Sweep.objects.values())
    run()
    assert (one().is_late, one().error) == (False, "")


def test_rows_that_were_passed_over_are_counted_and_the_sweep_worked() -> None:
    run(3)
    assert (one().left_over, one().is_late) == (3, False)
    run()
    assert one().left_over == 0


def test_outside_a_sweep_nothing_is_counted() -> None:
    pass_over()


def test_the_time_without_a_worker_is_not_held_against_it_but_failing_is() -> None:
    run()
    earlier(hours=8)
    assert one().is_late
    watch()
    assert not one().is_late
    earlier(hours=8)
    broken()
    watch()
    assert one().is_late


def test_a_sweep_that_never_ran_is_watched_from_the_workers_first_start() -> None:
    sweeps.WATCHED[NAME] = timedelta(minutes=1)
    watch()
    assert not one().is_late
    assert standing(now() + timedelta(minutes=6))[0].is_late


def test_a_sweep_that_works_again_leaves_no_failed_jobs_behind() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('clock', %s, 'failed')", [NAME]
        )
        run()
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s", [NAME])
        assert cursor.fetchone() == (0,)
