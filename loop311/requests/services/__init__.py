"""The only writers of this room's tables: one function for each verb of the state table."""

from loop311.requests.services.attaching import (
    Kept,
    attach,
    attach_received,
    receive,
    remove_erased_files,
    settle,
    sweep_files,
)
from loop311.requests.services.counting import count_usual_times
from loop311.requests.services.enclosing import attach_enclosed, drop_enclosed, enclose, enclosed
from loop311.requests.services.ending import (
    Proof,
    add_evidence,
    close_undisputed,
    confirm,
    decline,
    dispute,
    resolve,
)
from loop311.requests.services.filing import Filing, file, words_digest
from loop311.requests.services.joining import join, separate
from loop311.requests.services.promising import Terms, terms_of
from loop311.requests.services.restating import Restated, restate
from loop311.requests.services.sweeping import sweep
from loop311.requests.services.taking import take_next
from loop311.requests.services.talking import comment, erase_words, forget_resident
from loop311.requests.services.working import assign, change_service, hand_over, reroute, resume, start, wait

__all__ = [
    "Filing",
    "Kept",
    "Proof",
    "Restated",
    "Terms",
    "add_evidence",
    "assign",
    "attach",
    "attach_enclosed",
    "attach_received",
    "change_service",
    "close_undisputed",
    "comment",
    "confirm",
    "count_usual_times",
    "decline",
    "dispute",
    "drop_enclosed",
    "enclose",
    "enclosed",
    "erase_words",
    "file",
    "forget_resident",
    "hand_over",
    "join",
    "receive",
    "remove_erased_files",
    "reroute",
    "resolve",
    "restate",
    "resume",
    "separate",
    "settle",
    "start",
    "sweep",
    "sweep_files",
    "take_next",
    "terms_of",
    "wait",
    "words_digest",
]
