"""A catalogue is read for the first time by all threads of a new web process at once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from loop311.kit.structs import learn

_MANY = """
import sys, threading
sys.setswitchinterval(1e-6)
import msgspec
from loop311.catalog.definitions import Catalogue
start = threading.Barrier(8)
read = []
def first():
    start.wait()
    read.append(msgspec.json.decode(b'{"languages": ["en"], "departments": [], "teams": []}', type=Catalogue))
threads = [threading.Thread(target=first) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(read) == 8
"""


def test_many_threads_may_read_the_first_catalogue_at_once() -> None:
    for _ in range(5):  # one in six died
        done = subprocess.run([sys.executable, "-c", _MANY], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.returncode, done.stderr[-2000:])


def test_what_cannot_be_read_is_told_when_it_is_learnt() -> None:
    with pytest.raises(TypeError, match="not supported"):
        learn(dict[tuple[int, int], object] | list[int] | tuple[int, ...])
