"""How dates, states and fields are written on the desk's pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone, localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loop311.accounts.policies import Role
from loop311.callbacks.policies import AttemptOutcome, Way
from loop311.catalog.definitions import EvidenceKind
from loop311.desk.access import Desk
from loop311.desk.calling import OUTCOMES, WAYS
from loop311.desk.contact.content import Content
from loop311.desk.filing import LANGUAGES
from loop311.desk.forms import EVIDENCE_NAMES, STATE_NAMES
from loop311.desk.history import BECAUSE
from loop311.desk.live.hub import stamp
from loop311.desk.sign_in_forms import ROLE_NAMES
from loop311.kit.clock import now
from loop311.requests.policies import OPEN_STATES, State
from loop311.requests.sentences import say

register = template.Library()


@register.filter
def state_name(state: str) -> str:
    return str(STATE_NAMES[State(state)])


@register.filter
def evidence_name(kind: str) -> str:
    return str(EVIDENCE_NAMES.get(EvidenceKind(kind), kind.replace("_", " ").capitalize()))


@register.filter
def named(thing: Any, language: str) -> str:
    """The name of a service or team in the city's language."""
    return say(thing.names, language, thing.code)


@register.filter
def role_name(role: str) -> str:
    return str(ROLE_NAMES[Role(role)]).partition(":")[0]


@register.filter
def hour(at: datetime) -> str:
    """'4 p.m.'"""
    return date_format(localtime(at), "P")


@register.filter
def way_name(way: str) -> str:
    return str(WAYS[Way(way)])


@register.filter
def outcome_name(outcome: str) -> str:
    return str(OUTCOMES[AttemptOutcome(outcome)])


@register.filter
def because(reason: str) -> str:
    return str(BECAUSE.get(reason, reason))


@register.filter
def spoken(code: str) -> str:
    """'in_progress' -> 'In progress'."""
    return code.replace("_", " ").replace("-", " ").capitalize()


@register.filter
def when(at: datetime | None) -> str:
    """'Mar 2, 9:14 a.m.', with the year when it is not this one."""
    if at is None:
        return ""
    same_year = localtime(at).year == localtime(now()).year
    return date_format(localtime(at), "M j, P" if same_year else "M j, Y, P")


@register.filter
def promised(at: datetime | None) -> str:
    """The day and time of a promise; one due at midnight is due at the end of the day before."""
    if at is None:
        return _("no date")
    local = localtime(at)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return _("end of {day}").format(day=date_format(localtime(at - timedelta(seconds=1)), "D, M j"))
    same_year = local.year == localtime(now()).year
    return date_format(local, "D, M j, P" if same_year else "D, M j, Y, P")


@register.filter
def is_late(row: Any) -> bool:
    """Open, and its promise is broken."""
    return row.due_at is not None and row.state in OPEN_STATES and row.due_at < now()


@register.filter
def distance(at: datetime | None) -> str:
    """'in 3 days', '2 hours late'."""
    if at is None:
        return ""
    seconds = (at - now()).total_seconds()
    span = _span(abs(seconds))
    return _("in {span}").format(span=span) if seconds >= 0 else _("{span} late").format(span=span)


def _span(seconds: float) -> str:
    minutes, hours, days = round(seconds / 60), round(seconds / 3600), round(seconds / 86400)
    if hours < 1:
        return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)
    if hours < 36:
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
    return ngettext("{n} day", "{n} days", days).format(n=days)


@register.filter
def typed(content: Content, field: str) -> str:
    """A word of a contact's draft."""
    return content.word(field)


@register.filter
def length_of(metres: float) -> str:
    """'38 m', '2.8 km'."""
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km"


@register.filter
def language_name(code: str) -> str:
    return str(LANGUAGES.get(code, code))


@register.inclusion_tag("desk/_live.html")
def live(desk: Desk, *topics: str, refresh: bool = False, explain: str = "") -> dict[str, object]:
    """What others change appears on this page: {% live desk "gap" %} tells scripts of it by the event `live:change`.

    Topics are 'request:7', 'team:3', or a type of subject alone. See static/desk/live.js.
    """
    return {"city": desk.city.pk, "since": stamp(), "topics": " ".join(topics), "refresh": refresh, "explain": explain}


@register.filter
def topic(subject_id: int, subject_type: str) -> str:
    """7, 'request' -> 'request:7'."""
    return f"{subject_type}:{subject_id}"


@register.simple_tag
def zone_name() -> str:
    return str(get_current_timezone())


@register.simple_tag
def now_at() -> datetime:
    return now()


@register.filter
def get(names: Mapping[str, object], code: str) -> object:
    """The name of a code, or the code."""
    return names.get(code, code)


@register.filter
def is_group(field: BoundField) -> bool:
    """Radios and check boxes, which need a fieldset with a legend."""
    return bool(field.use_fieldset)


@register.filter
def is_box(field: BoundField) -> bool:
    return getattr(field.field.widget, "input_type", "") == "checkbox" and not field.use_fieldset


@register.filter
def box_class(field: BoundField) -> str:
    return "usa-radio" if getattr(field.field.widget, "input_type", "") == "radio" else "usa-checkbox"
