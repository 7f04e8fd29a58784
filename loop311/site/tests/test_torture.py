"""A few rounds of script/torture. The whole of it, a hundred rounds, is run by hand and before releases."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_when_parts_are_killed_at_random_moments() -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "LOOP311_TEST_HOME")}
    done = subprocess.run(
        [sys.executable, "-m", "loop311.site.torture", "--rounds", "5"],
        env=environment, capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAIL" not in done.stdout
