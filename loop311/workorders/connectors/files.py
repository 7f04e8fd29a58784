"""Files in a folder or over SFTP, for departments that have nothing else: docs/reference/work-order-files.md.

Each thing said is one numbered file that is dropped whole. What was dropped is also kept, so that saying it twice drops it once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncssh

from loop311.workorders.connectors import file_rows
from loop311.workorders.connectors.base import (
    Answer,
    CannotTell,
    Change,
    ChangeKind,
    Done,
    Kind,
    Options,
    Outgoing,
    Report,
    Setup,
    Tested,
    TheirState,
    TryLater,
    Unknown,
    Unreadable,
)
from loop311.workorders.connectors.places import MOST_BYTES, Account, Away, Broken, Entry, Folder, Place, Sftp

OUT, IN, REJECTED = "out", "in", "rejected"
SENT, READ, NUMBERS = "kept/sent", "kept/read", "kept/numbers"
STANDING = "standing"
"""Their lists of everything that is open there begin with this word."""
_NUMBERS_KEPT = 50
_HOUR = 3600


class FileOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What both kinds have."""

    time_zone: str = ""
    """Of their times that name none; without it such rows are rejected."""
    settle_seconds: int = 60
    """A file without a marker is read when it has not changed for so long; 0: only files with a marker are read."""
    fetched_within_hours: int = 24
    """The link is broken when a file of ours has lain there for longer; 0: they never take files away."""
    standing_within_hours: int = 0
    """They drop a list of everything open at least this often; 0: they have no such list."""

    def __post_init__(self) -> None:
        if min(self.settle_seconds, self.fetched_within_hours, self.standing_within_hours) < 0:
            raise ValueError("settle_seconds, fetched_within_hours and standing_within_hours are not negative")
        self.zone  # noqa: B018 - a zone that is not known is said at once

    @property
    def zone(self) -> ZoneInfo | None:
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else None
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"time_zone: there is no zone {self.time_zone!r}") from None


