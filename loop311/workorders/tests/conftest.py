from __future__ import annotations

from collections.abc import Iterator

import pytest

from loop311.workorders.live.redmine import LiveRedmine, live_redmine, missing


@pytest.fixture(scope="session")
def redmine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveRedmine]:
    """One for all tests of a process: they mark themselves xdist_group("redmine")."""
    if missing():
        pytest.skip(missing())
    with live_redmine(tmp_path_factory.mktemp("redmine")) as running:
        yield running
