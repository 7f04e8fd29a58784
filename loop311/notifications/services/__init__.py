"""The only writers of this room's tables."""

from loop311.notifications.services.articles import send_article, writable_points
from loop311.notifications.services.digesting import choose_digest, digest_choice, note_digest, plan_digests
from loop311.notifications.services.noticing import (
    note_notice,
    notify_escalation,
    notify_gap_late,
    notify_late_callback,
    notify_link,
    notify_own_sign_in,
    notify_webhook_ended,
    recipients,
)
from loop311.notifications.services.queueing import notify_callback_event, notify_request_event
from loop311.notifications.services.quiet import quiet_hours, set_quiet_hours
from loop311.notifications.services.steps import Claim, claim, note_failed, note_sent, note_unknown, retry, sweep

__all__ = [
    "Claim",
    "choose_digest",
    "claim",
    "digest_choice",
    "note_digest",
    "note_failed",
    "note_notice",
    "note_sent",
    "note_unknown",
    "notify_callback_event",
    "notify_escalation",
    "notify_gap_late",
    "notify_late_callback",
    "notify_link",
    "notify_own_sign_in",
    "notify_request_event",
    "notify_webhook_ended",
    "plan_digests",
    "quiet_hours",
    "recipients",
    "retry",
    "send_article",
    "set_quiet_hours",
    "sweep",
    "writable_points",
]
