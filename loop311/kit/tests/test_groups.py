"""The tests of one group share what their module starts: they run in one process of the test run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that every process of the run sees."""
    own = tmp_path_factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "processes-of-a-group"


@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("number", range(8))
def test_a_group_runs_in_one_process(shared: Path, number: int, pytestconfig: pytest.Config) -> None:
    """Always in a run of one process, and in one of several where `--dist loadgroup` asks for it."""
    with shared.open("a+") as file:
        file.write(f"{os.getpid()}\n")
        file.flush()
        file.seek(0)
        grouped = pytestconfig.getoption("loadgroup", "PYTEST_XDIST_WORKER" not in os.environ)
        assert set(file.read().split()) == {str(os.getpid())} or not grouped, f"by test {number}"
