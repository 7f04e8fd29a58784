"""What can be said of a request in the ledger: kind -> meaning. Bodies hold ids, codes, dates and digests only."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "request.filed": "A resident's ask was taken down, placed, routed and promised.",
    "request.assigned": "A member of the team, or the team as a whole, took it.",
    "request.started": "Work has begun.",
    "request.waiting": "The clock stopped, for a reason on the service's closed list.",
    "request.resumed": "The clock runs again.",
    "request.handed_over": "Somebody outside the city is responsible; number and clock go on here.",
    "request.evidence_added": "Something that proves work was added.",
    "request.attached": "A photo or document that shows the problem was added; `digest` is the SHA-256 of the file as it is kept.",
    "request.done": "The team reports it done, with the service's evidence; the resident may still say no.",
    "request.declined": "The city can't do it; the resident may object.",
    "request.confirmed": "A resident said yes, it is done.",
    "request.closed": "It is over: the resident said yes, or did not object in time.",
    "request.reopened": "A resident said no; the original clock goes on.",
    "request.joined": "It was found to be the same problem as a leading request.",
    "request.separated": "It was found to be a problem of its own after all.",
    "request.follower_joined": "Another report was joined to this leading one.",
    "request.follower_left": "A joined report left this leading one.",
    "request.leader_done": "The leading request of this joined one is reported done.",
    "request.leader_closed": "The leading request of this joined one has ended, and this one with it.",
    "request.leader_reopened": "The leading request of this joined one was reopened.",
    "request.commented": "Words were added.",
    "request.rerouted": "Another team became accountable.",
    "request.service_changed": "It is asked under another service now.",
    "request.promise_changed": "A new promise followed an earlier one.",
    "request.escalated": "A step of the escalation ladder was climbed.",
    "request.words_erased": "What the resident had written was erased.",
    "request.imported": "It was taken over from another system's records.",
    "request.import_updated": "The other system's record had changed.",
}
