"""What is said of messages in the ledger: kind -> meaning."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "article.sent": "An answer was sent to the resident of this contact; the message's own end follows in its chain.",
    "message.sent": "A message was accepted by the mail server or the text gateway.",
    "message.failed": "A message could not be delivered, for good or after every attempt.",
    "message.unknown": "A text was given to the gateway and it cannot be known whether it left; it is not sent again.",
    "message.retried": "A member of staff had a failed message tried again.",
    "notifications.quiet_hours_set": "The city's quiet hours for texts were changed.",
}
