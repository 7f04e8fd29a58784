"""Whatever somebody writes into an article, nothing of it runs in a colleague's browser."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.knowledge.markup import to_html

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<style>body{display:none}</style>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:msgbox)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x](https://spy.example/pixel.png)",
    "[x]: javascript:alert(1)\n\n[x]",
    '[x](https://example.org "onmouseover=alert(1)")',
    "[x](https://example.org'onclick='alert(1))",
    "```\n</code><script>alert(1)</script>\n```",
    "`</code><script>alert(1)</script>`",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "<!-- --><script>alert(1)</script><!-- -->",
    "<details open ontoggle=alert(1)>",
    "<form action=https://spy.example><input name=password></form>",
    "<base href=https://spy.example>",
    "<math><mtext></mtext><mglyph><svg><mtext><textarea><a title='</textarea><img src onerror=alert(1)>'>",
]
_TAG = re.compile(r"<[^>]*>")


def _dangers(html: str) -> list[str]:
    """Of the tags that are really there; what stands as text does nothing."""
    tags = " ".join(_TAG.findall(html)).lower()
    wanted = ("<script", "<img", "<svg", "<iframe", "<style", "<form", "<input", "<base", "<details", "<math", "javascript:",
              "data:", "vbscript:", "src=", " on")  # fmt: skip
    return [each for each in wanted if each in tags]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_gets_through(attack: str) -> None:
    assert _dangers(to_html(attack)) == []


@given(
    st.lists(
        st.sampled_from([*ATTACKS, "*", "`", "[", "](", ")", "<", ">", "\n", "# ", "|", "&#", "word"]), max_size=12
    )
)
def test_no_mixture_of_attacks_gets_through(parts: list[str]) -> None:
    assert _dangers(to_html("".join(parts))) == []


@given(st.text(max_size=400))
def test_any_text_becomes_html(text: str) -> None:
    assert _dangers(to_html(text)) == []


@pytest.mark.parametrize(
    "piece", ["[" * 10, "> " * 10, "*a **b ", "- " * 5 + "\n", "|" * 20 + "\n", "`" * 7 + " ", "[a](" * 3, "&" * 10]
)
def test_the_longest_text_of_the_worst_kind_takes_no_second(piece: str) -> None:
    began = time.perf_counter()
    to_html((piece * 20_000)[:20_000])
    assert time.perf_counter() - began < 2


def test_markdown_becomes_what_a_reader_expects() -> None:
    html = to_html("# Rules\n\n1. **First**\n2. Call [us](tel:311)\n\n## Fees\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<h3>Rules</h3>" in html
    assert "<h4>Fees</h4>" in html
    assert "<strong>First</strong>" in html
    assert '<a href="tel:311" rel="noopener noreferrer nofollow">us</a>' in html
    assert "<td>1</td>" in html


def test_headings_never_compete_with_the_pages_own() -> None:
    assert to_html("##### Small\n\n## Large") == "<h4>Small</h4>\n<h3>Large</h3>\n"
