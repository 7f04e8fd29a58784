"""Residents and addresses of the bench's city, by SQL: names made of syllables, streets in rows, every one known by its number.

The same formulas stand here twice, as SQL for growing and as Python for asking; `check` compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from bench.floor import Floor
from bench.town import SIDE, SOUTH, WEST, Askers, Town
from loop311.places.models import AddressPoint
from loop311.places.policies import normalise
from loop311.residents.models import Resident
from loop311.residents.policies import indexed

_SPOKEN = "ba be bo da de do fa ga ka ke la le lo ma mi mo na ne ra ri sa ta ti vo"
_SYLLABLES = _SPOKEN.split()
_TYPES = ("St", "Ave", "Rd", "Ln", "Dr", "Ct")
HOUSES = 100
"""On each street."""
FIRST_RESIDENT, FIRST_POINT, FIRST_ADDRESS = 590_000_000, 650_000_000, 710_000_000
_MAIL_EVERY = 3

FUNCTIONS = f"""
CREATE FUNCTION pg_temp.syllable(n bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT (ARRAY[{", ".join(f"'{each}'" for each in _SYLLABLES)}])[1 + n % 24] $$;
CREATE FUNCTION pg_temp.name(n bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT initcap(pg_temp.syllable(n) || pg_temp.syllable(n / 24)) || ' ' || initcap(pg_temp.syllable(n * 7)
        || pg_temp.syllable(n / 13) || pg_temp.syllable(n / 311)) $$;
CREATE FUNCTION pg_temp.street(s bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT initcap(pg_temp.syllable(s) || pg_temp.syllable(s / 24) || pg_temp.syllable(s * 5 + s / 576)) || ' '
        || (ARRAY[{", ".join(f"'{each}'" for each in _TYPES)}])[1 + s % 6] $$;
CREATE FUNCTION pg_temp.address(a bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT (100 + 4 * (a % {HOUSES}))::text || ' ' || pg_temp.street(a / {HOUSES}) $$;
"""
"""For one session of psql: `n` numbers residents from 0, `s` streets, `a` addresses."""


def _syllable(n: int) -> str:
    return _SYLLABLES[n % 24]


def name_of(n: int) -> str:
    first = _syllable(n) + _syllable(n // 24)
    last = _syllable(n * 7) + _syllable(n // 13) + _syllable(n // 311)
    return f"{first.capitalize()} {last.capitalize()}"


def street_of(s: int) -> str:
    return f"{(_syllable(s) + _syllable(s // 24) + _syllable(s * 5 + s // 576)).capitalize()} {_TYPES[s % 6]}"


def address_of(a: int) -> str:
    return f"{100 + 4 * (a % HOUSES)} {street_of(a // HOUSES)}"


def phone_of(n: int) -> str:
    """No code of an area or exchange is one of those that are kept for services (211, 311 ...)."""
    return f"+1512{560 + n // 10_000}{n % 10_000:04d}"


def email_of(n: int) -> str:
    """Of every third resident."""
    n -= n % _MAIL_EVERY
    return f"{_syllable(n)}{_syllable(n // 24)}.{n}@mail.example"


def position_of(a: int, people: People) -> tuple[float, float]:
    """Latitude and longitude: streets lie beside each other from south to north, their houses from west to east."""
    streets = people.addresses // HOUSES
    up, right = (a // HOUSES + 0.5) / streets, (a % HOUSES + 0.5) / HOUSES
    return SOUTH + SIDE * (0.02 + 0.96 * up), WEST + SIDE * (0.02 + 0.96 * right)


@dataclass(frozen=True, slots=True)
class People:
    """How many there are. Numbers at hand for whoever asks about one."""

    residents: int
    addresses: int

    def resident(self, turn: int) -> int:
        return turn * 48_271 % self.residents

    def address(self, turn: int) -> int:
        return turn * 69_621 % self.addresses

    @property
    def askers(self) -> Askers:
        """Seven past requests in ten are a resident's, all are at an address."""
        resident = f"CASE WHEN n % 10 < 7 THEN {FIRST_RESIDENT} + n::bigint * 48271 % {self.residents} END"
        return Askers(resident, f"pg_temp.address(n::bigint * 69621 % {self.addresses})", FUNCTIONS)


def settle(town: Town, residents: int, floor: Floor) -> People:
    """Residents with a mobile phone, every third with an e-mail address, and the addresses they live at; streets of 100 houses."""
    addresses = max(HOUSES, residents * 3 // 8 // HOUSES * HOUSES)
    floor.sql(_begin() + _residents(town, residents, addresses) + _addresses(town, addresses) + "VACUUM (ANALYZE);")
    connection.close()
    people = People(residents, addresses)
    check(town, people)
    return people


def _begin() -> str:
    return f"SET session_replication_role = replica; SET synchronous_commit = off;\n{FUNCTIONS}"


def _residents(town: Town, count: int, addresses: int) -> str:
    city, made = town.jurisdiction.pk, "now() - interval '400 days'"
    return f"""
INSERT INTO residents_resident (id, jurisdiction_id, kind, name, language, note, address, created_at, search, version)
OVERRIDING SYSTEM VALUE
SELECT {FIRST_RESIDENT} + n, {city}, 'person', pg_temp.name(n), CASE WHEN n % 5 = 0 THEN 'es' ELSE 'en' END, '', lives,
    {made}, ' ' || lower(pg_temp.name(n) || ' ' || lives) || ' ', 1
FROM generate_series(0, {count - 1}) AS n, LATERAL (SELECT pg_temp.address(n % {addresses}) AS lives) AS l;
INSERT INTO residents_contactpoint (id, jurisdiction_id, resident_id, kind, address, is_preferred, may_notify, created_at)
OVERRIDING SYSTEM VALUE
SELECT {FIRST_POINT} + 2 * n, {city}, {FIRST_RESIDENT} + n, 'mobile',
    '+1512' || (560 + n / 10000)::text || lpad((n % 10000)::text, 4, '0'), true, true, {made}
FROM generate_series(0, {count - 1}) AS n
UNION ALL
SELECT {FIRST_POINT} + 2 * n + 1, {city}, {FIRST_RESIDENT} + n, 'email',
    pg_temp.syllable(n) || pg_temp.syllable(n / 24) || '.' || n || '@mail.example', false, true, {made}
FROM generate_series(0, {count - 1}, {_MAIL_EVERY}) AS n;
SELECT setval(pg_get_serial_sequence('residents_resident', 'id'), {FIRST_RESIDENT + 50_000_000});
SELECT setval(pg_get_serial_sequence('residents_contactpoint', 'id'), {FIRST_POINT + 50_000_000});
"""


def _addresses(town: Town, count: int) -> str:
    """At `position_of`."""
    streets = count // HOUSES
    return f"""
INSERT INTO places_addresspoint (id, jurisdiction_id, kind, text, search, house_number, street, unit, postcode, latitude,
    longitude, source_id) OVERRIDING SYSTEM VALUE
SELECT {FIRST_ADDRESS} + a, {town.jurisdiction.pk}, 'address', pg_temp.address(a), lower(pg_temp.address(a)),
    (100 + 4 * (a % {HOUSES}))::text, lower(pg_temp.street(a / {HOUSES})), '', '',
    {SOUTH} + {SIDE} * (0.02 + 0.96 * (a / {HOUSES} + 0.5) / {streets}),
    {WEST} + {SIDE} * (0.02 + 0.96 * (a % {HOUSES} + 0.5) / {HOUSES}), 'bench-' || a
FROM generate_series(0, {count - 1}) AS a;
SELECT setval(pg_get_serial_sequence('places_addresspoint', 'id'), {FIRST_ADDRESS + 50_000_000});
"""


def check(town: Town, people: People) -> None:
    """What was written by SQL is what the product itself would have written."""
    for n in (0, people.residents // 2, people.residents - 1):
        row = Resident.objects.get(jurisdiction=town.jurisdiction, pk=FIRST_RESIDENT + n)
        lives = address_of(n % people.addresses)
        _same((row.name, row.address, row.search), (name_of(n), lives, indexed(name_of(n), lives)))
        phone = row.contact_points.filter(kind="mobile").values_list("address", flat=True).get()
        _same(phone, phone_of(n))
    for a in (0, people.addresses // 2, people.addresses - 1):
        point = AddressPoint.objects.get(jurisdiction=town.jurisdiction, pk=FIRST_ADDRESS + a)
        _same((point.text, point.search), (address_of(a), normalise(address_of(a))))
        _same((round(point.latitude, 9), round(point.longitude, 9)), tuple(round(p, 9) for p in position_of(a, people)))
    connection.close()


def _same(written: object, expected: object) -> None:
    if written != expected:
        raise RuntimeError(f"The bench's SQL wrote {written}, the product would write {expected}.")