class FolderOptions(FileOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`settings` of a link of kind folder."""

    folder: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not Path(self.folder).is_absolute():
            raise ValueError("folder: a whole path is needed")


class SftpOptions(FileOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`settings` of a link of kind sftp. The secret is a private key without passphrase, or a password."""

    host: str
    user: str
    host_key: str
    """The server's public key: 'ssh-ed25519 AAAA...'"""
    port: int = 22
    folder: str = "."

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            asyncssh.import_public_key(self.host_key)
        except (asyncssh.KeyImportError, ValueError):
            raise ValueError("host_key: that is no public key; write 'ssh-ed25519 AAAA...'") from None


class Files:
    """The connector. Our mark is their key: a file knows no other."""

    repeats_safely: ClassVar[bool] = True

    def __init__(self, setup: Setup, place: Place) -> None:
        self._options: FileOptions = setup.options
        self._place = place
        self._knows = setup.knows
        self._given: dict[str, str] = {}
        """File of theirs -> digest of what the last poll read in it."""

    # --- Saying ------------------------------------------------------------------------------------------------------

    def create(self, order: Outgoing) -> Answer:
        message = _message(f"create:{order.reference}")
        return self._say(order, "create", message, lambda: file_rows.order_row(order, message))

    def update(self, order: Outgoing, change: Change) -> Answer:
        message = _message(change.id)
        answer = self._say(order, str(change.kind), message, lambda: file_rows.change_row(order, change, message))
        if change.kind is ChangeKind.ERASED and isinstance(answer, Done):
            return self._forget(order, answer)
        return answer

    def cancel(self, order: Outgoing, why: str) -> Answer:
        message = _message(f"cancel:{order.reference}")
        return self._say(order, "cancel", message, lambda: file_rows.cancel_row(order, why, message))

    def _say(self, order: Outgoing, action: str, message: str, row: Callable[[], Mapping[str, str]]) -> Answer:
        try:
            with self._place as place:
                self._drop(place, order.reference, action, message, row)
        except Away as error:
            return TryLater(reason=str(error))
        except Broken as error:
            return Unknown(reason=str(error))
        return Done(their_key=order.reference)

    def _drop(
        self, place: Place, reference: str, action: str, message: str, row: Callable[[], Mapping[str, str]]
    ) -> None:
        """Number it, keep it, drop it, drop its digest, note that it was dropped: each step once, in whatever step we die."""
        kept = f"{SENT}/{_safe(reference)}"
        name = next((e.name for e in place.entries(kept) if e.name.endswith(f"-{message}.csv")), "")
        if not name:
            name = _numbered(place, f"{action}-{_safe(reference)}-{message}.csv")
            place.put(f"{kept}/{name}", file_rows.written([row()]))
        if place.has(f"{kept}/{name}.sha256"):
            return
        data = place.read(f"{kept}/{name}")
        digest = f"{_digest(data)}  {name}\n".encode()
        place.put(f"{OUT}/{name}", data)
        place.put(f"{OUT}/{name}.sha256", digest)
        place.put(f"{kept}/{name}.sha256", digest)

    def _forget(self, order: Outgoing, answer: Answer) -> Answer:
        """The words in what we kept; that it was said stays known by its name."""
        kept = f"{SENT}/{_safe(order.reference)}"
        try:
            with self._place as place:
                for entry in place.entries(kept):
                    if entry.size and entry.name.endswith(".csv") and place.has(f"{kept}/{entry.name}.sha256"):
                        place.remove(f"{kept}/{entry.name}")
                        place.put(f"{kept}/{entry.name}", b"")
        except (Away, Broken) as error:
            return Unknown(reason=str(error))
        return answer

    # --- Asking ------------------------------------------------------------------------------------------------------

    def lookup(self, order: Outgoing) -> Report | None:
        kept = f"{SENT}/{_safe(order.reference)}"
        ending = f"-{_message(f'create:{order.reference}')}.csv.sha256"
        try:
            with self._place as place:
                found = next((entry for entry in place.entries(kept) if entry.name.endswith(ending)), None)
        except (Away, Broken) as error:
            raise CannotTell(str(error)) from error
        if found is None:
            return None
        at = datetime.fromtimestamp(found.changed, UTC)
        return Report(id=f"sent:{order.reference}", their_key=order.reference, reference=order.reference, at=at)

    def poll(self, since: datetime) -> Iterable[Report]:
        """All that lies there, whenever it happened: it stays until `took`."""
        heard: list[Report] = []
        self._given = {}
        try:
            with self._place as place:
                now = datetime.fromtimestamp(place.now(), UTC)
                for entry, data in self._ready(place):
                    if entry.name.startswith(STANDING):
                        continue
                    heard += self._read(place, entry, data, now)
                    self._given[entry.name] = _digest(data)
        except (Away, Broken) as error:
            raise CannotTell(str(error)) from error
        return sorted(heard, key=lambda report: report.at)

    def took(self) -> None:
        """What the last poll gave is written down here: its files are put away. Raises CannotTell; then it is given again."""
        try:
            with self._place as place:
                day = f"{READ}/{datetime.fromtimestamp(place.now(), UTC):%Y-%m-%d}"
                for name, digest in self._given.items():
                    _put_away(place, name, digest, day)
        except (Away, Broken) as error:
            raise CannotTell(str(error)) from error
        self._given = {}

    def _ready(self, place: Place) -> Iterator[tuple[Entry, bytes]]:
        """Their files that are whole, in the order of their names."""
        entries = {entry.name: entry for entry in place.entries(IN)}
        now = place.now() if entries else 0.0
        for name, entry in sorted(entries.items()):
            if not name.casefold().endswith(".csv") or name.startswith("."):
                continue
            marked = f"{name}.done" in entries or f"{name}.sha256" in entries
            if not marked and (not self._options.settle_seconds or now - entry.changed < self._options.settle_seconds):
                continue
            data = place.read(f"{IN}/{name}")
            if f"{name}.sha256" in entries and not _fits(place.read(f"{IN}/{name}.sha256"), data):
                continue  # not all of it is there yet; `test` says so when it stays like that
            yield entry, data

    def _read(self, place: Place, entry: Entry, data: bytes, now: datetime) -> list[Report]:
        """The good rows; the others are put where their sender and our staff see them."""
        try:
            if len(data) > MOST_BYTES:
                raise file_rows.NoTable(f"The file is larger than {MOST_BYTES // 1_000_000} MB.")
            good, bad = file_rows.reports(data, zone=self._options.zone, now=now, knows=self._knows)
        except file_rows.NoTable as error:
            good, bad = [], [file_rows.Bad(0, str(error))]
        if bad:
            place.put(f"{REJECTED}/{_digest(data)[:12]}-{entry.name}", file_rows.rejected(bad))
        return good + file_rows.complaints(bad, entry.name, datetime.fromtimestamp(entry.changed, UTC))

    def receive(self, headers: Mapping[str, str], body: bytes) -> Iterable[Report]:
        raise Unreadable("Files do not call; they are fetched.")

    def reconcile(self, keys: Sequence[str]) -> Iterable[TheirState]:
        """Their newest list of what is open there; where they have none, what we have dropped, without a status."""
        try:
            with self._place as place:
                if self._options.standing_within_hours:
                    return self._standing(place)
                return [_dropped(key) for key in keys if place.entries(f"{SENT}/{_safe(key)}")]
        except (Away, Broken) as error:
            raise CannotTell(str(error)) from error

    def _standing(self, place: Place) -> list[TheirState]:
        lists = [(entry.changed, entry, data) for entry, data in self._ready(place) if entry.name.startswith(STANDING)]
        if not lists:
            raise CannotTell("They have dropped no list of what is open there.")
        newest, entry, data = max(lists, key=lambda each: each[0])
        if place.now() - newest > self._options.standing_within_hours * _HOUR:
            raise CannotTell("Their newest list of what is open there is too old.")
        for _, older, old in lists:
            if older.name != entry.name:
                _put_away(place, older.name, _digest(old), f"{READ}/{STANDING}")
        try:
            return file_rows.standing(data, zone=self._options.zone)
        except file_rows.NoTable as error:
            raise CannotTell(f"{entry.name}: {error}") from error

    def test(self) -> Tested:
        try:
            with self._place as place:
                now = place.now()
                limit = self._options.fetched_within_hours * _HOUR
                if limit and any(now - entry.changed > limit for entry in place.entries(OUT)):
                    hours = self._options.fetched_within_hours
                    return Tested(ok=False, words=f"Their side has not taken our files away for {hours} hours.")
                return Tested(ok=True, words=_to_mend(place, now) or "The folder can be used.")
        except (Away, Broken) as error:
            return Tested(ok=False, words=str(error))


def _to_mend(place: Place, now: float) -> str:
    """What of theirs cannot be read; all else goes on."""
    bad = [entry for entry in place.entries(REJECTED) if not entry.name.startswith(".")]
    if bad:
        return f"{len(bad)} of their files have rows that cannot be read: see {REJECTED}; mend, put into {IN}, delete there."
    stuck = [e for e in place.entries(IN) if now - e.changed > _HOUR and not e.name.startswith((".", STANDING))]
    if stuck:
        return f"{stuck[0].name} has lain in {IN} for an hour: it is not whole, or no .csv file."
    return ""


def _numbered(place: Place, rest: str) -> str:
    """The next number is whose file is there first."""
    taken = sorted(int(entry.name) for entry in place.entries(NUMBERS) if entry.name.isdigit())
    number = taken[-1] + 1 if taken else 1
    while not place.put(f"{NUMBERS}/{number:08d}", f"{rest}\n".encode()):
        number += 1
    for old in taken[:-_NUMBERS_KEPT]:
        place.remove(f"{NUMBERS}/{old:08d}")
    return f"{number:08d}-{rest}"


def _put_away(place: Place, name: str, digest: str, folder: str) -> None:
    """Unless there is another file under its name by now: that one has not been read."""
    if not place.has(f"{IN}/{name}") or _digest(place.read(f"{IN}/{name}")) != digest:
        return
    away = f"{folder}/{digest[:12]}-{name}"
    place.move(f"{IN}/{name}", away)
    if (moved := _digest(place.read(away))) != digest:  # exchanged in this very instant
        place.move(away, f"{IN}/{moved[:12]}-{name}")
        return
    for marker in (".sha256", ".done"):
        place.remove(f"{IN}/{name}{marker}")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _dropped(key: str) -> TheirState:
    return TheirState(their_key=key, reference=key)


def _fits(marker: bytes, data: bytes) -> bool:
    said = marker.decode("ascii", "replace").split()
    return bool(said) and said[0].casefold() == _digest(data)


def _message(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _safe(text: str) -> str:
    """As a part of a path."""
    return re.sub(r"[^0-9A-Za-z-]|^(?=-)", "_", text.replace(".", "_")) or "_"


def _folder(setup: Setup) -> Files:
    options: FolderOptions = setup.options
    return Files(setup, Folder(Path(options.folder)))


def _sftp(setup: Setup) -> Files:
    options: SftpOptions = setup.options
    account = Account(options.host, options.port, options.user, options.folder, options.host_key, setup.secret)
    return Files(setup, Sftp(account, timeout=setup.timeout))


FOLDER = Kind(
    make=_folder,
    options=FolderOptions,
    summary="CSV files in a folder of this machine",
    needs_secret=False,
    names_records=False,
)
SFTP = Kind(make=_sftp, options=SftpOptions, summary="CSV files in a folder of an SFTP server", names_records=False)
