"""What the ledger says about itself: kind -> meaning."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "ledger.checkpoint_made": "The day was closed: everything recorded on it, and before, has this hash.",
}
