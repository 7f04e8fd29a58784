from __future__ import annotations

import socket
from pathlib import Path

import pytest

from loop311.kit import ports


def test_a_port_is_free_and_not_one_that_the_system_gives_away_by_itself() -> None:
    port = ports.free_port()
    own = Path("/proc/sys/net/ipv4/ip_local_port_range")
    assert 1024 < port < (int(own.read_text().split()[0]) if own.exists() else 32_768)
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_port_that_is_taken_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = ports.free_port(), ports.free_port()
    found = iter([taken, free])
    monkeypatch.setattr("secrets.choice", lambda _: next(found))
    with socket.create_server(("127.0.0.1", taken)):
        assert ports.free_port() == free
