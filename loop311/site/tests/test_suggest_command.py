"""`loop311 suggest train` as people call it, and who pays for its libraries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from loop311.requests.testing import make_city
from loop311.site.cli import main

ROOT = Path(__file__).parents[3]


@pytest.mark.django_db
def test_too_few_requests_are_one_sentence() -> None:
    make_city()
    done = CliRunner().invoke(main, ["suggest", "train", "elmville"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: elmville has only 0 requests with words under services it offers; 200 are needed to learn from.\n"
    )


def test_the_web_process_never_imports_scikit_learn() -> None:
    code = (
        "import sys; from loop311.site.wsgi import application; import loop311.site.urls, loop311.desk.suggesting;"
        "print([m for m in sys.modules if m.split('.')[0] in ('sklearn', 'scipy', 'joblib')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
