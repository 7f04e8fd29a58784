"""Where files are exchanged: a folder of this machine or one over SFTP. Whole files only, and none is ever written over."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
import time
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import asyncssh

MOST_BYTES = 50_000_000
MOST_FILES = 20_000

T = TypeVar("T")


class Away(Exception):
    """The place cannot be used now; nothing was written."""


class Broken(Exception):
    """It failed while we were at it."""


@dataclass(frozen=True, slots=True)
class Entry:
    name: str
    size: int
    changed: float
    """Seconds since 1970 by the place's own clock."""


class Place(Protocol):
    """A `with` block is one visit. Paths are relative, with '/'. Raises Away from entering, Broken from all else."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def entries(self, folder: str) -> list[Entry]:
        """The plain files in it; empty where there is no such folder."""
        ...

    def has(self, path: str) -> bool: ...

    def read(self, path: str) -> bytes: ...

    def put(self, path: str, data: bytes) -> bool:
        """Under its name only when it is whole. False, and nothing changed, when there is such a file. Makes the folder."""
        ...

    def move(self, path: str, to: str) -> None:
        """Nothing happens when it is there already, or gone."""
        ...

    def remove(self, path: str) -> None: ...

    def now(self) -> float:
        """What time it is there."""
        ...


class Folder:
    """A folder of this machine, or one mounted into it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __enter__(self) -> Self:
        if not self._root.is_dir():
            raise Away(f"There is no folder {self._root}.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise Broken(f"The folder cannot be used ({error.strerror}).") from error

    def entries(self, folder: str) -> list[Entry]:
        found = []
        with suppress(FileNotFoundError), os.scandir(self._root / folder) as rows:
            for row in rows:
                if row.is_file():
                    about = row.stat()
                    found.append(Entry(row.name, about.st_size, about.st_mtime))
        return found

    def has(self, path: str) -> bool:
        return (self._root / path).exists()

    def read(self, path: str) -> bytes:
        with (self._root / path).open("rb") as file:
            return file.read(MOST_BYTES + 1)

    def put(self, path: str, data: bytes) -> bool:
        final = self._root / path
        if final.exists():
            return False
        final.parent.mkdir(parents=True, exist_ok=True)
        draft = final.with_name(_draft())
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            return _name(draft, final)
        finally:
            draft.unlink(missing_ok=True)

    def move(self, path: str, to: str) -> None:
        source, target = self._root / path, self._root / to
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            if target.exists():
                source.unlink()
            else:
                source.rename(target)

    def remove(self, path: str) -> None:
        (self._root / path).unlink(missing_ok=True)

    def now(self) -> float:
        return time.time()


def _name(draft: Path, final: Path) -> bool:
    """Give the whole file its name, unless somebody was quicker."""
    try:
        os.link(draft, final)
    except FileExistsError:
        return False
    except OSError:  # mounted Windows shares know no links
        draft.rename(final)
    return True


@dataclass(frozen=True, slots=True)
class Account:
    host: str
    port: int
    user: str
    path: str
    host_key: str
    secret: str
    """A private key, or a password."""


class Sftp:
    """A folder on a server that is who it says: its key is known before."""

    def __init__(self, account: Account, *, timeout: float) -> None:
        self._account, self._timeout = account, timeout
        self._loop: asyncio.Runner | None = None
        self._open = AsyncExitStack()
        self._files: asyncssh.SFTPClient

    def __enter__(self) -> Self:
        self._loop = asyncio.Runner()
        try:
            self._run(self._connect())
        except (Broken, asyncssh.Error, OSError, ValueError) as error:
            self._end()
            raise Away(f"The SFTP server cannot be used ({_why(error)}).") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._loop is not None:
            with suppress(Broken):
                self._run(self._open.aclose())
            self._loop.close()
            self._loop = None

    async def _connect(self) -> None:
        account = self._account
        is_key = account.secret.lstrip().startswith("-----BEGIN")
        known = asyncssh.import_public_key(account.host_key)
        connection = await self._open.enter_async_context(
            asyncssh.connect(
                account.host,
                account.port,
                username=account.user,
                password=None if is_key else account.secret,
                client_keys=[asyncssh.import_private_key(account.secret.strip() + "\n")] if is_key else None,
                known_hosts=([known], [], []),
                agent_path=None,
                config=None,
            )
        )
        self._files = await self._open.enter_async_context(connection.start_sftp_client())
        await self._files.chdir(account.path)

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            raise Broken("The visit has ended.")
        try:
            return self._loop.run(asyncio.wait_for(doing, self._timeout))
        except (asyncssh.Error, OSError, TimeoutError) as error:
            raise Broken(f"The SFTP server failed ({_why(error)}).") from error

    def entries(self, folder: str) -> list[Entry]:
        return self._run(self._entries(folder))

    async def _entries(self, folder: str) -> list[Entry]:
        found: list[Entry] = []
        with suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            async for row in self._files.scandir(folder):
                about = row.attrs
                if about.permissions is not None and stat.S_ISREG(about.permissions) and len(found) < MOST_FILES:
                    found.append(Entry(str(row.filename), about.size or 0, float(about.mtime or 0)))
        return found

    def has(self, path: str) -> bool:
        return self._run(self._files.exists(path))

    def read(self, path: str) -> bytes:
        return self._run(self._read(path))

    async def _read(self, path: str) -> bytes:
        async with self._files.open(path, "rb") as file:
            data: object = await file.read(MOST_BYTES + 1)
        if not isinstance(data, bytes):
            raise OSError("A file opened as bytes gave text.")
        return data

    def put(self, path: str, data: bytes) -> bool:
        return self._run(self._put(path, data))

    async def _put(self, path: str, data: bytes) -> bool:
        if await self._files.exists(path):
            return False
        folder = path.rpartition("/")[0]
        await self._files.makedirs(folder, exist_ok=True)
        draft = f"{folder}/{_draft()}"
        try:
            async with self._files.open(draft, "xb") as file:
                await file.write(data)
            return await self._renamed(draft, path)
        finally:
            with suppress(asyncssh.SFTPError):
                await self._files.remove(draft)

    async def _renamed(self, path: str, to: str) -> bool:
        """SFTP's own renaming never writes over a file."""
        try:
            await self._files.rename(path, to)
        except asyncssh.SFTPError:
            if await self._files.exists(to):
                return False
            raise
        return True

    def move(self, path: str, to: str) -> None:
        self._run(self._move(path, to))

    async def _move(self, path: str, to: str) -> None:
        await self._files.makedirs(to.rpartition("/")[0], exist_ok=True)
        with suppress(asyncssh.SFTPNoSuchFile):
            if not await self._renamed(path, to):
                await self._files.remove(path)

    def remove(self, path: str) -> None:
        self._run(self._remove(path))

    async def _remove(self, path: str) -> None:
        with suppress(asyncssh.SFTPNoSuchFile):
            await self._files.remove(path)

    def now(self) -> float:
        return self._run(self._now())

    async def _now(self) -> float:
        """Nothing in SFTP tells the time: a file made just now does."""
        probe = _draft()
        async with self._files.open(probe, "xb"):
            pass
        try:
            return float((await self._files.stat(probe)).mtime or time.time())
        finally:
            await self._files.remove(probe)


def _draft() -> str:
    return f".{secrets.token_hex(8)}.tmp"


def _why(error: BaseException) -> str:
    """What kind of failure; never its text, which may name users and paths."""
    cause = error.__cause__ if isinstance(error, Broken) and error.__cause__ else error
    return type(cause).__name__
