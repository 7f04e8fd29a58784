"""For tests: a real mail server on this machine that behaves as told, and a text gateway."""

from __future__ import annotations

import asyncio
import email
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default as modern
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class MailServer:
    """Takes mail like any other. `replies` are the answers to the next messages (then 250); 'drop' hangs up after taking one."""

    host: str = "127.0.0.1"
    port: int = 0
    replies: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    """Recipients that get 550 at once."""
    delay: float = 0.0
    """Seconds before each answer to DATA."""
    accepted: list[EmailMessage] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.replies.pop(0) if self.replies else "250 Taken"
        if reply == "drop" or reply.startswith("2"):
            self.accepted.append(email.message_from_bytes(cast("bytes", envelope.content), policy=modern))
        if self.delay:
            await asyncio.sleep(self.delay)
        if reply == "drop":
            cast("Any", server)._writer.transport.abort()  # as a crashing server does
            return "421 Gone"
        return reply

    @property
    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.accepted]


@contextmanager
def mail_server(port: int = 0) -> Iterator[MailServer]:
    behaviour = MailServer()
    controller = _Controller(behaviour, hostname=behaviour.host, port=port)
    controller.start()
    try:
        behaviour.port = cast("Any", controller.server).sockets[0].getsockname()[1]
        yield behaviour
    finally:
        controller.stop()


class _Controller(Controller):
    """With port 0 the real port is known only when it listens."""

    def _trigger_server(self) -> None:
        self.port = cast("Any", self.server).sockets[0].getsockname()[1]
        cast("Any", super())._trigger_server()


@dataclass
class TextGateway:
    """Takes texts over HTTP. `answers` are the statuses for the next calls (then 202); 0 hangs up after taking one."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    taken: list[dict[str, str]] = field(default_factory=list)
    """Body and, as 'key', the idempotency key of each call that was taken."""


@contextmanager
def text_gateway() -> Iterator[TextGateway]:
    gateway = TextGateway()

    class Handler(_TextHandler):
        behaviour = gateway

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _TextHandler(BaseHTTPRequestHandler):
    behaviour: ClassVar[TextGateway]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.behaviour.answers.pop(0) if self.behaviour.answers else 202
        if status == 0 or 200 <= status <= 299 or status == 500:
            self.behaviour.taken.append({**body, "key": self.headers["Idempotency-Key"]})
        if status == 0:
            self.connection.close()
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""
