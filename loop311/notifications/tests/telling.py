"""What the worker does for one event, in a test."""

from __future__ import annotations

from loop311.ledger.models import Event
from loop311.ledger.services import handle, handlers_of
from loop311.notifications.models import Message


def told(kind: str, subject_id: int) -> list[Message]:
    """Run the wired handlers for the newest event of this kind, as the worker does; returns the messages it made."""
    event = Event.objects.filter(kind=kind, subject_id=subject_id).latest("pk")
    for name, _ in handlers_of(kind):
        handle(event.pk, event.kind, name)
    return list(Message.objects.filter(event=event).order_by("pk"))
