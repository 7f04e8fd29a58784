"""A mistake in an environment variable is one sentence on standard error, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LOOP311_PORT", "abc", "LOOP311_PORT must be a whole number from 1 to 65535, not 'abc'."),
        ("LOOP311_PORT", "99999", "LOOP311_PORT must be a whole number from 1 to 65535, not '99999'."),
        ("LOOP311_BASE_URL", "311.your.city", "LOOP311_BASE_URL must look like https://311.your.city"),
        ("LOOP311_SMTP_URL", "mail.your.city", "LOOP311_SMTP_URL must look like smtp://"),
        ("LOOP311_TRUSTED_PROXIES", "-1", "LOOP311_TRUSTED_PROXIES must be a whole number from 0 to 20"),
        (
            "LOOP311_SECRET_KEY",
            "port-alder",
            "LOOP311_SECRET_KEY must have at least 32 characters, drawn by chance; it has 10",
        ),
        ("LOOP311_CONTACT_HOURS", "soon", "LOOP311_CONTACT_HOURS must be a number of hours, not 'soon'."),
    ],
)
def test_a_mistake_in_the_environment_is_one_sentence(tmp_path: Path, name: str, value: str, says: str) -> None:
    environment = {**os.environ, "LOOP311_HOME": str(tmp_path), name: value}
    command = [sys.executable, "-m", "loop311.site", "jurisdiction", "list"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Error: {says}")
    assert ended.stderr.count("\n") == 1


ASK = """
import django; django.setup()
from django.test import Client
for host in ("311.your.city", "127.0.0.1:8311", "localhost:8311", "evil.example"):
    print(Client().get("/healthz", headers={"Host": host}).status_code)
"""


def test_a_real_deployment_is_watched_on_its_own_machine_and_known_by_no_other_name(tmp_path: Path) -> None:
    chosen = {"LOOP311_HOME": str(tmp_path), "LOOP311_BASE_URL": "https://311.your.city/"}
    environment = {**os.environ, **chosen, "DJANGO_SETTINGS_MODULE": "loop311.site.settings", "DATABASE_URL": ""}
    ended = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == ["503", "503", "503", "400"]  # no database runs here
