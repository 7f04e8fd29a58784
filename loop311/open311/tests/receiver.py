"""A system of somebody else's on a real socket, which is told of updates and answers as it was told to."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from loop311.kit.clock import now
from loop311.workorders import signing


@dataclass
class Receiver:
    url: str = ""
    status: int = 204
    answers: list[int] = field(default_factory=list)
    """Of the next calls; then `status`."""
    seconds: float = 0
    """It thinks so long before each answer."""
    drips: bool = False
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.calls]

    @property
    def events(self) -> list[Any]:
        return [msgspec.json.decode(body) for _, body in self.calls]

    def verified(self, secret: str) -> list[str]:
        """The ids of all calls; raises NotGenuine for one that is not signed with this."""
        return [signing.verify(secret, headers, body, now()) for headers, body in self.calls]

    def forget(self) -> None:
        self.url, self.status, self.seconds, self.drips = self.url.partition("?")[0], 204, 0, False
        self.answers.clear()
        self.calls.clear()


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    receiver.url = f"{'https://localhost' if tls else 'http://127.0.0.1'}:{server.server_address[1]}/updates"
    yield receiver
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(receiver.seconds)
            if receiver.drips:
                _drip(self.wfile)
                return
            status = receiver.answers.pop(0) if receiver.answers else receiver.status
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", receiver.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            receiver.calls.append(({"webhook-id": "led elsewhere"}, b""))

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def _drip(wire: Any) -> None:
    """A header that never ends, a byte at a time."""
    for _ in range(1200):
        try:
            wire.write(b"H")
            wire.flush()
        except OSError:
            return
        time.sleep(0.05)
