"""What can be said of links and orders in the ledger: kind -> meaning. Ids, codes and dates only."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "link.loaded": "A link to a department's system was loaded or changed, from links.yaml.",
    "link.retired": "It stands in links.yaml no longer; nothing new goes there.",
    "link.up": "The department's system answers (again); the link's owner is told, where it was down.",
    "link.down": "It has been silent for too long; the link's owner is told.",
    "link.paused": "A person has paused it: nothing is said or asked.",
    "link.resumed": "It is listened for again.",
    "link.compared": (
        "Both sides were compared: `open` pairs do not agree, `new` of them since the last time; the link's owner is told of those."
    ),
    "link.mismatch": "Two records of the same work do not agree; the link's owner has it.",
    "link.mended": "They agree again, or a person has decided.",
    "workorder.opened": "A request is to be handed over to a department's system.",
    "workorder.sent": "They have it, and name their key later.",
    "workorder.acknowledged": "They have it, under a key of theirs.",
    "workorder.said": "Something that followed was said to them.",
    "workorder.unknown": "It was said, and the answer was lost: it is looked up before it is said again.",
    "workorder.parked": "It cannot be said, or was refused; a person must look.",
    "workorder.ended": "It is not theirs any more; they are told, where they had it.",
    "workorder.cancelled": "It is cancelled there, or was never there.",
    "workorder.reported": "Something happened on their side; `became` is what followed here.",
    "workorder.mended": "A person has mended a stuck or contradictory pair.",
}
