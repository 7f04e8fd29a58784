"""An event and its handlers' jobs are one; a handler does its work once, and a failing one is seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast
from unittest.mock import patch

import pytest
from django.db import connection, connections, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob

from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import Actor, system
from loop311.ledger import jobs, services, tasks
from loop311.ledger.models import Event, Handled, Head
from loop311.ledger.testing import run

ran: list[int] = []
HANDLER = f"{__name__}.count"


def count(event_id: int) -> None:
    ran.append(event_id)


def refuse(event_id: int) -> None:
    run("UPDATE jurisdictions_numberseries SET last = last + 1")
    raise RuntimeError("the printer is on fire")


@pytest.fixture(autouse=True)
def wired() -> Iterator[None]:
    before = dict(services._handlers)
    ran.clear()
    services.wire({"thing.seen": (count,), "thing.lost": (refuse,)})
    yield
    services._handlers.clear()
    services._handlers.update(before)


@pytest.fixture
def by(db: None) -> Actor:
    return system(create("elm", name="Elm", time_zone="America/Chicago").pk)


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_neither_event_nor_head_nor_job(by: Actor) -> None:
    with transaction.atomic():
        services.append("thing.seen", "thing", 1, {}, by=by)
        assert ProcrastinateJob.objects.filter(task_name="ledger.deliver").count() == 1
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert not Head.objects.exists()
    assert not ProcrastinateJob.objects.filter(task_name="ledger.deliver").exists()


@pytest.mark.django_db
def test_a_repeated_job_does_nothing(by: Actor) -> None:
    event = services.append("thing.seen", "thing", 1, {}, by=by)
    assert services.handle(event, "thing.seen", HANDLER)
    assert not services.handle(event, "thing.seen", HANDLER)
    tasks.deliver(event_id=event, kind="thing.seen", handler=HANDLER)
    assert ran == [event]


@pytest.mark.django_db(transaction=True)
def test_a_handler_runs_once_however_many_workers_try(by: Actor) -> None:
    event = services.append("thing.seen", "thing", 1, {}, by=by)
    start = threading.Barrier(8)

    def worker() -> None:
        start.wait()
        services.handle(event, "thing.seen", HANDLER)
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == [event]


@pytest.mark.django_db(transaction=True)
def test_many_writers_of_one_subject_make_one_chain(by: Actor) -> None:
    start = threading.Barrier(6)

    def writer() -> None:
        start.wait()
        for _ in range(5):
            with transaction.atomic():
                services.append("thing.moved", "thing", 1, {}, by=by)
        connection.close()

    threads = [threading.Thread(target=writer) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = list(Event.objects.order_by("sequence").values_list("sequence", "id"))
    assert [sequence for sequence, _ in found] == list(range(1, 31))
    assert found == sorted(found, key=lambda pair: pair[1])


@pytest.mark.django_db
def test_what_a_failing_handler_wrote_is_undone_and_it_may_run_again(by: Actor) -> None:
    run("INSERT INTO jurisdictions_numberseries (jurisdiction_id, series, year, last) SELECT id, 'a', 1, 1"
        " FROM jurisdictions_jurisdiction")  # fmt: skip
    event = services.append("thing.lost", "thing", 1, {}, by=by)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            services.handle(event, "thing.lost", f"{__name__}.refuse")
    assert not Handled.objects.exists()
    assert run("UPDATE jurisdictions_numberseries SET last = 9 WHERE last = 1") == 1


@pytest.mark.django_db
def test_an_unknown_handler_is_an_error_and_not_silence(by: Actor) -> None:
    event = services.append("thing.seen", "thing", 1, {}, by=by)
    with pytest.raises(LookupError, match="no handler"):
        services.handle(event, "thing.seen", "gone.handler")


def _work() -> None:
    """What a worker does until no job is due; the connections of its threads are closed after each job."""
    connector = cast("DjangoConnector", app.connector).get_worker_connector()
    with patch.dict(connections.settings["default"], CONN_MAX_AGE=0), app.replace_connector(connector):
        app.run_worker(wait=False, install_signal_handlers=False, listen_notify=False, concurrency=1)


@pytest.mark.django_db(transaction=True)
def test_a_failing_handler_is_tried_again_later_and_listed(by: Actor) -> None:
    event = services.append("thing.lost", "thing", 5, {}, by=by)
    began = datetime.now(UTC)
    _work()
    (seen,) = jobs.troubled_handlers(by.jurisdiction_id)
    assert (seen.event, seen.subject_id, seen.attempts) == (event, 5, 1)
    assert seen.next_try_at is not None
    assert began + timedelta(seconds=1) < seen.next_try_at < datetime.now(UTC) + timedelta(seconds=4)
    run("UPDATE procrastinate_jobs SET scheduled_at = NULL, attempts = 9")
    _work()
    (seen,) = jobs.troubled_handlers(by.jurisdiction_id)
    assert seen.next_try_at is not None
    run("UPDATE procrastinate_jobs SET scheduled_at = NULL")
    _work()
    (seen,) = jobs.troubled_handlers(by.jurisdiction_id)
    assert seen.next_try_at is None
    assert jobs.retry_failed(by.jurisdiction_id) == 1
    services.wire({"thing.lost": (count,)})
    run("UPDATE procrastinate_jobs SET args = args || jsonb_build_object('handler', %s::text)", HANDLER)
    _work()
    assert ran == [event]
    assert jobs.troubled_handlers(by.jurisdiction_id) == []


@pytest.mark.django_db
def test_the_failures_of_another_city_are_not_seen(by: Actor) -> None:
    services.append("thing.lost", "thing", 5, {}, by=by)
    run("UPDATE procrastinate_jobs SET attempts = 1")
    other = create("oak", name="Oak", time_zone="America/Chicago")
    assert jobs.troubled_handlers(other.pk) == []
    assert jobs.retry_failed(other.pk) == 0
    assert Jurisdiction.objects.count() == 2
