"""How residents, their contact points and what was agreed are named on pages."""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _

from loop311.desk.callers import Why
from loop311.residents.policies import PointKind

WHY = {
    Why.NUMBER: _("Number of a request"),
    Why.PHONE: _("Phone"),
    Why.PHONE_END: _("Last digits of the phone"),
    Why.EMAIL: _("E-mail"),
    Why.EMAIL_LIKE: _("Nearly this e-mail"),
    Why.NAME: _("Name"),
    Why.NAME_LIKE: _("Nearly this name"),
    Why.ADDRESS: _("Lives there"),
    Why.ASKED_AT: _("Asked about this address"),
}
POINT_KINDS = {
    PointKind.MOBILE: _("Mobile phone"),
    PointKind.PHONE: _("Phone, voice only"),
    PointKind.EMAIL: _("E-mail"),
}
PURPOSES = {
    "surveys": _("Surveys"),
    "outreach": _("News from the city"),
    "share_with_utility": _("Passing the name on to a utility"),
}
ZONES = (
    "America/New_York", "America/Detroit", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles",
    "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico", "America/Mexico_City", "America/Toronto", "Europe/London",
    "Europe/Madrid", "Asia/Manila", "Asia/Ho_Chi_Minh", "Asia/Kolkata",
)  # fmt: skip
"""Those people most often name; another one can be set over the API."""
TOLD = {
    "request.filed": _("We have the request"),
    "request.assigned": _("A team has it"),
    "request.done": _("Reported done"),
    "request.declined": _("Declined"),
    "request.closed": _("Closed"),
    "request.reopened": _("Open again"),
    "request.waiting": _("It has to wait"),
    "request.handed_over": _("Somebody else is responsible"),
    "request.joined": _("Joined to another report"),
    "request.promise_changed": _("Another date"),
    "request.commented": _("A note"),
    "request.rerouted": _("Another team has it"),
    "callback.promised": _("A call-back is promised"),
    "callback.failed": _("Could not be reached"),
    "callback.cancelled": _("The call-back is not needed any more"),
}
"""What a message was about."""
DIFFERENCES = {"name": _("Name"), "language": _("Language"), "address": _("Address")}


def purpose_name(purpose: str) -> str:
    return str(PURPOSES.get(purpose, purpose.replace("_", " ").capitalize()))


def zone_name(zone: str) -> str:
    """'America/New_York' -> 'New York'."""
    return zone.rpartition("/")[2].replace("_", " ")


def spelled(address: str) -> str:
    """'+12145550123' -> '(214) 555-0123'; numbers of other countries and e-mail addresses as they are."""
    known = re.fullmatch(r"\+1(\d{3})(\d{3})(\d{4})", address)
    return f"({known[1]}) {known[2]}-{known[3]}" if known else address
