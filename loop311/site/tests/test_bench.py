"""The bench still measures every path; how fast they are is no matter of a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_the_bench_measures_every_hot_path_at_every_size() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "LOOP311_HOME")}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--json"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    results = json.loads(done.stdout)
    verdicts = [result for result in results if not result["unit"]]
    assert [result for result in verdicts if result["value"] or not result["kept"]] == [], done.stderr[-3000:]
    assert len(verdicts) == 5
    assert all(result["value"] > 0 for result in results if result["unit"])
    assert {(result["path"], result["size"]) for result in results if result["floor"]} == {
        (path, size)
        for path in ("list of a team", "filing", "filing, service alone", "Open311 list", "Open311 filing")
        for size in (300, 900)
    }
    assert {_plain(result["path"]) for result in results if not result["floor"] and result["unit"]} >= {
        "areas, singly", "areas, in bulk", "promise additions", "promises planned",
        "open nearby", "import, new rows", "import, unchanged",
        "suggestion, learned part", "suggestion", "knowledge",
        "desk: caller found", "desk: service proposed, a key", "desk: address suggested, a key",
        "desk: known there, whose, promised", "desk: answer found", "desk: saved, with number", "3 desks: everything",
        "Open311 list, flat", "Open311 services, unchanged", "Open311 long list, memory",
    }  # fmt: skip


def _plain(path: str) -> str:
    return path.removesuffix(", p50").removesuffix(", p99")
