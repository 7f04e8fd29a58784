"""Markdown to HTML that can stand on any page: pure.

Two locks: the parser passes no HTML through, and what it makes is cleaned by an allow list as if it had come from a stranger.
"""

from __future__ import annotations

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_TAGS = {
    "p", "br", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "blockquote", "code", "pre", "hr", "a",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
_HIGHEST_HEADING = 3
"""A page's title is h1 and its parts are h2."""


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 12}, renderer_cls=RendererHTML)
    parser.enable("table").disable(["image", "html_block", "html_inline"])
    parser.core.ruler.push("lower_headings", lambda state: _lower_headings(state.tokens))
    return parser


def _lower_headings(tokens: list[Token]) -> None:
    """The highest heading used becomes h3, whatever the writer began with, and none is skipped on the way down."""
    used = sorted({token.tag for token in tokens if token.type == "heading_open"})
    lowered = {tag: f"h{min(_HIGHEST_HEADING + step, 6)}" for step, tag in enumerate(used)}
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = lowered[token.tag]


_PARSER = _parser()
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    url_schemes=_SCHEMES,
    link_rel="noopener noreferrer nofollow",
    strip_comments=True,
)


@lru_cache(maxsize=512)
def to_html(markdown: str) -> str:
    """Safe to be put on a page as it is. Links lead only to http, https, mailto and tel; there are no pictures."""
    return _CLEANER.clean(_PARSER.render(markdown))
