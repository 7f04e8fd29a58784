"""What can be said of webhooks in the ledger: kind -> meaning. Ids and codes only."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "webhook.ended": "A system that was told of updates is not any more; where nobody wanted that, the administrators are told.",
}
