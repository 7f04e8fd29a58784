"""How residents and their call-backs are written on the desk's pages."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils.formats import date_format
from django.utils.timezone import localtime

from loop311.callbacks.policies import CallbackState
from loop311.desk import calling
from loop311.desk.callers import Why
from loop311.desk.calling import STATES
from loop311.desk.contact.forms import OUTCOMES as CONTACT_OUTCOMES
from loop311.desk.filing import CHANNELS, LANGUAGES
from loop311.desk.people import words
from loop311.desk.people.words import DIFFERENCES, POINT_KINDS, TOLD, WHY
from loop311.interactions.policies import Channel, ContactOutcome
from loop311.residents.policies import PointKind

register = template.Library()


@register.filter
def why_name(why: str) -> str:
    return str(WHY[Why(why)])


@register.filter
def point_name(kind: str) -> str:
    return str(POINT_KINDS[PointKind(kind)])


@register.filter
def purpose_name(purpose: str) -> str:
    return words.purpose_name(purpose)


@register.filter
def language_name(code: str) -> str:
    return str(LANGUAGES.get(code, code))


@register.filter
def difference_name(field: str) -> str:
    return str(DIFFERENCES[field])


@register.filter
def channel_name(channel: str) -> str:
    return str(CHANNELS.get(Channel(channel), channel.replace("_", " ").capitalize()))


@register.filter
def contact_outcome(outcome: str) -> str:
    return str(CONTACT_OUTCOMES[ContactOutcome(outcome)]) if outcome else ""


@register.filter
def told_name(event_kind: str) -> str:
    """What a message was about: 'request.filed' -> 'Request received'."""
    return str(TOLD.get(event_kind, event_kind.rpartition(".")[2].replace("_", " ").capitalize()))


@register.filter
def callback_state(state: str) -> str:
    return str(STATES[CallbackState(state)])


@register.filter
def why_cancelled(reason: str) -> str:
    return calling.why_cancelled(reason)


@register.filter
def spelled(address: str) -> str:
    """'+12145550123' -> '(214) 555-0123'; numbers of other countries and e-mail addresses as they are."""
    return words.spelled(address)


@register.filter
def place_of_zone(zone: object) -> str:
    """'America/New_York' -> 'New York'."""
    return words.zone_name(str(zone))


@register.filter
def in_zone(at: datetime, zone: ZoneInfo) -> str:
    """'Mar 2, 3 p.m.' by the clocks of the zone."""
    return date_format(localtime(at, zone), "M j, P")


@register.filter
def hour_in(at: datetime, zone: ZoneInfo) -> str:
    """'4 p.m.' by the clocks of the zone."""
    return date_format(localtime(at, zone), "P")
