"""Founding a city, and giving numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection, transaction
from django.utils.text import slugify
from holidays.utils import list_supported_countries
from phonenumbers import SUPPORTED_REGIONS

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Invalid, NotFound


@transaction.atomic
def create(
    slug: str,
    *,
    name: str,
    time_zone: str,
    languages: Sequence[str] = ("en",),
    country: str = "US",
    is_demo: bool = False,
    center: tuple[float, float] | None = None,
) -> Jurisdiction:
    """Found a city. `center` is (latitude, longitude). The slug is its name in addresses and commands, for ever."""
    if not slug or slug != slugify(slug):
        raise Invalid(
            "The slug may hold only lower-case letters, digits and hyphens.",
            fields=[FieldProblem("slug", slug)],
        )
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(
            f"{time_zone!r} is not a time zone; use a name such as America/Chicago.",
            fields=[FieldProblem("time_zone", "unknown time zone")],
        ) from error
    if country not in SUPPORTED_REGIONS or country not in list_supported_countries():
        raise Invalid(
            f"{country[:20]!r} is not a country whose telephone numbers and holidays are known; use two letters such as US.",
            fields=[FieldProblem("country", "unknown country")],
        )
    if Jurisdiction.objects.filter(slug=slug).exists():
        raise Conflict(f"There is a city {slug!r} already.")
    return Jurisdiction.objects.create(
        slug=slug,
        name=name,
        time_zone=time_zone,
        languages=list(languages),
        country=country,
        is_demo=is_demo,
        center_latitude=center and center[0],
        center_longitude=center and center[1],
        created_at=now(),
    )


@lru_cache(maxsize=1024)
def country_of(jurisdiction_id: int) -> str:
    """A city stays in its country, so it is asked once for each process."""
    return Jurisdiction.objects.values_list("country", flat=True).get(pk=jurisdiction_id)


def set_second_factor_roles(jurisdiction: Jurisdiction, roles: Sequence[str]) -> None:
    """The names are roles of accounts.policies, which checks them and writes the event."""
    jurisdiction.second_factor_roles = list(roles)
    jurisdiction.save(update_fields=["second_factor_roles"])


def next_number(jurisdiction: Jurisdiction, series: str, at: datetime) -> str:
    """The next number of a series in the city's year of `at`: '26-00000001'.

    Holds the series' row until the caller's transaction ends, so numbers rise in the order of commits: take it last.
    """
    year = at.astimezone(jurisdiction.zone).year
    return format_number(year, reserve_numbers(jurisdiction.pk, series, year, 1))


def reserve_numbers(jurisdiction_id: int, series: str, year: int, count: int) -> int:
    """Take `count` numbers of a series and year at once; returns the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO jurisdictions_numberseries (jurisdiction_id, series, year, last) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (jurisdiction_id, series, year)"
            " DO UPDATE SET last = jurisdictions_numberseries.last + excluded.last RETURNING last",
            [jurisdiction_id, series, year, count],
        )
        return int(cursor.fetchone()[0]) - count + 1


def format_number(year: int, value: int) -> str:
    """(2026, 1) -> '26-00000001'."""
    return f"{year % 100:02d}-{value:08d}"


_COLUMNS = tuple(field.column for field in Jurisdiction._meta.concrete_fields)
_NAMED = f"SELECT {', '.join(_COLUMNS)} FROM jurisdictions_jurisdiction WHERE slug = %s"
"""Plain SQL: every call of another system asks it, and putting it together as a queryset cost five times more than asking it."""


def named(slug: str) -> Jurisdiction | None:
    """The city of this slug, where there is one."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, [slug])
        row = cursor.fetchone()
    return None if row is None else Jurisdiction.from_db("default", _COLUMNS, row)


def by_slug(slug: str) -> Jurisdiction:
    """The city of this slug; NotFound says which cities there are."""
    found = Jurisdiction.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Jurisdiction.objects.order_by("slug").values_list("slug", flat=True)[:10])
        raise NotFound(f"There is no city {slug!r}; there {'are' if known else 'is'} {known or 'none yet'}.")
    return found
