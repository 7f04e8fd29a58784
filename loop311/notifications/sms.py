"""Texts: one protocol, two ways. To add another gateway, copy HttpSms."""

from __future__ import annotations

import sys
from typing import Protocol

import httpx
from django.conf import settings

from loop311.notifications.outcomes import Refused, Unavailable, Unclear

SECONDS = 10.0


class Sms(Protocol):
    keeps_keys: bool
    """Whether the same key sent twice makes one text."""

    def send(self, to: str, text: str, key: str) -> None:
        """Returns when the gateway has taken it. Raises Refused, Unavailable or Unclear."""


class ConsoleSms:
    """Prints the text where the worker runs; for development and demos."""

    keeps_keys = True

    def send(self, to: str, text: str, key: str) -> None:
        sys.stdout.write(f"SMS to {to} {key}: {text}\n")
        sys.stdout.flush()


class HttpSms:
    """POST {"to", "text", "reference"} as JSON with the header Idempotency-Key; any 2xx means taken.

    Never connected, 429 and 503: it did not leave. A reply that never came, or another 5xx: nobody knows.
    """

    def __init__(self, url: str, token: str = "", *, keeps_keys: bool = False) -> None:
        self.url, self.token, self.keeps_keys = url, token, keeps_keys

    def send(self, to: str, text: str, key: str) -> None:
        headers = {"Idempotency-Key": key, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        try:
            reply = httpx.post(
                self.url, json={"to": to, "text": text, "reference": key}, headers=headers, timeout=SECONDS
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unavailable("connection") from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise Unavailable("address of the gateway") from error
        except httpx.TransportError as error:
            raise Unclear("no reply") from error
        _judge(reply.status_code)


def _judge(status: int) -> None:
    code = f"http {status}"
    if 200 <= status <= 299:
        return
    if status in (408, 425, 429, 503):
        raise Unavailable(code)
    if status >= 500:
        raise Unclear(code)
    raise Refused(code)


def gateway() -> Sms:
    """The one the settings name."""
    if not settings.SMS_URL:
        return ConsoleSms()
    return HttpSms(settings.SMS_URL, settings.SMS_TOKEN, keeps_keys=settings.SMS_KEEPS_KEYS)
