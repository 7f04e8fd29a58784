"""What is said of the catalogue in the ledger: kind -> meaning."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "catalogue.published": "A new version was published; the body names its number, time and digest.",
}
