import pytest
from django.db import connection

from loop311.kit.testing import Page, at_most_queries, at_once

GOOD = """<!doctype html><html lang="en"><head><title>Street light · Loop311</title></head>
<body><h1>Street light</h1><label for="a">Where</label><input id="a"><label>When <input type="date"></label>
<input type="hidden" name="x"><img src="/x.png" alt=""></body></html>"""
POLICY = "script-src 'self'"


def test_a_sound_page_passes() -> None:
    Page(html=GOOD, policy=POLICY).check()


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        (' lang="en"', ""),
        ("<title>Street light", "<title>Other"),
        ("<h1>Street light</h1>", ""),
        ("<body>", "<body><h1>Street light</h1>"),
        ("<body>", '<body id="a">'),
        ('<label for="a">', "<label>"),
        (' alt=""', ""),
        ("<body>", '<body onload="x()">'),
        ("<body>", '<body><p style="color:red">'),
        ("<body>", "<body><script>x()</script>"),
        ("<body>", '<body><a href="javascript:x()">'),
        ("<body>", "<body><style>p{}</style>"),
    ],
)
def test_a_page_with_one_fault_fails(part: str, instead: str) -> None:
    assert part in GOOD
    with pytest.raises(AssertionError):
        Page(html=GOOD.replace(part, instead, 1), policy=POLICY).check()


def test_a_page_without_its_policy_fails() -> None:
    with pytest.raises(AssertionError, match="content security policy"):
        Page(html=GOOD, policy="").check()


@pytest.mark.django_db
def test_too_many_queries_are_listed() -> None:
    def ask_twice() -> None:
        with at_most_queries(1), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.execute("SELECT 2")

    with pytest.raises(AssertionError, match="SELECT 2"):
        ask_twice()


@pytest.mark.django_db(transaction=True)
def test_callables_run_at_once_on_connections_of_their_own() -> None:
    def backend() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    def fails() -> int:
        raise KeyError("mine")

    results = at_once([backend] * 4 + [fails])
    assert len(set(results[:4])) == 4
    assert isinstance(results[4], KeyError)
