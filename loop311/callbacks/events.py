"""What can be said of a call-back in the ledger: kind -> meaning. Ids, codes and dates only."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "callback.promised": "Somebody will ring this resident within this window; a team is accountable.",
    "callback.reassigned": "Another team or member of staff has it now.",
    "callback.attempted": "The resident was tried, in this way, with this outcome.",
    "callback.kept": "The resident was spoken to.",
    "callback.failed": "The resident was tried in several ways and not reached. It says nothing about the problem itself.",
    "callback.cancelled": "It is not needed any more, for a reason on the list.",
    "callback.late": "The window has passed and nobody was rung. Said once.",
    "callback.words_erased": "What it was about was erased with the resident.",
}
