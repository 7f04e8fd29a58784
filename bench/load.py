"""Many clients at once against the web server: bare sockets kept open, so that the asking costs little of the machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import environ

from bench.floor import Floor, take_turns
from loop311.kit.ports import free_port

_PATIENCE = 60.0
_UNCHANGED = 304
"""Has no body, whatever length it names."""


class Client:
    """One kept-open HTTP/1.1 connection."""

    def __init__(self, port: int, headers: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = f"Host: 127.0.0.1:{port}\r\n{headers}"

    def ask(
        self, method: str, path: str, body: str = "", headers: str = "", *, kind: str = "application/json"
    ) -> tuple[int, bytes]:
        """Status and body of the answer."""
        length = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n" if body else ""
        self._socket.sendall(f"{method} {path} HTTP/1.1\r\n{self._headers}{headers}{length}\r\n{body}".encode())
        return self._answer()

    def _answer(self) -> tuple[int, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        status = int(head[9:12])
        if status == _UNCHANGED:
            return status, body
        if b"content-length:" not in head.lower():
            raise RuntimeError(f"an answer without a length: {head[:300]!r} {body[:300]!r}")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        parts = [body]
        missing = length - len(body)
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        return status, b"".join(parts)

    def _more(self) -> bytes:
        chunk = self._socket.recv(1 << 18)
        if not chunk:
            raise ConnectionError("the web server closed the connection")
        return chunk


@contextmanager
def web_server() -> Iterator[int]:
    """The product's web processes, as `loop311 serve` starts them, on a free port."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        settings = {"LOOP311_PORT": str(port), "PROMETHEUS_MULTIPROC_DIR": folder}
        process = subprocess.Popen(
            [sys.executable, "-m", "loop311.site.web"], env={**environ, **settings}, stdout=log, stderr=log
        )
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=_PATIENCE)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            Client(port, "").ask("GET", "/api/v1/me")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the web server did not start")


def rate(clients: list[Client], ask: Callable[[Client, int], None], seconds: float) -> float:
    """Answers a second, every client asking again as soon as it has its answer. `ask` is told a rising number."""
    counts = [0] * len(clients)
    errors: list[Exception] = []
    until = time.perf_counter() + seconds

    def work(place: int) -> None:
        try:
            while time.perf_counter() < until:
                ask(clients[place], counts[place] * len(clients) + place)
                counts[place] += 1
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(clients))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(counts) / (time.perf_counter() - begun)


def beside(
    floor: Floor, script: str, clients: list[Client], ask: Callable[[Client, int], None], seconds: float
) -> tuple[float, float]:
    """Answers a second, and runs of the script a second by as many connections, in turns after a moment to get warm."""
    rate(clients, ask, 0.5)
    return take_turns(
        lambda while_: rate(clients, ask, while_), lambda while_: floor.rate(script, len(clients), while_), seconds
    )
