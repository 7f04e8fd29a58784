"""Who may be meant: by number, e-mail address or words, tolerant of typing. Every query is bounded to one city and in length."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection, transaction

from loop311.jurisdictions.services import country_of
from loop311.kit.planning import ask
from loop311.residents.models import Consent, ContactPoint, Resident
from loop311.residents.policies import (
    BEGUN,
    Point,
    combined,
    likeness,
    normalise_email,
    normalise_phone,
    searchable,
    swapped,
)

SHORTEST = 3
"""Letters that words need; fewer would find everybody."""
SHORTEST_END = 4
"""Last digits of a telephone number."""
LONGEST = 200
FEW = 3
"""People found; fewer may be somebody else's namesakes."""
_MOST_WORDS = 6
_CONSIDERED = 300
"""Rows compared in this process; a name that fits more people needs another word."""
_ALIKE_CONSIDERED = 1000
"""Rows the database compares for slips of the finger."""
_ALIKE_THRESHOLD = 0.3
"""Of pg_trgm: low, because one slip in a short name leaves few common trigrams; `likeness` decides."""


class Why(StrEnum):
    """What of a resident fits."""

    PHONE = "phone"
    PHONE_END = "phone_end"  # the last digits
    EMAIL = "email"
    EMAIL_LIKE = "email_like"  # its beginning, or nearly
    NAME = "name"
    NAME_LIKE = "name_like"  # nearly
    ADDRESS = "address"  # the resident's own


@dataclass(frozen=True, slots=True)
class Match:
    """A row that fits, as it is written down: who stands for it now is told by `standing_for`."""

    resident_id: int
    why: Why
    what: str
    """The number, e-mail address, name or address that fits."""
    likeness: float


def is_searchable(text: str) -> bool:
    """Whether there is enough of it to look for somebody."""
    return is_phone(text) or is_email(text) or _are_enough(_words_of(text))


def matching(city: int, text: str, *, limit: int = 40, thorough: bool = False) -> list[Match]:
    """By what the text looks like: a telephone number, an e-mail address, or words."""
    if is_email(text):
        return by_email(city, text, limit=limit)
    return (by_phone(city, text, limit=limit) if is_phone(text) else []) or by_words(
        city, text, limit=limit, thorough=thorough
    )


# --- By number or e-mail address ---------------------------------------------------------------------------------------

_PHONE = re.compile(r"[+\d\s().\-/]+(?:\s*(?:x|ext\.?)\s*\d{1,6})?", re.IGNORECASE)

_BY_END = """
SELECT p.resident_id, p.address FROM residents_contactpoint p
WHERE p.jurisdiction_id = %(city)s AND p.kind <> 'email' AND p.removed_at IS NULL
  AND reverse(p.address) LIKE %(end)s
ORDER BY p.address = %(whole)s DESC, p.id DESC LIMIT %(limit)s
"""


def is_phone(text: str) -> bool:
    """Whether it can be a telephone number or its end: digits as people write them, at least four."""
    return bool(_PHONE.fullmatch(text.strip())) and len(_digits(text)) >= SHORTEST_END


def is_email(text: str) -> bool:
    """Whether it is an e-mail address, whole or being typed."""
    return "@" in text and " " not in text.strip()


def by_phone(city: int, text: str, *, limit: int = 40) -> list[Match]:
    """The whole number in any spelling, else what ends in its last digits (four to seven). One query."""
    whole, digits = normalise_phone(text, country_of(city)) or "", _digits(text)
    end = (_digits(whole) or digits)[-7:]
    rows = ask(_BY_END, {"city": city, "end": f"{end[::-1]}%", "whole": whole, "limit": limit})
    exact = [Match(pk, Why.PHONE, address, 1.0) for pk, address in rows if address == whole]
    return exact or [Match(pk, Why.PHONE_END, address, 0.8) for pk, address in rows]


def _digits(text: str) -> str:
    return "".join(c for c in re.split("x|ext", text, flags=re.IGNORECASE)[0] if c in "0123456789")


