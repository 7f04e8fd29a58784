"""The window of a call-back in a resident's words and the city's time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format

from loop311.callbacks.policies import in_zone

_PATTERNS = {"en": "{day}, {start} to {end} ({zone})", "es": "{day}, de {start} a {end} ({zone})"}


def window_in_words(start: datetime, end: datetime, zone: ZoneInfo, language: str) -> str:
    """'March 2, 2026, 9 a.m. to 11 a.m. (CST)'; a language without a pattern of its own gets the English one."""
    first, last = in_zone(start, end, zone)
    spoken = language.split("-")[0] if language.split("-")[0] in _PATTERNS else "en"
    with translation.override(spoken):
        begins = date_format(first, "TIME_FORMAT")
        ends = date_format(last, "TIME_FORMAT")
        if first.date() != last.date():
            ends = f"{date_format(last, 'DATE_FORMAT')}, {ends}"
        day = date_format(first, "DATE_FORMAT")
    return _PATTERNS[spoken].format(day=day, start=begins, end=ends, zone=first.tzname())
