"""Helpers for tests of every room: pages as a resident meets them, counted queries, many at once. No city words."""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, TypeVar

from django.db import connection, connections
from django.test import Client
from django.test.client import ClientHandler
from django.test.utils import CaptureQueriesContext

T = TypeVar("T")

_UNLABELLED_TYPES = {"hidden", "submit", "button", "image", "reset"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Page(HTMLParser):
    """A page read once: its headings, ids, fields, labels and whatever the content security policy forbids."""

    html: str
    policy: str
    title: str = ""
    headings: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    labelled: set[str] = field(default_factory=set)
    fields: list[dict[str, str]] = field(default_factory=list)
    images: list[dict[str, str]] = field(default_factory=list)
    forbidden: list[str] = field(default_factory=list)
    language: str = ""
    text: str = ""
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            is_data = tag == "script" and found.get("type") == "application/json"  # read by scripts, never run
            self._open.append("data" if is_data else tag)
        if tag == "h1":
            self.headings.append("")
        if tag == "html":
            self.language = found.get("lang", "")
        if "id" in found:
            self.ids.append(found["id"])
        self._note_form(tag, found)
        self._note_forbidden(tag, found)

    def handle_endtag(self, tag: str) -> None:
        names = {tag, "data"} if tag == "script" else {tag}
        while self._open and self._open.pop() not in names:
            pass

    def handle_data(self, data: str) -> None:
        if "data" in self._open:
            return
        if "script" in self._open:
            if data.strip():
                self.forbidden.append("an inline script")
            return
        if "title" in self._open and "svg" not in self._open:
            self.title += data
        if "h1" in self._open:
            self.headings[-1] += data
        self.text += f"{data} "

    def _note_form(self, tag: str, found: dict[str, str]) -> None:
        if tag == "label" and "for" in found:
            self.labelled.add(found["for"])
        if tag in ("select", "textarea") or (tag == "input" and found.get("type", "text") not in _UNLABELLED_TYPES):
            self.fields.append({**found, "wrapped": "label" if "label" in self._open else ""})
        if tag == "img":
            self.images.append(found)

    def _note_forbidden(self, tag: str, found: dict[str, str]) -> None:
        if tag == "style":
            self.forbidden.append("an inline <style>")
        self.forbidden += [f"{name} on <{tag}>" for name in found if name == "style" or name.startswith("on")]
        if any(value.lower().startswith("javascript:") for value in found.values()):
            self.forbidden.append(f"a javascript: address on <{tag}>")

    def check(self) -> Page:
        """What every page must hold, whoever meets it."""
        assert self.language, "<html> has no lang"
        assert len(self.headings) == 1, f"one h1 is wanted, not {self.headings}"
        heading, title = _plain(self.headings[0]), _plain(self.title)
        assert heading, "the h1 is empty"
        assert title.startswith(heading), f"the title {title!r} does not start with the h1 {heading!r}"
        twice = {each for each in self.ids if self.ids.count(each) > 1}
        assert not twice, f"ids that occur twice: {sorted(twice)}"
        assert not self.forbidden, f"the content security policy forbids: {self.forbidden}"
        nameless = [each for each in self.fields if not self._has_name(each)]
        assert not nameless, f"fields without a label: {nameless}"
        assert all("alt" in image for image in self.images), f"images without alt: {self.images}"
        assert "script-src 'self'" in self.policy, f"content security policy: {self.policy!r}"
        assert "unsafe" not in self.policy, f"content security policy: {self.policy!r}"
        return self

    def _has_name(self, entry: dict[str, str]) -> bool:
        if entry["wrapped"] or entry.get("aria-label"):
            return True
        referred = entry.get("aria-labelledby", "").split()
        return entry.get("id") in self.labelled or (bool(referred) and all(each in self.ids for each in referred))


@functools.cache
def _handler() -> ClientHandler:
    return Client().handler


def browser(**options: Any) -> Client:
    """A new browser. All share one handler: a new one would first read the whole list of static files."""
    client = Client(**options)
    client.handler = _handler()
    return client


def page(
    client: Client, path: str, *, status: int = 200, data: Mapping[str, str] | None = None, post: bool = False
) -> Page:
    """Fetch a page as a browser does and check its HTML; redirects are followed only when you ask for them yourself."""
    response = client.post(path, data) if post else client.get(path, data)
    assert response.status_code == status, f"{path}: {response.status_code} {response.headers.get('Location', '')}"
    assert response.headers["Content-Type"].startswith("text/html"), response.headers["Content-Type"]
    return Page(html=response.content.decode(), policy=response.headers.get("Content-Security-Policy", "")).check()


@contextmanager
def at_most_queries(limit: int) -> Iterator[CaptureQueriesContext]:
    """The block sends no more than `limit` statements; the failure lists them."""
    with CaptureQueriesContext(connection) as captured:
        yield captured
    sent = "\n".join(f"{number}. {query['sql'][:300]}" for number, query in enumerate(captured.captured_queries, 1))
    assert len(captured) <= limit, f"{len(captured)} queries, at most {limit} are allowed:\n{sent}"


def same_number_of_queries(action: Callable[[], object], more: Callable[[], object]) -> int:
    """`action` sends as many statements after `more` has added rows as before; returns how many.

    It runs once unmeasured, so that caches are warm.
    """
    action()
    with CaptureQueriesContext(connection) as before:
        action()
    more()
    with CaptureQueriesContext(connection) as after:
        action()
    assert len(after) == len(before), "\n".join(query["sql"][:300] for query in after.captured_queries)
    return len(after)


def at_once(actions: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Run all at the same instant, each in a thread with a connection of its own; results or exceptions in order.

    The test must be `django_db(transaction=True)`.
    """
    barrier = threading.Barrier(len(actions))
    results: list[T | Exception] = [RuntimeError("it never ran")] * len(actions)

    def run(place: int, action: Callable[[], T]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            results[place] = action()
        except Exception as error:  # handed to the test, which knows what is right
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place, action)) for place, action in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
