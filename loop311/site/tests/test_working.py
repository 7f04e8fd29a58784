"""What a dead worker left is taken up; what a living one does is left to it."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from loop311.site.working import APART, GIVEN_UP, OWN, rescue_once


@pytest.mark.django_db
def test_only_the_jobs_of_dead_workers_are_put_back() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - make_interval(secs => %s)), (now()) RETURNING id",
            [GIVEN_UP + 1],
        )
        dead, living = [row[0] for row in cursor.fetchall()]
        for name, worker in (("of-dead", dead), ("of-living", living), ("of-forgotten", None)):
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id) VALUES ('q', %s, 'doing', %s)",
                [name, worker],
            )
    assert async_to_sync(rescue_once)(app) == 2
    states = dict(ProcrastinateJob.objects.values_list("task_name", "status"))
    assert states == {"of-dead": "todo", "of-living": "doing", "of-forgotten": "todo"}


def test_every_queue_has_places_in_the_worker_and_one_only() -> None:
    used = {task.queue for task in app.tasks.values()}
    assert used <= set(OWN) | set(APART)
    assert not set(OWN) & set(APART)
