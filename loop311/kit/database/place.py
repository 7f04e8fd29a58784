"""Where a home's own PostgreSQL lives, and as which system user it runs. Looks only; makes and changes nothing."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

ELSEWHERE = Path("/var/lib/loop311")
"""As root, where the data go when the server's user cannot reach the home folder."""

POINTER = "postgres.at"
"""File in the home folder that says where the data are, when they are not in it."""

LONGEST_SOCKET_PATH = 103
"""Bytes of a socket's path that every system takes: Linux 107, macOS 103."""

_SOCKET_FILE = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Account:
    """A system user."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of one embedded server."""

    home: Path
    base: Path
    socket: Path
    """The folder of the socket: the HOST of a connection."""

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def log(self) -> Path:
        return self.base / "log" / "postgres.log"


def place_of(home: Path, *, elsewhere: Path = ELSEWHERE) -> Place:
    """The same answer in every process: what the pointer says, else inside `home`, else `elsewhere` by a digest of `home`."""
    home = home.resolve()
    inside = home / "postgres"
    base = _pointed(home) or inside
    if base is inside and os.geteuid() == 0 and not inside.exists():
        base = inside if _serves(inside, account_of(inside)) else elsewhere.resolve() / _digest(home)
    return Place(home=home, base=base, socket=_socket_folder(base))


def account_of(base: Path) -> Account:
    """Who runs the server: ourselves; as root the owner of the data, else `postgres` where it exists, else `nobody`."""
    uid = os.geteuid()
    if uid == 0:
        data = base / "data"
        if data.exists():
            return _account(pwd.getpwuid(data.stat().st_uid))
        return _account(_first_known("postgres", "nobody"))
    return _own_account(uid)


def can_enter(folder: Path, account: Account) -> bool:
    """May `account` pass through `folder` (or its nearest existing parent) and everything above it?"""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    groups = set(os.getgrouplist(account.name, account.gid))
    return all(_may_pass(step.stat(), account.uid, groups) for step in (existing, *existing.parents))


def fits(folder: Path) -> bool:
    """Is a socket's path in this folder short enough?"""
    return len(os.fsencode(folder / _SOCKET_FILE)) <= LONGEST_SOCKET_PATH


def _serves(base: Path, account: Account) -> bool:
    return can_enter(base, account) and fits(base / "socket")


def _socket_folder(base: Path) -> Path:
    inside = base / "socket"
    if fits(inside):
        return inside
    owner = base.stat().st_uid if base.exists() else os.geteuid()
    return Path(f"/tmp/loop311-{owner}") / _digest(base)  # noqa: S108 - made 0700 and checked to be ours before it is used


def _pointed(home: Path) -> Path | None:
    try:
        text = (home / POINTER).read_text().strip()
        return Path(text) if text else None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _may_pass(status: os.stat_result, uid: int, groups: set[int]) -> bool:
    if status.st_uid == uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid in groups:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _first_known(*names: str) -> pwd.struct_passwd:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next((known[name] for name in names if name in known), None) or pwd.getpwuid(65534)


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _own_account(uid: int) -> Account:
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        # A container may run a user id that has no name; PostgreSQL's peer check then has nothing to compare.
        return Account("", uid, os.getegid())
