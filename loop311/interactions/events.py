"""What can be said of a contact in the ledger: kind -> meaning."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "interaction.begun": "A contact began, on this channel, with this resident and member of staff, where known.",
    "interaction.identified": "Who is at the other end has become known; without one: it was somebody else after all.",
    "interaction.described": "For whom is asked, or the language of the contact, has become known.",
    "interaction.answered": "A question was answered at once, on this topic, out of this article of the knowledge.",
    "interaction.danger_reported": "The safety question of this topic was answered with danger: stay on the line with 911.",
    "interaction.linked": "The contact was about this request, call-back, article or gap.",
    "interaction.left_open": "Nobody has touched the contact for long; this member of staff has it.",
    "interaction.taken_over": "Another member of staff goes on with the contact, or wraps it up.",
    "interaction.ended": "The contact is over, with an outcome and, for information, its topic; wrapped up for somebody else: why.",
}
