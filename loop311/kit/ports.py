"""A port of this machine for a server that is started beside us."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress

_BELOW = range(15_000, 32_000)
"""The system itself gives connections that go out the ports from 32768 on: what is free here now is free in a minute, too."""


def free_port() -> int:
    """On which nobody listens now; at random, so that two who ask at once get two."""
    for _ in range(1_000):
        port = secrets.choice(_BELOW)
        with suppress(OSError), socket.socket() as door:
            door.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free on this machine")
