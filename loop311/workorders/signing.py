"""Standard Webhooks: HMAC-SHA256 over id, time and body, both ways. Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

SKEW = timedelta(minutes=5)
"""How far a sender's clock may be off; older calls are replays."""
_PREFIX = "whsec_"
_VERSION = "v1"


class NotGenuine(Exception):
    """The call is not signed, not by whom it should, or not now. Its sentence says no more than that."""


def headers(secret: str, identity: str, at: datetime, body: bytes) -> dict[str, str]:
    """What a call with this body carries."""
    stamp = str(int(at.timestamp()))
    return {
        "webhook-id": identity,
        "webhook-timestamp": stamp,
        "webhook-signature": f"{_VERSION},{_signature(secret, identity, stamp, body)}",
    }


def verify(secret: str, given: Mapping[str, str], body: bytes, at: datetime) -> str:
    """The call's id, when its signature and time hold. Header names in any capitals."""
    found = {name.lower(): value for name, value in given.items()}
    identity, stamp = found.get("webhook-id", ""), found.get("webhook-timestamp", "")
    if not secret or not identity or len(identity) > 200:
        raise NotGenuine("The call is not signed.")
    if not _is_now(stamp, at):
        raise NotGenuine("The call's time is missing, or more than five minutes off.")
    wanted = _signature(secret, identity, stamp, body)
    signatures = [each.partition(",") for each in found.get("webhook-signature", "").split()]
    if not any(
        version == _VERSION and hmac.compare_digest(wanted, value)
        for version, _, value in signatures
        if value.isascii()
    ):
        raise NotGenuine("The signature does not fit.")
    return identity


def _is_now(stamp: str, at: datetime) -> bool:
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 11:
        return False
    return abs(at - datetime.fromtimestamp(int(stamp), UTC)) <= SKEW


def _signature(secret: str, identity: str, stamp: str, body: bytes) -> str:
    signed = f"{identity}.{stamp}.".encode() + body
    return base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode()


def _key(secret: str) -> bytes:
    """`whsec_` and base64, as the standard writes it; anything else is taken as it is."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
