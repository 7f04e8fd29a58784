"""The ledger as JSON lines that anybody can verify without us: see docs/how-to/verify-an-exported-ledger.md."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.db import transaction

from loop311.ledger.verification import closed_days, freeze, links


def export_lines(jurisdiction_id: int) -> Iterator[str]:
    """First the events, chain after chain; then the checkpoints, day after day. All seen at one instant."""
    with transaction.atomic():
        freeze()
        for link in links(jurisdiction_id):
            event = {"type": "event", **link.fact._asdict()}
            yield json.dumps({**event, "previous_hash": link.previous.hex(), "hash": link.hash.hex()})
        for day in closed_days(jurisdiction_id):
            checkpoint = {"type": "checkpoint", **day.fact._asdict(), "root": day.fact.root.hex()}
            yield json.dumps({**checkpoint, "previous_hash": day.previous.hex(), "hash": day.hash.hex()})
