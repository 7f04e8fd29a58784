"""How long it usually takes, honestly: what this service has taken lately in this area, still open ones included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q

from loop311.catalog.definitions import Texts
from loop311.requests.models import UsualTime
from loop311.requests.sentences import say

STALE = timedelta(days=14)
"""What was counted longer ago is not said any more."""


class Basis(StrEnum):
    AREA = "area"
    CITY = "city"  # too few in the area
    NONE = "none"  # too few in the whole city


@dataclass(frozen=True, slots=True)
class Range:
    """Half are done within `median`, nine of ten within `p90`; None where that was not seen. `sample` counts open ones too."""

    median: timedelta | None
    p90: timedelta | None
    sample: int
    basis: Basis
    longest: timedelta = timedelta()
    layer: str = ""
    area: str = ""


UNKNOWN = Range(None, None, 0, Basis.NONE)


def honest_range(jurisdiction_id: int, service: str, areas: Mapping[str, str], at: datetime) -> Range:
    """Of a service (its code): in the smallest of these areas that has enough, else in the whole city, else nothing. One query."""
    wanted = Q(layer="", area="")
    for layer, key in areas.items():
        wanted |= Q(layer=layer, area=key)
    rows = UsualTime.objects.filter(
        wanted, jurisdiction_id=jurisdiction_id, service__code=service, counted_at__gt=at - STALE
    )
    found = sorted(rows, key=lambda row: (row.layer == "", row.sample, row.layer))
    return _range(found[0]) if found else UNKNOWN


def _range(row: UsualTime) -> Range:
    return Range(
        median=None if row.median_hours is None else timedelta(hours=row.median_hours),
        p90=None if row.p90_hours is None else timedelta(hours=row.p90_hours),
        sample=row.sample,
        basis=Basis.AREA if row.layer else Basis.CITY,
        longest=timedelta(hours=row.longest_hours),
        layer=row.layer,
        area=row.area,
    )


_SAID: dict[str, Texts] = {
    "both": {
        "en": "{where} half of these are done within {median}, nine of ten within {p90}.",
        "es": "{where} la mitad se resuelve en {median} y nueve de cada diez en {p90}.",
    },
    "same": {
        "en": "{where} nine of ten of these are done within {p90}.",
        "es": "{where} nueve de cada diez se resuelven en {p90}.",
    },
    "half": {
        "en": "{where} half of these are done within {median}; more than one in ten have not been done even after {longest}.",
        "es": "{where} la mitad se resuelve en {median}; más de una de cada diez sigue sin resolverse después de {longest}.",
    },
    "slow": {
        "en": "{where} fewer than half of these have been done, some not even after {longest}.",
        "es": "{where} se ha resuelto menos de la mitad, y algunas siguen sin resolverse después de {longest}.",
    },
    "unknown": {
        "en": "There have been too few of these lately to say how long they usually take.",
        "es": "Ha habido muy pocas de estas últimamente para decir cuánto suelen tardar.",
    },
}
_WHERE: dict[Basis, Texts] = {
    Basis.AREA: {"en": "Lately, in {area},", "es": "Últimamente, en {area},"},
    Basis.CITY: {"en": "Lately, in the whole city,", "es": "Últimamente, en toda la ciudad,"},
}
_HOURS: Texts = {"en": "{n} hours", "es": "{n} horas"}
_HOUR: Texts = {"en": "an hour", "es": "una hora"}
_DAYS: Texts = {"en": "{n} days", "es": "{n} días"}


def sentence(found: Range, language: str, area_name: str = "") -> str:
    """What to say of it. `area_name`: what people call the area it is based on."""
    return say(_SAID[_kind(found)], language).format(
        where=say(_WHERE.get(found.basis, {}), language).format(area=area_name or found.area),
        median=spoken_length(found.median, language),
        p90=spoken_length(found.p90, language),
        longest=spoken_length(found.longest, language),
    )


def _kind(found: Range) -> str:
    if found.basis is Basis.NONE:
        return "unknown"
    if found.median is None:
        return "slow"
    if found.p90 is None:
        return "half"
    return "same" if found.p90 == found.median else "both"


def spoken_length(length: timedelta | None, language: str) -> str:
    """'an hour', '36 hours', '6 days': rounded up, in days beyond two of them."""
    hours = -(-(length or timedelta()) // timedelta(hours=1))
    if hours > 47:
        return say(_DAYS, language).format(n=-(-hours // 24))
    return say(_HOUR if hours <= 1 else _HOURS, language).format(n=hours)
