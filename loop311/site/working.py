"""The worker: runs jobs, tells that it lives, and takes up what a killed worker has left."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence

import structlog
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.exceptions import ProcrastinateException

from loop311.kit import sweeps

log = structlog.get_logger("loop311.worker")

HEARTBEAT = 3.0
"""Seconds between two signs of life."""

GIVEN_UP = 12.0
"""Seconds without one after which a worker counts as dead, and its jobs are run again."""

GRACE = 15.0
"""Seconds that running jobs get when the worker is told to stop."""

OWN = ("builtin", "clock", "default", "events", "history", "messages", "photos")
"""Queues whose jobs share the worker's places."""

APART = {"workorders": 2, "heartbeats": 2, "webhooks": 2}
"""Queue -> places of its own. Their jobs wait for other people's servers, and nothing of ours shall wait with them; nor shall
the look whether a department's system lives stand behind what is being said to one that hangs."""


def work(*, concurrency: int = 2) -> None:
    """Until SIGTERM or SIGINT. Raises when the database goes away; whoever started it starts it again."""
    sweeps.watch()
    with app.replace_connector(app.connector.get_worker_connector()) as worker_app:  # type: ignore[attr-defined]
        asyncio.run(_work(worker_app, concurrency))


async def _work(worker_app: App, concurrency: int) -> None:
    async with worker_app.open_async():
        told = asyncio.Event()
        for stop in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(stop, told.set)
        workers = [_run(worker_app, OWN, concurrency, "")]
        workers += [_run(worker_app, (queue,), places, f"-{queue}") for queue, places in APART.items()]
        tasks = [asyncio.create_task(each) for each in (told.wait(), _rescue(worker_app), *workers)]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()  # a worker that failed is raised
        finally:
            for task in tasks:
                task.cancel()  # to a worker this means: take no more, and end what runs
            await asyncio.gather(*tasks, return_exceptions=True)


async def _run(worker_app: App, queues: Sequence[str], places: int, suffix: str) -> None:
    await worker_app.run_worker_async(
        queues=list(queues),  # a tuple would be read as a row, not as an array
        name=f"worker-{os.getpid()}{suffix}",
        concurrency=places,
        update_heartbeat_interval=HEARTBEAT,
        stalled_worker_timeout=GIVEN_UP,
        shutdown_graceful_timeout=GRACE,
        delete_jobs="successful",
        install_signal_handlers=False,
    )


async def _rescue(worker_app: App) -> None:
    """Every few seconds, put back in the queue what workers that died were doing."""
    while True:
        await asyncio.sleep(HEARTBEAT)
        try:
            count = await rescue_once(worker_app)
        except ProcrastinateException as error:
            # The worker's own loop meets the same trouble and decides what becomes of it.
            log.warning("rescue", exc_info=error)
        else:
            if count:
                log.warning("jobs of a dead worker run again", count=count)


async def rescue_once(worker_app: App) -> int:
    """How many jobs of dead workers were put back."""
    stalled = list(await worker_app.job_manager.get_stalled_jobs(seconds_since_heartbeat=GIVEN_UP))
    for job in stalled:
        await worker_app.job_manager.retry_job(job)
    return len(stalled)
