"""The web processes: python -m loop311.site.web, started and restarted by `loop311 serve`."""

from __future__ import annotations

import multiprocessing
import os

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from loop311.kit.processes import die_with_parent

WORKERS = 2
THREADS = 6
"""In each worker; every thread keeps one database connection."""


def main() -> None:
    """Listen on 127.0.0.1; a proxy in front brings TLS."""
    die_with_parent()
    multiprocessing.set_start_method("spawn")
    Server(
        target="loop311.site.wsgi:application",
        address="127.0.0.1",
        port=int(os.environ.get("LOOP311_PORT") or 8311),
        interface=Interfaces.WSGI,
        workers=WORKERS,
        blocking_threads=THREADS,
        blocking_threads_idle_timeout=600,
        websockets=False,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=10,
    ).serve()


if __name__ == "__main__":
    main()
