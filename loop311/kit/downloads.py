"""Files that somebody sent, given out so that no browser runs anything in them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse

_ALONE = "default-src 'none'; sandbox"
_SHOWN = {"image/jpeg", "image/png"}
"""Only what we have written ourselves is shown; everything else is downloaded."""

KEPT_FOR = 86_400
"""Seconds a browser keeps a file, whose address never shows another one; no longer, as it may be erased."""


@dataclass(frozen=True, slots=True)
class File:
    data: bytes
    media_type: str
    name: str
    """Of ASCII letters, digits, hyphens and dots."""


def download(file: File) -> HttpResponse:
    response = HttpResponse(file.data, content_type=file.media_type)
    how = "inline" if file.media_type in _SHOWN else "attachment"
    response["Content-Disposition"] = f'{how}; filename="{file.name}"'
    response["Content-Security-Policy"] = _ALONE
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = f"private, max-age={KEPT_FOR}, immutable"
    response["Vary"] = "Cookie"
    return response
