"""The only writers of this room's tables. None of them speaks to anybody: that is `workorders/working.py`."""

from loop311.workorders.services.access import find_link, mapping
from loop311.workorders.services.calling import take_call
from loop311.workorders.services.comparing import Compared, compare, keys_of, known_marks, open_keys
from loop311.workorders.services.following import FOLLOWED, follow, has_links, take_up, tell_number
from loop311.workorders.services.hearing import hear, is_ours, unheard
from loop311.workorders.services.loading import Loaded, load
from loop311.workorders.services.mending import (
    cancel_there,
    hand_over_anew,
    link_to,
    may_mend,
    note_looked_up,
    park,
    send_anew,
    settle_mismatch,
    take_ours,
    take_theirs,
    try_again,
)
from loop311.workorders.services.saying import file_behind
from loop311.workorders.services.sending import Claim, Task, alone_with, claim, due, is_due, note, note_found
from loop311.workorders.services.watching import (
    go_on,
    mark_silent,
    note_beat,
    note_failing,
    pause,
    speakable,
    to_beat,
    waiting_links,
)

__all__ = [
    "FOLLOWED",
    "Claim",
    "Compared",
    "Loaded",
    "Task",
    "alone_with",
    "cancel_there",
    "claim",
    "compare",
    "due",
    "file_behind",
    "find_link",
    "follow",
    "go_on",
    "hand_over_anew",
    "has_links",
    "hear",
    "is_due",
    "is_ours",
    "keys_of",
    "known_marks",
    "link_to",
    "load",
    "mapping",
    "mark_silent",
    "may_mend",
    "note",
    "note_beat",
    "note_failing",
    "note_found",
    "note_looked_up",
    "open_keys",
    "park",
    "pause",
    "send_anew",
    "settle_mismatch",
    "speakable",
    "take_call",
    "take_ours",
    "take_theirs",
    "take_up",
    "tell_number",
    "to_beat",
    "try_again",
    "unheard",
    "waiting_links",
]