_BY_EMAIL = """
(SELECT p.resident_id, p.address, 1.0::float FROM residents_contactpoint p
 WHERE p.jurisdiction_id = %(city)s AND p.kind = 'email' AND p.removed_at IS NULL AND p.address = %(whole)s
 LIMIT %(limit)s)
UNION ALL
(SELECT p.resident_id, p.address, 0.9::float FROM residents_contactpoint p
 WHERE p.jurisdiction_id = %(city)s AND p.kind = 'email' AND p.removed_at IS NULL AND p.address LIKE %(typed)s
 LIMIT %(limit)s)
UNION ALL
(SELECT near.resident_id, near.address, 0.8 * near.alike FROM (
   SELECT p.resident_id, p.address, similarity(p.address, %(whole)s) AS alike FROM residents_contactpoint p
   WHERE p.jurisdiction_id = %(city)s AND p.kind = 'email' AND p.removed_at IS NULL AND p.address LIKE %(begun)s
   LIMIT %(considered)s) near
 WHERE near.alike >= 0.5 ORDER BY near.alike DESC LIMIT %(limit)s)
"""


def by_email(city: int, text: str, *, limit: int = 40) -> list[Match]:
    """The address, else what begins so, else what is nearly so (a slip in the last letters or in the domain). One query."""
    whole = normalise_email(text) or text.strip().lower()
    local = whole.partition("@")[0]
    if len(local) < SHORTEST:
        return [m for m in _emails(city, whole, "", limit) if m.why is Why.EMAIL]
    found = _emails(city, whole, local[: max(SHORTEST, len(local) - 2)], limit)
    return [match for match in found if match.why is Why.EMAIL] or found


def _emails(city: int, whole: str, begun: str, limit: int) -> list[Match]:
    typed, begins = _beginning(whole), f"{_beginning(begun)}%" if begun else ""
    given = {"city": city, "whole": whole, "typed": f"{typed}%", "begun": begins, "limit": limit}
    rows = ask(_BY_EMAIL, {**given, "considered": _CONSIDERED * 5})
    found = dict[tuple[int, str], Match]()
    for pk, address, alike in rows:  # the likelier of two comes first
        why = Why.EMAIL if address == whole else Why.EMAIL_LIKE
        found.setdefault((pk, address), Match(pk, why, address, float(alike)))
    return list(found.values())


def _beginning(text: str) -> str:
    """The text as the beginning of a LIKE pattern."""
    return re.sub(r"([\\%_])", r"\\\1", text)


# --- By words of name and address --------------------------------------------------------------------------------------

_WORDS = """
SELECT r.id, r.name, r.address FROM residents_resident r
WHERE r.jurisdiction_id = %(city)s AND r.erased_at IS NULL AND {conditions} LIMIT %(limit)s
"""
_ALIKE = """
(SELECT near.id, near.name, near.address FROM (
   SELECT r.id, r.name, r.address, {likeness} AS alike FROM residents_resident r
   WHERE r.jurisdiction_id = %(city)s AND r.erased_at IS NULL AND {conditions} LIMIT %(considered)s) near
 ORDER BY near.alike DESC, near.id DESC LIMIT %(limit)s)
UNION
(SELECT r.id, r.name, r.address FROM residents_resident r
 WHERE r.jurisdiction_id = %(city)s AND r.erased_at IS NULL AND {swapped} LIMIT %(limit)s)
"""
"""Common trigrams, and, because two swapped letters leave a short name hardly any, every swap of neighbours."""

_FOR_ALIKE = """
SELECT set_config('pg_trgm.word_similarity_threshold', %s, true), set_config('enable_seqscan', %s, true)
"""
"""By the index always: because of its LIMIT the planner reads the whole table for a common name, in the hope of soon being done,
and to its end where nobody has the words together.
"""


