"""One call over HTTP that always ends: bounded in time as a whole, in size, and in where it may be led."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from loop311.georeport.profile import Profile
from loop311.georeport.sending import File, Pair, Value
from loop311.kit.clock import now

_REDIRECTS = 3
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Reply(Value, frozen=True, kw_only=True):
    status: int
    body: bytes
    headers: dict[str, str]
    """Names in lower case."""

    @property
    def retry_after(self) -> float | None:
        """Seconds that they ask us to wait."""
        written = self.headers.get("retry-after", "").strip()
        if written.isascii() and written.isdigit():
            return float(written[:6])
        with suppress(ValueError, TypeError):
            return max(0.0, (parsedate_to_datetime(written).astimezone(UTC) - now()).total_seconds())
        return None


class Lost(Exception):
    """No whole answer came. `was_sent` says whether they may have acted on it; `status` what the answer began with."""

    def __init__(self, reason: str, *, was_sent: bool, status: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.was_sent, self.status = reason, was_sent, status


class Wire:
    """Calls to one endpoint, one after the other; not for several threads at once."""

    def __init__(self, profile: Profile, transport: httpx.BaseTransport | None = None) -> None:
        limits = profile.limits
        headers = {"User-Agent": "Loop311"} | ({} if profile.accept_encoding else {"Accept-Encoding": "identity"})
        self._profile = profile
        self._streams: list[Any] = []
        self.skew: timedelta | None = None
        """Their clock less ours, by the last answer that had a date."""
        self._http = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds),
            headers=headers,
            follow_redirects=False,
        )

    def close(self) -> None:
        self._http.close()

    def get(self, address: str, query: Sequence[Pair]) -> Reply:
        """Led on at most three times, and only within the same machine's name. Raises Lost."""
        url = str(httpx.URL(address).copy_merge_params(httpx.QueryParams(list(query)))) if query else address
        for _ in range(_REDIRECTS + 1):
            reply = self._call("GET", url)
            onward = reply.headers.get("location", "")
            if reply.status not in (301, 302, 303, 307, 308) or not onward:
                return reply
            url = _led(url, onward)
        raise Lost("the server leads in a circle", was_sent=True)

    def post(self, address: str, form: Sequence[Pair], files: Sequence[File], headers: dict[str, str]) -> Reply:
        """Never led elsewhere. Raises Lost."""
        if files:
            parts: list[Any] = [(name, (None, value)) for name, value in form]
            return self._call("POST", address, files=[*parts, *files], headers=headers)
        content = str(httpx.QueryParams(list(form))).encode()
        return self._call("POST", address, content=content, headers={**headers, "Content-Type": _FORM})

    def send(self, method: str, address: str, content: bytes, headers: dict[str, str]) -> Reply:
        """Any other call; never led elsewhere. Raises Lost."""
        return self._call(method, address, content=content, headers=headers)

    def _call(self, method: str, url: str, **sent: Any) -> Reply:
        seconds = self._profile.limits.whole_seconds
        deadline = time.monotonic() + seconds
        guard = threading.Timer(seconds, self._cut)
        guard.daemon = True
        guard.start()
        status = 0
        try:
            with self._http.stream(method, url, extensions={"trace": self._trace}, **sent) as answer:
                status = answer.status_code
                return Reply(
                    status=status,
                    body=self._body(answer, deadline),
                    headers={name.lower(): value for name, value in answer.headers.items()},
                )
        except _NOT_SENT as error:
            raise Lost(_said(error), was_sent=False) from error
        except (httpx.InvalidURL, httpx.HTTPError) as error:
            late = time.monotonic() >= deadline
            raise Lost(_slow(seconds) if late else _said(error), was_sent=True, status=status) from error
        finally:
            guard.cancel()

    def _body(self, answer: httpx.Response, deadline: float) -> bytes:
        self._note_clock(answer)
        found = bytearray()
        for piece in answer.iter_bytes():
            found += piece
            if len(found) > self._profile.limits.largest_bytes:
                most = self._profile.limits.largest_bytes
                raise Lost(f"the answer is larger than {most:,} bytes", was_sent=True, status=answer.status_code)
            if time.monotonic() > deadline:
                seconds = self._profile.limits.whole_seconds
                raise Lost(_slow(seconds), was_sent=True, status=answer.status_code)
        return bytes(found)

    def _note_clock(self, answer: httpx.Response) -> None:
        with suppress(ValueError, TypeError):
            self.skew = _utc(parsedate_to_datetime(answer.headers.get("date", ""))) - now().replace(microsecond=0)

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._streams = [info["return_value"]]

    def _cut(self) -> None:
        """A server that sends a byte now and then passes every time-out of the socket: the connection itself is ended."""
        for stream in self._streams:
            with suppress(OSError, TypeError):
                socket.socket.shutdown(stream.get_extra_info("socket"), socket.SHUT_RDWR)  # also beneath TLS


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _slow(seconds: float) -> str:
    return f"no whole answer within {seconds:g} seconds"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _led(url: str, onward: str) -> str:
    """Where a reading call is led; another machine would be asked in our name, so it is not followed."""
    there = urljoin(url, onward)
    before, after = urlsplit(url), urlsplit(there)
    if before.hostname != after.hostname or (before.scheme, after.scheme) == ("https", "http"):
        raise Lost(f"the server leads to another address ({after.scheme}://{after.hostname}); set it", was_sent=True)
    return there
