"""A file from an address that somebody else wrote: only from the open internet, only so much, only so long.

What is refused is refused where the connection is made, by the address that was looked up for it: a name that points to another
machine a moment later, or an answer that sends us on, leads nowhere inside the house.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

_REDIRECTS = 3
_CHUNK = 65_536
_MOVED = (301, 302, 303, 307, 308)
_AGAIN = (408, 425, 429)
LONGEST_URL = 2_000

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Refused(Exception):
    """It is not fetched, and never will be; the message says why."""


class Away(Exception):
    """It could not be had this time."""


def is_public(address: Address) -> bool:
    """Whether the open internet is behind it: no loopback, private, link-local, multicast or reserved address, however wrapped."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or _translated(address)
        if inside is not None:
            return is_public(inside)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None


def check_url(url: str) -> SplitResult:
    """Refused unless it is a plain http or https address with a host."""
    if len(url) > LONGEST_URL or any(character <= " " or character == "\x7f" for character in url):
        raise Refused("This is no address of a file.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("This is no address of a file.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Refused("Only http and https addresses are fetched.")
    if parts.username is not None or parts.password is not None:
        raise Refused("An address with a password in it is not fetched.")
    return parts


def check_goal(url: str, *, loopback: bool = False) -> None:
    """Refused unless calls may be sent to the address: over https, on the open internet as far as it can be seen.

    `loopback` lets this machine be called too, over plain http, as developers do.
    """
    parts = check_url(url)
    host = (parts.hostname or "").rstrip(".")
    written = _written(host)
    is_here = host == "localhost" or (written is not None and written.is_loopback)
    if is_here and loopback:
        return
    if is_here or (written is not None and not is_public(written)):
        raise Refused("This address does not lie on the open internet.")
    if parts.scheme != "https":
        raise Refused("Only an https address is called.")


def _written(host: str) -> Address | None:
    """The number that the host is, in any spelling that the network takes; None for a name."""
    with suppress(ValueError):
        return ipaddress.ip_address(host.partition("%")[0])
    with suppress(OSError):
        return ipaddress.IPv4Address(socket.inet_aton(host))
    return None


@dataclass(frozen=True, slots=True)
class _Until:
    """The instant, by the steady clock, at which patience ends."""

    end: float

    def left(self) -> float:
        left = self.end - time.monotonic()
        if left <= 0:
            raise Away("It took too long.")
        return left


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, loopback: bool = False) -> int:
    """The status that this call is answered with; nothing of the answer's body is read, and nobody leads us elsewhere.

    Raises Refused, or Away: then they may have taken it all the same.
    """
    check_goal(url, loopback=loopback)
    until = _Until(time.monotonic() + seconds)
    parts = check_url(url)
    try:
        connection = _connect(parts, until, loopback=loopback)
        try:
            with _cut_off(connection.sock, until):
                connection.request("POST", _path(parts), body=body, headers=dict(headers))
                return connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Away(f"The other server cannot be reached ({type(error).__name__}).") from error
    except UnicodeError as error:
        raise Refused("This is no address that can be called.") from error


@contextmanager
def _cut_off(sock: socket.socket, until: _Until) -> Iterator[None]:
    """Who sends a byte now and then passes every time-out of the socket: the connection itself is ended when time is up."""
    guard = threading.Timer(until.left(), _shut, [sock])
    guard.daemon = True
    guard.start()
    try:
        yield
    finally:
        guard.cancel()


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # also beneath TLS


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def fetch(url: str, *, most: int, seconds: float) -> bytes:
    """The bytes behind the address, at most `most`, within `seconds` for all of it. Raises Refused or Away."""
    until = _Until(time.monotonic() + seconds)
    for _ in range(_REDIRECTS + 1):
        answer = _get(check_url(url), url, most, until)
        if isinstance(answer, bytes):
            return answer
        url = answer
    raise Refused("It is moved on and on.")


def _get(parts: SplitResult, url: str, most: int, until: _Until) -> bytes | str:
    """The bytes, or the address to go on to."""
    try:
        connection = _connect(parts, until)
        try:
            with _cut_off(connection.sock, until):
                connection.request(
                    "GET", _path(parts), headers={"Accept": "image/*, application/pdf", "Accept-Encoding": "identity"}
                )
                answer = connection.getresponse()
            if answer.status in _MOVED:
                return urljoin(url, answer.headers.get("Location", ""))
            _check_status(answer.status)
            return _read(connection, answer, most, until)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise Away(f"The other server cannot be reached ({type(error).__name__}).") from error
    except UnicodeError as error:
        raise Refused("This is no address of a file.") from error


def _check_status(status: int) -> None:
    if status >= 500 or status in _AGAIN:
        raise Away(f"The other server answered {status}.")
    if status != 200:
        raise Refused(f"The other server answered {status}.")


def _read(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, most: int, until: _Until) -> bytes:
    body = bytearray()
    while True:
        if connection.sock is not None:
            connection.sock.settimeout(until.left())
        until.left()
        piece = answer.read1(_CHUNK)
        if not piece:
            break
        body += piece
        if len(body) > most:
            raise Refused(f"The file is larger than {most // 1_000_000} MB.")
    if answer.length:
        raise Away("The answer broke off.")
    return bytes(body)


def _connect(parts: SplitResult, until: _Until, *, loopback: bool = False) -> http.client.HTTPConnection:
    """Connected to an address that was looked up and judged here; the name is used for TLS and the Host header only."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    sock = _socket(host, port, until, loopback)
    if parts.scheme == "http":
        plain = http.client.HTTPConnection(host, port)
        plain.sock = sock
        return plain
    try:
        safe = ssl.create_default_context().wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except (OSError, ValueError):
        sock.close()
        raise
    try:
        with _cut_off(safe, until):
            safe.do_handshake()
    except (OSError, ValueError, Away):
        safe.close()
        raise
    connection = http.client.HTTPSConnection(host, port)
    connection.sock = safe
    return connection


_Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""As getaddrinfo has it."""


def _socket(host: str, port: int, until: _Until, loopback: bool) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, where in found:
        address = ipaddress.ip_address(str(where[0]).partition("%")[0])
        if not is_public(address) and not (loopback and address.is_loopback):
            raise Refused("This address does not lie on the open internet.")
    for left, one in zip(range(len(found), 0, -1), found, strict=True):
        with suppress(OSError) if left > 1 else nullcontext():
            return _connected(one, until, parts=left)
    raise Away("The other server has no address.")


def _connected(found: _Found, until: _Until, *, parts: int) -> socket.socket:
    """To the first of `parts` addresses, in its share of the time: one that nobody listens at costs the others nothing."""
    family, kind, protocol, _, where = found
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(until.left() / parts)
        sock.connect(where)
        sock.settimeout(until.left())
    except (OSError, Away):
        sock.close()
        raise
    return sock
