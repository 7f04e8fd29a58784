"""Real answers of a live system kept in a file, and given again where the system is not to be had."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

PRETENDED = "http://127.0.0.1:1"
"""Stands in the file where the live one's address was."""

_KEY = re.compile(r'"api_key":"[0-9a-f]*"')


class Recorder(httpx.BaseTransport):
    """Passes everything through and keeps it."""

    def __init__(self, url: str) -> None:
        self._inner, self._url = httpx.HTTPTransport(), url
        self.kept: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        body = answer.read().decode()
        self.kept.append(
            {
                "asked": f"{request.method} {request.url.path}",
                "status": answer.status_code,
                "body": _KEY.sub('"api_key":""', body.replace(self._url, PRETENDED)),
            }
        )
        return httpx.Response(answer.status_code, text=body, headers={"Content-Type": "application/json"})

    def close(self) -> None:
        """The connector ends each conversation; the next one uses the same transport."""

    def end(self) -> None:
        self._inner.close()

    def write(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self.kept, indent=1, ensure_ascii=False) + "\n")


class Replay(httpx.BaseTransport):
    """Gives what was kept, in the same order; anything else asked is a failure."""

    def __init__(self, path: Path) -> None:
        self._kept: Iterator[dict[str, Any]] = iter(json.loads(path.read_text()))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        kept = next(self._kept)
        asked = f"{request.method} {request.url.path}"
        if asked != kept["asked"]:
            raise AssertionError(f"asked {asked}, recorded was {kept['asked']}: record it anew")
        return httpx.Response(kept["status"], text=kept["body"], headers={"Content-Type": "application/json"})
