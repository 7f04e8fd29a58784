"""Starting other people's servers so that none outlives us, not even when we are killed."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_NEVER_ENDING = ThreadPoolExecutor(1, thread_name_prefix="live")
"""A program that dies with its parent dies with the parent's *thread* that began it: this one lives as long as we do."""


def spawn(
    command: Sequence[str], log: Path, *, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    return _NEVER_ENDING.submit(_spawn, ["setpriv", "--pdeathsig", "KILL", *command], log, folder, environment).result()


def _spawn(
    command: Sequence[str], log: Path, folder: Path, environment: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