def by_words(city: int, text: str, *, limit: int = 40, thorough: bool = False) -> list[Match]:
    """Residents whose name and address have words that begin so, best first; else those with words nearly so.

    `thorough`: nearly so also where some, but few, are found. One query, or two with a setting that ends with the second.
    """
    words = _words_of(text)
    if not _are_enough(words):
        return []
    conditions = " AND ".join(f"r.search LIKE %(w{n})s" for n in range(len(words)))
    patterns = {f"w{n}": f"% {word}%" for n, word in enumerate(words)}
    if _is_house_number(words):
        patterns["w0"] = f"% {words[0]} %"
    rows = ask(_WORDS.format(conditions=conditions), {"city": city, "limit": _CONSIDERED, **patterns})
    found = _fitting(words, rows)
    if len(found) < (FEW if thorough else 1):
        known = {match.resident_id for match in found}
        found += [match for match in _fitting(words, _nearly(city, words)) if match.resident_id not in known]
    return found[:limit]


def _words_of(text: str) -> list[str]:
    return searchable(text[:LONGEST]).split()[:_MOST_WORDS]


def _is_house_number(words: Sequence[str]) -> bool:
    """A number that other words follow is whole: 12 is not the beginning of 1204."""
    return len(words) > 1 and words[0].isdigit()


def _are_enough(words: Sequence[str]) -> bool:
    """Three letters, or two of a script that needs fewer for a name."""
    letters = "".join(words)
    return len(letters) >= (SHORTEST if letters.isascii() else 2)


