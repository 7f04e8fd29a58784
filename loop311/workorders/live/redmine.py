"""A real Redmine of its own, from Debian's packages `redmine` and `redmine-sqlite`, in a temporary folder: for tests.

Nothing of the machine's own Redmine is used or changed: the program's files are copied beside a database and files of this one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from loop311.kit.ports import free_port
from loop311.workorders.live.processes import spawn

PROGRAM = Path("/usr/share/redmine")
NEEDED = ("ruby", "puma", "setpriv")
READY_WITHIN = 120.0
"""Seconds until it answers, on a loaded machine."""

_BUNDLER = "2.3.15"
"""Debian's own. A security update of Ruby brought a newer one beside it that does not find Debian's gems."""

_MADE = Path(__file__).with_name("redmine.rb")


def missing() -> str:
    """What keeps a Redmine from being started here, in one sentence; empty when nothing does."""
    programs = [name for name in NEEDED if shutil.which(name) is None]
    if not (PROGRAM / "config.ru").exists():
        programs.append("redmine")
    return f"No live Redmine: {', '.join(programs)} is not installed on this machine." if programs else ""


class LiveRedmine:
    """One Redmine: `start`, `kill` and `stop` as often as wanted; what it knows stays in its folder."""

    def __init__(self, home: Path, *, markup: str = "textile") -> None:
        self.root, self.port = home / "redmine", free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            "PATH": os.environ["PATH"],  # and nothing else of ours: Rails would take our DATABASE_URL for its own
            "LANG": "C.UTF-8",
            "HOME": str(self.root),
            "BUNDLER_VERSION": _BUNDLER,
            "RAILS_ENV": "production",
            "REDMINE_LANG": "en",
            "SCHEMA": "/dev/null",
            "MARKUP": markup,
            "RUBYOPT": "-W0",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._copy()
        self._run("bundle", "install", "--local", "--quiet")
        self._run("bin/rake", "db:migrate")
        self._run("bin/rake", "redmine:load_default_data")

        made: dict[str, Any] = json.loads(self._run("bin/rails", "runner", str(_MADE)).splitlines()[-1])
        self.key, self.their_key, self.number_field = str(made["loop311"]), str(made["foreman"]), int(made["field"])

    def _copy(self) -> None:
        skip = shutil.ignore_patterns("instances", "Gemfile*", "database.yml")
        shutil.copytree(PROGRAM, self.root, symlinks=False, ignore=skip)
        own = self.root / "instances" / "default"
        for folder in (own / "config", own / "log", own / "tmp", own / "files", self.root / "tmp", self.root / "log"):
            folder.mkdir(parents=True)
        gems = (PROGRAM / "Gemfile").read_text().replace(str(PROGRAM), str(self.root))
        (self.root / "Gemfile").write_text(gems + '\ngem "puma"\n')
        database = {"adapter": "sqlite3", "database": str(own / "redmine.sqlite3"), "timeout": 20_000}
        (own / "config" / "database.yml").write_text(json.dumps({"production": database}))  # YAML is JSON and more
        (own / "config" / "secret_key.txt").write_text("only-for-tests-" * 4)

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=self.root, env=self._environment, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout.strip()

    def start(self) -> None:
        """Back when it answers."""
        address = f"tcp://127.0.0.1:{self.port}"
        # One thread: SQLite's waiting for a lock stops all of a Ruby process, also the thread that holds it.
        command = ["puma", "-b", address, "-t", "1:1", "-e", "production"]
        self._process = spawn(command, self.root / "puma.log", folder=self.root, environment=self._environment)
        end = time.monotonic() + READY_WITHIN
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/login", timeout=20).status_code == 200:
                    return
            time.sleep(0.2)
        said = (self.root / "puma.log").read_text()[-2000:]
        self.kill()
        raise RuntimeError(f"Redmine did not begin to answer:\n{said}")

    def kill(self) -> None:
        """At once, as a power cut would: kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)

    stop = kill

    @property
    def foreman(self) -> Foreman:
        return Foreman(self)


class Foreman:
    """What the department's people do in their Redmine."""

    def __init__(self, redmine: LiveRedmine) -> None:
        self._redmine = redmine

    def ask(self, method: str, path: str, **arguments: Any) -> Any:
        headers = {"X-Redmine-API-Key": self._redmine.their_key, **arguments.pop("headers", {})}
        answer = httpx.request(method, self._redmine.url + path, headers=headers, timeout=30, **arguments)
        answer.raise_for_status()
        return answer.json() if answer.content.strip() else None

    def issues(self, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            arguments: Mapping[str, str | int] = {"status_id": "*", "limit": 100, "sort": "id", **query}
            page = self.ask("GET", "/issues.json", params={**arguments, "offset": len(found)})
            found += page["issues"]
            if len(found) >= page["total_count"]:
                return found

    def issue(self, key: str) -> dict[str, Any]:
        issue: dict[str, Any] = self.ask("GET", f"/issues/{key}.json?include=journals,attachments")["issue"]
        return issue

    def work(self, key: str, *, status: str = "", notes: str = "", photo: bytes = b"") -> None:
        fields: dict[str, Any] = {"notes": notes}
        if status:
            listed = self.ask("GET", "/issue_statuses.json")["issue_statuses"]
            fields["status_id"] = next(row["id"] for row in listed if row["name"] == status)
        if photo:
            kind = {"Content-Type": "application/octet-stream"}
            put = self.ask("POST", "/uploads.json?filename=after.png", content=photo, headers=kind)
            token = put["upload"]["token"]
            fields["uploads"] = [{"token": token, "filename": "after.png", "content_type": "image/png"}]
        self.ask("PUT", f"/issues/{key}.json", json={"issue": fields})

    def page(self, path: str) -> str:
        """A page as their browser shows it."""
        with httpx.Client(base_url=self._redmine.url, follow_redirects=True, timeout=30) as web:
            form = web.get("/login").text
            token = form.split('name="authenticity_token" value="')[1].split('"')[0]
            fields = {"username": "foreman", "password": "only-for-tests", "authenticity_token": token}
            web.post("/login", data=fields)
            return web.get(urljoin(self._redmine.url, path)).text


@contextmanager
def live_redmine(home: Path, *, markup: str = "textile") -> Iterator[LiveRedmine]:
    redmine = LiveRedmine(home, markup=markup)
    redmine.start()
    try:
        yield redmine
    finally:
        redmine.stop()
