"""What a deployment says in environment variables: a mistake is one sentence that names the variable."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from loop311.kit.problems import Invalid


def whole(name: str, default: int, *, least: int, most: int) -> int:
    """A whole number in bounds, or the default where nothing is said."""
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise Invalid(f"{name} must be a whole number from {least} to {most}, not {text[:80]!r}.")
    return int(text)


def hours(name: str, default: float) -> float:
    """A length of time that is longer than none."""
    text = os.environ.get(name) or str(default)
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 10_000:
        raise Invalid(f"{name} must be a number of hours, not {text[:80]!r}.")
    return found


def address(name: str, default: str) -> str:
    """The address people reach us at, without a slash at its end."""
    text = (os.environ.get(name) or default).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"{name} must look like https://311.your.city, not {text[:80]!r}.")
    return text


def sentence(read: Callable[[str], Mapping[str, object]], text: str) -> Mapping[str, object]:
    """What `read` makes of the text; its ValueError is a sentence for people."""
    try:
        return read(text)
    except ValueError as error:
        raise Invalid(str(error)) from error
