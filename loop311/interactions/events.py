"""What can be said of a contact in the ledger: kind -> meaning."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "interaction.begun": "A contact began, on this channel, with this resident and member of staff, where known.",
    "interaction.identified": "Who is at the other end has become known.",
    "interaction.linked": "The contact was about this existing request or call-back.",
    "interaction.ended": "The contact is over, with an outcome and, for information, its topic.",
}
