"""A server that behaves as badly as it is told to: raw bytes over a real socket of this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from loop311.georeport.profile import Limits, Profile, of


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)


Answer = bytes | Callable[[socket.socket], None]
"""What is written back whole, or what is done with the connection."""


def reply(body: bytes = b"[]", status: int = 200, *headers: str, length: int | None = None) -> bytes:
    """A whole answer; `length` when it should lie about itself."""
    lines = [
        f"HTTP/1.1 {status} Said",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def hang(connection: socket.socket) -> None:
    """Takes the question and says nothing for as long as they wait."""
    connection.settimeout(60)
    with suppress(OSError):
        connection.recv(1)


def hang_up(connection: socket.socket) -> None:
    """Takes the question and goes."""
    connection.close()


def drip(piece: bytes, times: int, pause: float) -> Callable[[socket.socket], None]:
    """Never still, never done."""

    def act(connection: socket.socket) -> None:
        for _ in range(times):
            connection.sendall(piece)
            time.sleep(pause)

    return act


def in_turn(*answers: Answer) -> Callable[[Asked], Answer]:
    """One after the other; the last one for ever."""
    left = list(answers)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


@dataclass
class Server:
    """Listens on this machine; every question is kept."""

    respond: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v2/"

    def profile(self, **switches: object) -> Profile:
        """As patient as by default, since a busy machine is no fault of the answer; only the pauses are short."""
        return of({"base": self.base, "limits": Limits(pause_seconds=0.01), **switches})

    def start(self) -> None:
        self._listener.settimeout(0.05)
        self._loop = threading.Thread(target=self._listen, daemon=True)
        self._stopped = threading.Event()
        self._loop.start()

    def stop(self) -> None:
        self._stopped.set()
        self._loop.join()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _listen(self) -> None:
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(5)
            asked = _read(connection)
            if asked is None:
                return
            self.asked.append(asked)
            answer = self.respond(asked)
            if callable(answer):
                answer(connection)
            else:
                connection.sendall(answer)


def _read(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65_536)
    parts = urlsplit(target)
    return Asked(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


@contextmanager
def serving(respond: Callable[[Asked], Answer] | Sequence[Answer]) -> Iterator[Server]:
    """`respond` decides by the question; a list of answers is given in turn."""
    server = Server(respond if callable(respond) else in_turn(*respond))
    server.start()
    try:
        yield server
    finally:
        server.stop()
