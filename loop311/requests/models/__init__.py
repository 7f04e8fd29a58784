"""The room's tables: the request with all that hangs on it, and its files."""

from loop311.requests.models.files import Attachment, Enclosure
from loop311.requests.models.request import (
    ClockStop,
    Comment,
    Escalated,
    Evidence,
    FilingKey,
    ImportRun,
    Promise,
    Request,
    UsualTime,
)

__all__ = [
    "Attachment",
    "ClockStop",
    "Comment",
    "Enclosure",
    "Escalated",
    "Evidence",
    "FilingKey",
    "ImportRun",
    "Promise",
    "Request",
    "UsualTime",
]
