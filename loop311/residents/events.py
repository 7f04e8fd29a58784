"""What can be said of a resident in the ledger: kind -> meaning. Bodies hold ids, codes and names of fields only."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "resident.created": "Somebody was written down: kind, language and the ids of the contact points.",
    "resident.changed": "What is known was changed; the body names the fields, never their words.",
    "resident.contact_added": "One more way to reach the resident.",
    "resident.contact_removed": "Nothing is sent to this contact point any more.",
    "resident.contact_preferred": "This contact point is to be tried first.",
    "resident.contact_verified": "The resident has shown to be the one who reads there.",
    "resident.unsubscribed": "No message to this contact point but the answer to what was asked.",
    "resident.resubscribed": "Messages to this contact point are welcome again.",
    "resident.consent_given": "A yes to a purpose.",
    "resident.consent_refused": "A no to a purpose.",
    "resident.merged": "Two residents are one: `kept` stands for `gone`. In both histories.",
    "resident.merge_undone": "The two are two again, exactly as before. In both histories.",
    "resident.erased": "Every word of this person was emptied, in all identities listed.",
}
