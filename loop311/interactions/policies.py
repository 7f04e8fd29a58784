"""Channels and outcomes of a contact: closed lists."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    PHONE = "phone"
    WEB = "web"
    APP = "app"
    COUNTER = "counter"
    EMAIL = "email"
    MESSAGE = "message"  # SMS, social media
    API = "api"  # another system
    STAFF = "staff"  # found by the city's own people
    LETTER = "letter"


class ContactOutcome(StrEnum):
    REQUEST = "request"  # at least one request filed or joined
    INFORMATION = "information"  # answered at once
    FOLLOW_UP = "follow_up"  # about an existing request
    CALLBACK = "callback"  # somebody will ring back
    TRANSFERRED = "transferred"  # to 911 or another number
    ABANDONED = "abandoned"
