"""One question and its answer, as they are: nothing is mended, followed or guessed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from loop311.georeport.conform.registry import Failed
from loop311.georeport.render import Format

Pairs = Sequence[tuple[str, str]]
_QUOTED = 120
"""Characters of an answer that stand in a sentence."""
_SHORT = 40
"""Characters of an argument that do."""
AGENT = "loop311-conform (Open311 GeoReport v2 conformance checks)"


@dataclass(frozen=True, slots=True)
class Question:
    method: str
    url: str
    """Without its query."""
    format: Format
    """That the ending of the address asks for."""
    query: Pairs = ()
    form: Pairs = ()
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes = b""

    @property
    def address(self) -> str:
        return f"{self.url}?{urlencode(self.query)}" if self.query else self.url

    def said(self) -> str:
        """Method, address and arguments, without the key."""
        query = urlencode([pair for pair in self.query if pair[0] != "api_key"])
        form = ", ".join(f"{name}={_short(value)}" for name, value in self.form if name != "api_key")
        headers = ", ".join(f"{n}: {v}" for n, v in self.headers if n not in ("X-API-Key", "Authorization"))
        told = f"{self.method} {self.url}{'?' if query else ''}{query}"
        return f"{told}{' with ' if form else ''}{form}{' and ' if headers else ''}{headers}"


def _short(value: str) -> str:
    shown = " ".join(value.split())
    return shown if len(shown) <= _SHORT else f"{shown[:_SHORT]}... ({len(value)} characters)"


@dataclass(frozen=True, slots=True)
class Reply:
    question: Question
    status: int
    headers: httpx.Headers
    body: bytes

    def wrong(self, came: str, expected: str) -> Failed:
        return Failed(f"{self.question.said()}: came {came}; expected {expected}.")

    def must_be(self, *statuses: int) -> Reply:
        if self.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            raise self.wrong(f"status {self.status} ({self.quoted()})", f"status {wanted}")
        return self

    def quoted(self) -> str:
        shown = " ".join(self.body[: 4 * _QUOTED].decode("utf-8", "replace").split())[:_QUOTED]
        return shown or "an empty body"

    def named_type(self) -> str:
        return f"the media type {self.media_type}" if self.media_type else "no Content-Type"

    @property
    def media_type(self) -> str:
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


class Wire:
    """Asks no faster than `rate` a second, waits no longer than `timeout`, reads no more than `largest` bytes."""

    def __init__(
        self,
        *,
        rate: float = 5,
        timeout: float = 20,
        largest: int = 20_000_000,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.pause = 1 / rate if rate else 0.0
        self.timeout = timeout
        self.largest = largest
        self.asked = 0
        self._next = 0.0
        self._client = httpx.Client(timeout=timeout, transport=transport, headers={"User-Agent": AGENT})

    def close(self) -> None:
        self._client.close()

    def send(self, question: Question) -> Reply:
        """Raises Failed when no whole answer comes."""
        self._wait()
        self.asked += 1
        try:
            return self._sent(question)
        except httpx.HTTPError as error:
            kind = type(error).__name__
            raise Failed(f"{question.said()}: came no answer ({kind}: {error}); expected one.") from error

    def _wait(self) -> None:
        wait = self._next - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._next = time.monotonic() + self.pause

    def _sent(self, question: Question) -> Reply:
        headers, content = _content(question)
        with self._client.stream(
            question.method, question.address, headers=headers, content=content or None
        ) as response:
            return Reply(question, response.status_code, response.headers, self._body(question, response))

    def _body(self, question: Question, response: httpx.Response) -> bytes:
        """A slow drip ends too: each part may be in time and the whole not."""
        began, body = time.monotonic(), bytearray()
        for part in response.iter_bytes():
            body += part
            if len(body) > self.largest:
                raise Failed(f"{question.said()}: came more than {self.largest:,} bytes; expected fewer.")
            if time.monotonic() - began > self.timeout:
                raise Failed(f"{question.said()}: came a part only in {self.timeout:g} s; expected the whole.")
        return bytes(body)


def _content(question: Question) -> tuple[Mapping[str, str], bytes]:
    headers = dict(question.headers)
    if question.form and not question.content:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
        return headers, urlencode(question.form).encode()
    return headers, question.content


_BOUNDARY = "loop311-conform-7c1f5a"


def multipart(form: Pairs, file: tuple[str, str, str, bytes] | None = None) -> tuple[str, bytes]:
    """Its media type and its bytes. A file is field, name, media type, content."""
    parts = [_part(f'form-data; name="{_quoted(name)}"', value.encode()) for name, value in form]
    if file is not None:
        field, name, media_type, content = file
        parts.append(_part(f'form-data; name="{field}"; filename="{name}"\r\nContent-Type: {media_type}', content))
    return f"multipart/form-data; boundary={_BOUNDARY}", b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _part(disposition: str, content: bytes) -> bytes:
    return f"--{_BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"
