"""Words of the links' pages."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loop311.desk.links.page import COLOURS, KINDS, ORDER_STATES, STATES
from loop311.desk.templatetags.desk import evidence_name
from loop311.workorders.policies import LinkState, MismatchKind, OrderState

register = template.Library()


@register.filter
def link_state(state: str) -> str:
    return str(STATES[LinkState(state)])


@register.filter
def link_colour(state: str) -> str:
    return COLOURS[LinkState(state)]


@register.filter
def order_state(state: str) -> str:
    return str(ORDER_STATES[OrderState(state)])


@register.filter
def mismatch_words(kind: str) -> str:
    return str(KINDS[MismatchKind(kind)])


@register.filter
def evidence_groups(groups: Sequence[Sequence[str]]) -> str:
    """'photo or inspection; position and time of a crew'."""
    return "; ".join(_(" or ").join(evidence_name(kind).lower() for kind in group) for group in groups)


@register.filter
def ago(seconds: int) -> str:
    """'40 seconds', '3 minutes', '5 hours', '2 days'."""
    if seconds < 120:
        return ngettext("{n} second", "{n} seconds", seconds).format(n=seconds)
    if seconds < 7200:
        return _("{n} minutes").format(n=seconds // 60)
    if seconds < 172_800:
        return _("{n} hours").format(n=seconds // 3600)
    return _("{n} days").format(n=seconds // 86_400)
