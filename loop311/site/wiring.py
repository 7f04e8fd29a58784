"""The whole nervous system on one screen: which handlers hear of which event. Each runs in the worker, once per event."""

from __future__ import annotations

from loop311.callbacks import services as callbacks
from loop311.interactions import services as interactions
from loop311.ledger.services import Handler
from loop311.requests import services as requests

HANDLERS: dict[str, tuple[Handler, ...]] = {
    "resident.erased": (
        interactions.forget_resident,
        requests.forget_resident,
        callbacks.forget_resident,
    ),
}