def _nearly(city: int, words: Sequence[str]) -> list[tuple[Any, ...]]:
    """`r.search` has every word with a slip or two; numbers as they are."""
    numbers = [word for word in words if word.isdigit()]
    long = [word for word in words if len(word) >= SHORTEST and word not in numbers]
    if not long:
        return []
    numbered = "".join(f" AND r.search LIKE %(n{n})s" for n in range(len(numbers)))
    conditions = " AND ".join(f"%(w{n})s <%% r.search" for n in range(len(long))) + numbered
    alike = " + ".join(f"word_similarity(%(w{n})s, r.search)" for n in range(len(long)))
    swaps = " AND ".join(f"r.search LIKE ANY(%(s{n})s)" for n in range(len(long))) + numbered
    patterns: dict[str, Any] = {f"w{n}": word for n, word in enumerate(long)}
    patterns |= {f"s{n}": [f"% {each}%" for each in swapped(word)] for n, word in enumerate(long)}
    patterns |= {f"n{n}": f"% {number} %" for n, number in enumerate(numbers)}
    given = {"city": city, "considered": _ALIKE_CONSIDERED, "limit": _CONSIDERED // 3}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FOR_ALIKE, [str(_ALIKE_THRESHOLD), "off"])
        rows = ask(_ALIKE.format(conditions=conditions, likeness=alike, swapped=swaps), {**given, **patterns})
        cursor.execute(_FOR_ALIKE, ["0.6", "on"])
    return rows


def _fitting(words: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> list[Match]:
    """Those with a partner for every word, best first; equally good ones as they were written down, the newest first."""
    found = []
    for pk, name, address in rows:
        of_name, of_address = searchable(name).split(), searchable(address).split()
        fit = likeness(words, of_name + of_address)
        if fit and not (_is_house_number(words) and words[0] not in of_address):
            found.append(Match(pk, *_what_fits(words, name, of_name, address), fit))
    return sorted(found, key=lambda match: (-match.likeness, -match.resident_id))


def _what_fits(words: Sequence[str], name: str, of_name: Sequence[str], address: str) -> tuple[Why, str]:
    named = [fit for word in words if (fit := likeness([word], of_name))]
    if not named:
        return Why.ADDRESS, address
    what = name if len(named) == len(words) else f"{name}, {address}"
    return (Why.NAME if min(named) >= BEGUN else Why.NAME_LIKE), what


# --- Who stands for whom -----------------------------------------------------------------------------------------------

_UP = """
WITH RECURSIVE up AS (
    SELECT r.id AS asked, r.id, r.merged_into_id, r.erased_at FROM residents_resident r
    WHERE r.jurisdiction_id = %(city)s AND r.id = ANY(%(ids)s)
    UNION ALL
    SELECT up.asked, r.id, r.merged_into_id, r.erased_at FROM residents_resident r JOIN up ON r.id = up.merged_into_id
    WHERE r.jurisdiction_id = %(city)s
)
SELECT asked, id FROM up WHERE merged_into_id IS NULL AND erased_at IS NULL
"""
_DOWN = """
WITH RECURSIVE down AS (
    SELECT r.id AS root, r.id FROM residents_resident r WHERE r.jurisdiction_id = %(city)s AND r.id = ANY(%(ids)s)
    UNION ALL
    SELECT down.root, r.id FROM residents_resident r JOIN down ON r.merged_into_id = down.id
    WHERE r.jurisdiction_id = %(city)s AND r.merged_into_id IS NOT NULL
)
SELECT root, id FROM down ORDER BY root, id
"""


def standing_for(city: int, ids: Iterable[int]) -> dict[int, int]:
    """Each of these residents -> the one who stands for it now; without erased ones and another city's. One query."""
    return dict(ask(_UP, {"city": city, "ids": sorted(set(ids))}))


def identities_of(city: int, roots: Iterable[int]) -> dict[int, list[int]]:
    """Each standing resident -> itself and all that were merged into it. One query."""
    found = defaultdict[int, list[int]](list)
    for root, pk in ask(_DOWN, {"city": city, "ids": sorted(set(roots))}):
        found[root].append(pk)
    return dict(found)


@dataclass(frozen=True, slots=True)
class Known:
    """What this room knows of one person, over all identities."""

    resident: Resident
    identities: tuple[int, ...]
    points: tuple[Point, ...]
    """Preferred ones first."""
    consents: Mapping[str, bool]
    """Purpose -> whether it is allowed now."""


def known(city: int, roots: Sequence[int]) -> list[Known]:
    """In the order asked; four queries whatever their number."""
    identities = identities_of(city, roots)
    everybody = [pk for ids in identities.values() for pk in ids]
    rows = {row.pk: row for row in Resident.objects.filter(jurisdiction_id=city, pk__in=list(identities))}
    points, said = _points(city, everybody), _said(city, everybody)
    return [
        Known(
            resident=rows[root],
            identities=tuple(identities[root]),
            points=_as_one(root, identities[root], points),
            consents=_newest(identities[root], said),
        )
        for root in roots
        if root in rows
    ]


def _points(city: int, ids: Sequence[int]) -> dict[int, list[Point]]:
    found = defaultdict[int, list[Point]](list)
    rows = ContactPoint.objects.filter(jurisdiction_id=city, resident_id__in=list(ids), removed_at__isnull=True)
    for row in rows.order_by("pk"):
        found[row.resident_id].append(point_of(row))
    return found


def point_of(row: ContactPoint) -> Point:
    return Point(
        id=row.pk,
        kind=row.kind,
        address=row.address,
        is_preferred=row.is_preferred,
        may_notify=row.may_notify,
        is_unsubscribed=row.unsubscribed_at is not None,
        is_verified=row.verified_at is not None,
    )


def _as_one(root: int, ids: Sequence[int], points: Mapping[int, list[Point]]) -> tuple[Point, ...]:
    groups = [points.get(pk, []) for pk in sorted(ids, key=lambda pk: pk != root)]
    return tuple(sorted(combined(groups), key=lambda point: not point.is_preferred))


def newest_consents(city: int, ids: Sequence[int]) -> dict[str, bool]:
    """Purpose -> the newest word of any of these residents; one query."""
    return _newest(ids, _said(city, ids))


def _said(city: int, ids: Sequence[int]) -> list[tuple[int, str, bool]]:
    rows = Consent.objects.filter(jurisdiction_id=city, resident_id__in=list(ids)).order_by("at", "pk")
    return list(rows.values_list("resident_id", "purpose", "given"))


def _newest(ids: Sequence[int], said: Iterable[tuple[int, str, bool]]) -> dict[str, bool]:
    return {purpose: given for pk, purpose, given in said if pk in ids}
