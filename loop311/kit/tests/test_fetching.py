"""Files from addresses that strangers wrote: never from inside the house, never too much, never for ever."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from loop311.kit import fetching
from loop311.kit.fetching import Away, Refused, check_goal, fetch, is_public, post


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",  # noqa: S104
     "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
     "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:a00:1::", "fec0::1", "192.0.2.1",
     "2001:db8::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
)  # fmt: skip
def test_what_lies_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/a", "gopher://example.org", "http://", "//example.org/a", "example.org/a",
     "http://user:secret@example.org/", "http://example.org:99999/", "http://example.org:0/", "http://exa mple.org/",
     "http://example.org/\r\nHost: other", "http://[::1/", "http://" + "a" * 3000, "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        fetch(url, most=10, seconds=1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_every_spelling_of_this_machine_is_refused(server: str, host: str) -> None:
    port = server.rpartition(":")[2]
    with pytest.raises((Refused, Away)):
        fetch(f"http://{host}:{port}/whole", most=1000, seconds=60)
    assert not _Answers.asked


class _Answers(BaseHTTPRequestHandler):
    """What is asked for says how it is answered."""

    asked: list[str] = []
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.asked.append(self.path)
        getattr(self, self.path.strip("/").partition("?")[0])()

    def _send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def whole(self) -> None:
        self._send(200, b"x" * 1000)

    def elsewhere(self) -> None:
        self._send(302, Location="/whole")

    def inside(self) -> None:
        self._send(302, Location="http://10.0.0.1/secret")

    def round(self) -> None:
        self._send(302, Location="/round")

    def file(self) -> None:
        self._send(302, Location="file:///etc/passwd")

    def gone(self) -> None:
        self._send(404)

    def broken(self) -> None:
        self._send(503)

    def half(self) -> None:
        self._send(200, b"x" * 10, Content_Length="1000")
        self.close_connection = True

    def drip(self) -> None:
        self._send(200, b"", Content_Length="1000")
        for _ in range(1200):
            try:
                self.wfile.write(b"x")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    def do_POST(self) -> None:
        self.do_GET()

    def heads(self) -> None:
        """A header that never ends, a byte at a time."""
        for _ in range(1200):
            try:
                self.wfile.write(b"H")
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    served.daemon_threads = True
    threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()
    served.server_close()


@pytest.fixture
def open_house(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback counts as the open internet, the rest of the rule stays."""
    judge: Callable[[fetching.Address], bool] = fetching.is_public
    monkeypatch.setattr(fetching, "is_public", lambda address: address.is_loopback or judge(address))


@pytest.fixture(autouse=True)
def _nothing_asked_yet() -> None:
    _Answers.asked.clear()


def test_a_file_is_fetched_also_where_it_has_moved(server: str, open_house: None) -> None:
    assert fetch(f"{server}/whole", most=1000, seconds=60) == b"x" * 1000
    assert fetch(f"{server}/elsewhere", most=1000, seconds=60) == b"x" * 1000


@pytest.mark.parametrize(
    ("path", "problem"),
    [("inside", Refused), ("file", Refused), ("round", Refused), ("gone", Refused), ("broken", Away), ("half", Away)],
)
def test_what_leads_nowhere_good_is_not_followed(
    server: str, open_house: None, path: str, problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        fetch(f"{server}/{path}", most=1000, seconds=60)


def test_too_much_is_refused_and_too_slow_is_away(server: str, open_house: None) -> None:
    with pytest.raises(Refused, match="larger"):
        fetch(f"{server}/whole", most=999, seconds=60)
    began = time.monotonic()
    with pytest.raises(Away):
        fetch(f"{server}/drip", most=1000, seconds=0.3)
    assert time.monotonic() - began < 20, "it waited for the end"


def test_a_name_that_points_inside_is_refused_whatever_else_it_points_to(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **named: found)
    with pytest.raises(Refused, match="open internet"):
        fetch("http://rebinding.example.org/", most=10, seconds=1)


def test_nobody_there_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **named: object) -> None:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Away):
        fetch("https://nowhere.example.org/", most=10, seconds=1)


# --- Calls ---------------------------------------------------------------------------------------------------------------


def test_a_call_gives_the_status_and_is_led_nowhere(server: str) -> None:
    for path, status in (("whole", 200), ("gone", 404), ("broken", 503), ("inside", 302)):
        assert post(f"{server}/{path}", b"{}", {}, seconds=60, loopback=True) == status
    assert _Answers.asked == ["/whole", "/gone", "/broken", "/inside"]


def test_who_answers_a_byte_now_and_then_is_cut_off(server: str, open_house: None) -> None:
    began = time.monotonic()
    with pytest.raises(Away):
        post(f"{server}/heads", b"{}", {}, seconds=0.3, loopback=True)
    with pytest.raises(Away):
        fetch(f"{server}/heads", most=1000, seconds=0.3)
    assert time.monotonic() - began < 20, "it waited for the end"


def test_an_address_that_nobody_listens_at_costs_the_others_nothing(
    server: str, open_house: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that stands for both kinds of addresses, as localhost often does, with a server at one of them."""
    port = int(server.rpartition(":")[2])
    real = socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)
    dead = [(*real[0][:4], ("127.0.0.2", port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **named: dead + real)
    assert post(f"http://localhost:{port}/whole", b"{}", {}, seconds=60, loopback=True) == 200


def test_a_greeting_over_tls_that_never_ends_is_cut_off(open_house: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_greet, args=[listener], daemon=True).start()
        began = time.monotonic()
        with pytest.raises(Away):
            post(f"https://127.0.0.1:{listener.getsockname()[1]}/", b"{}", {}, seconds=0.3, loopback=True)
        assert time.monotonic() - began < 20, "it waited for the end"


def _greet(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        try:
            connection.sendall(b"\x16\x03\x03\x40\x00")
            for _ in range(1200):
                connection.sendall(b"\x02")
                time.sleep(0.05)
        except OSError:
            return


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://10.0.0.1/", "https://localhost/", "https://127.1/", "https://[::1]/"]
)
def test_calls_go_over_https_to_the_open_internet_only(url: str) -> None:
    with pytest.raises(Refused):
        check_goal(url)
    with pytest.raises(Refused):
        post(url, b"", {}, seconds=1)


def test_this_machine_is_called_where_it_is_allowed_and_what_lies_beside_it_is_not(server: str) -> None:
    check_goal("http://localhost:8080/", loopback=True)
    check_goal("https://example.org/")
    with pytest.raises(Refused):
        check_goal("http://192.168.1.1/", loopback=True)
    with pytest.raises(Refused):
        post(f"{server}/whole", b"", {}, seconds=1)
    assert not _Answers.asked
