"""What the house itself says in the ledger: kind -> meaning."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "demo.built": "The demo city was built; the body names its seed, size and last day.",
}
