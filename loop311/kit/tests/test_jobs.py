"""Jobs are deferred in the caller's transaction, in a web process and in a worker."""

from __future__ import annotations

from typing import cast

import pytest
from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob

from loop311.kit.jobs import defer, defer_many


def jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name="kit.nothing").count()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_worker", [False, True])
def test_a_rollback_takes_the_jobs_along(in_worker: bool) -> None:
    connector = cast("DjangoConnector", app.connector)
    with app.replace_connector(connector.get_worker_connector() if in_worker else connector):
        with transaction.atomic():
            defer("kit.nothing", queue="events", number=1)
            defer_many("kit.nothing", [{"number": 2}, {"number": 3}], queue="events")
            assert jobs() == 3
            transaction.set_rollback(True)
        assert jobs() == 0


@pytest.mark.django_db
def test_no_jobs_at_all_are_no_statement() -> None:
    defer_many("kit.nothing", [], queue="events")
    assert jobs() == 0
