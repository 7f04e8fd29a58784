"""Redmine's REST API as the connector needs it: bounded answers, and failures told apart by whether Redmine may have acted."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import msgspec

from loop311.kit.clock import now
from loop311.kit.structs import learn
from loop311.workorders.connectors.base import CannotTell

MOST_BYTES = 8_000_000
PAGE = 100
"""Redmine gives at most 100 at once."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Query = Mapping[str, str | int]
T = TypeVar("T")


class NotTaken(Exception):
    """Redmine has certainly not acted."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason, self.after = reason, after


class Lost(Exception):
    """Redmine may have acted or not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Heard(msgspec.Struct, frozen=True):
    """An answer of 2xx, 403, 404 or 422."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def errors(self) -> str:
        """What Redmine says is wrong, in one line."""
        try:
            said = msgspec.json.decode(self.body, type=Errors).errors
        except msgspec.DecodeError:
            return f"Redmine answered {self.status}"
        return "; ".join(said)[:300] or f"Redmine answered {self.status}"


class Errors(msgspec.Struct):
    errors: list[str] = []


class Named(msgspec.Struct):
    id: int
    name: str = ""


class Status(Named):
    is_closed: bool = False


class Statuses(msgspec.Struct):
    issue_statuses: list[Status]


class Priorities(msgspec.Struct):
    issue_priorities: list[Named]


class Project(msgspec.Struct):
    id: int
    name: str
    identifier: str
    status: int = 1
    """1 is active; anything else takes no issues."""
    trackers: list[Named] = []
    issue_custom_fields: list[Named] = []


class ProjectAnswer(msgspec.Struct):
    project: Project


class User(msgspec.Struct):
    id: int


class UserAnswer(msgspec.Struct):
    user: User


class CustomValue(msgspec.Struct):
    id: int
    value: str | list[str] | None = None


class Detail(msgspec.Struct):
    """One field that a journal changed: property 'attr' and name 'status_id', property 'attachment' and name its id ..."""

    property: str
    name: str
    new_value: str | list[str] | None = None


class Journal(msgspec.Struct):
    id: int
    created_on: datetime
    user: Named | None = None
    notes: str | None = None
    details: list[Detail] = []


class Attachment(msgspec.Struct):
    id: int
    filename: str = ""
    content_type: str | None = None
    content_url: str = ""


class Issue(msgspec.Struct):
    id: int
    status: Named
    updated_on: datetime
    created_on: datetime | None = None
    subject: str = ""
    custom_fields: list[CustomValue] = []
    journals: list[Journal] = []
    attachments: list[Attachment] = []


class IssueAnswer(msgspec.Struct):
    issue: Issue


class Issues(msgspec.Struct):
    issues: list[Issue]
    total_count: int


class Uploaded(msgspec.Struct):
    token: str


class UploadAnswer(msgspec.Struct):
    upload: Uploaded


class Api:
    """One conversation: `with Api(...) as api`. Everything asked for is asked once in it."""

    def __init__(self, url: str, key: str, *, timeout: float, transport: httpx.BaseTransport | None = None) -> None:
        self.url, self._timeout = url.rstrip("/"), timeout
        self._http = httpx.Client(
            headers={"X-Redmine-API-Key": key, "User-Agent": "Loop311", "Accept": "application/json"},
            timeout=httpx.Timeout(timeout, connect=min(5.0, timeout)),
            transport=transport,
            verify=_trusted() if self.url.startswith("https:") else False,
            follow_redirects=False,
        )
        self.skew = timedelta()
        """How much later it is there than here, by the last answer that said what time it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    # --- One call ----------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, *, query: Query | None = None, body: object = None) -> Heard:
        """Raises NotTaken or Lost for everything that is not an answer about the thing asked."""
        content = None if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        try:
            with self._http.stream(
                method, self.url + path, params=query, content=content, headers={"Content-Type": kind}
            ) as answer:
                return self._heard(answer)
        except _NOT_SENT as error:
            raise NotTaken(f"Redmine cannot be reached ({type(error).__name__}).") from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
            raise NotTaken("The address or the key of Redmine cannot be used.") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Lost(f"Redmine's answer was lost ({type(error).__name__}).") from error

    def _heard(self, answer: httpx.Response) -> Heard:
        self._look_at_the_clock(answer.headers.get("Date", ""))
        body = self._bounded(answer)
        status = answer.status_code
        if status == 401:
            raise NotTaken("Redmine does not accept the key: renew it.")
        if status in (429, 503):
            raise NotTaken(f"Redmine asks to wait ({status}).", _after(answer.headers.get("Retry-After", "")))
        if 300 <= status < 400:
            raise NotTaken("Redmine's address has moved: it answers with a redirection.")
        if 200 <= status < 300 or status in (403, 404, 422):
            return Heard(status, body)
        if 400 <= status < 500 and status != 408:
            return Heard(422, body)
        raise Lost(f"Redmine failed ({status}).")

    def _bounded(self, answer: httpx.Response) -> bytes:
        end, body = time.monotonic() + self._timeout, b""
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > MOST_BYTES or time.monotonic() > end:
                raise Lost("Redmine's answer is too long or too slow.")
        return body

    def _look_at_the_clock(self, date: str) -> None:
        try:
            theirs = parsedate_to_datetime(date)
        except ValueError:
            return  # puma alone says no time; the servers that stand before it do
        self.skew = theirs - now() if theirs.tzinfo else self.skew

    # --- Reading -----------------------------------------------------------------------------------------------------

    def read(self, path: str, kind: type[T], query: Query | None = None) -> T:
        """Raises CannotTell, also for 'not found'."""
        return self.decoded(self._asked(path, query), kind, path)

    def find(self, path: str, kind: type[T], query: Query | None = None) -> T | None:
        """None when it is not there, or not ours to see any more. Raises CannotTell."""
        heard = self._asked(path, query)
        return None if heard.status in (403, 404) else self.decoded(heard, kind, path)

    def _asked(self, path: str, query: Query | None) -> Heard:
        try:
            return self.call("GET", path, query=query)
        except (NotTaken, Lost) as error:
            raise CannotTell(error.reason) from error

    def decoded(self, heard: Heard, kind: type[T], path: str) -> T:
        if not heard.is_good:
            raise CannotTell(f"{path}: {heard.errors}.")
        try:
            return msgspec.json.decode(heard.body, type=kind)
        except msgspec.DecodeError as error:
            raise CannotTell(f"{path}: that is no answer of Redmine's.") from error

    @cached_property
    def me(self) -> int:
        """Our user there."""
        return self.read("/users/current.json", UserAnswer).user.id

    def knock(self) -> int:
        """Before every list: a Redmine that is open to the world answers a wrong key with empty lists. Raises CannotTell."""
        return self.me

    @cached_property
    def statuses(self) -> dict[int, Status]:
        return {status.id: status for status in self.read("/issue_statuses.json", Statuses).issue_statuses}

    @cached_property
    def priorities(self) -> dict[str, int]:
        listed = self.read("/enumerations/issue_priorities.json", Priorities).issue_priorities
        return {priority.name: priority.id for priority in listed}

    def project(self, identifier: str) -> Project | None:
        found = self.find(f"/projects/{identifier}.json", ProjectAnswer, {"include": "trackers,issue_custom_fields"})
        return found.project if found else None

    def issue(self, key: str) -> Issue | None:
        found = self.find(f"/issues/{key}.json", IssueAnswer, {"include": "journals,attachments"})
        return found.issue if found else None

    def issues(self, query: Query) -> list[Issue]:
        """All that match, in the order of their ids, with none left out because another one went while we were paging."""
        self.knock()
        for _ in range(3):
            found = list(self._paged({"status_id": "*", **query, "sort": "id", "limit": PAGE}))
            if found and found[-1] is None:
                continue
            return list({issue.id: issue for issue in found if issue}.values())
        raise CannotTell("Redmine's list changes faster than it can be read.")

    def _paged(self, query: Query) -> Iterator[Issue | None]:
        """None at the end when the list became shorter between two pages: then a row may have slipped past us."""
        offset, before = 0, 0
        while True:
            page = self.read("/issues.json", Issues, {**query, "offset": offset})
            if page.total_count < before:
                yield None
                return
            yield from page.issues
            offset, before = offset + PAGE, page.total_count
            if offset >= page.total_count:
                return


def payload(**fields: Any) -> dict[str, dict[str, Any]]:
    """The body of a change: only what is said."""
    return {"issue": {name: value for name, value in fields.items() if value is not None}}


def _after(text: str) -> timedelta | None:
    return timedelta(seconds=min(int(text), 86_400)) if text.isdigit() else None


@lru_cache(1)
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


learn(Errors, Statuses, Priorities, ProjectAnswer, UserAnswer, IssueAnswer, Issues, UploadAnswer)
