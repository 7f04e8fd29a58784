"""Pure rules of the places room: how an address is spelt for search, what can be a position, how far is near."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

import usaddress

EARTH_METRES = 6_371_008.8
"""Mean radius of the earth (IUGG)."""

_SHORT = {
    "street": "st", "str": "st", "avenue": "ave", "av": "ave", "boulevard": "blvd", "road": "rd", "drive": "dr",
    "lane": "ln", "court": "ct", "place": "pl", "square": "sq", "terrace": "ter", "highway": "hwy", "parkway": "pkwy",
    "circle": "cir", "trail": "trl", "expressway": "expy", "freeway": "fwy", "alley": "aly", "plaza": "plz",
    "crossing": "xing", "heights": "hts", "mount": "mt", "saint": "st", "fort": "ft", "apartment": "apt",
    "suite": "ste", "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw",
    "southeast": "se", "southwest": "sw", "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th",
    "fifth": "5th", "sixth": "6th", "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
    "eleventh": "11th", "twelfth": "12th", "and": "&", "at": "&",
}  # fmt: skip
"""One spelling for what people write in several ways; applied to what is stored and to what is typed alike."""

STREET_TYPES = frozenset(
    {
        "st",
        "ave",
        "blvd",
        "rd",
        "dr",
        "ln",
        "ct",
        "pl",
        "sq",
        "ter",
        "hwy",
        "pkwy",
        "cir",
        "trl",
        "expy",
        "fwy",
        "aly",
        "xing",
    }
)
"""Short forms that say what kind of street it is; people leave them out, or take one for another."""

_WORD = re.compile(r"[0-9a-z]+|&")


def normalise(text: str) -> str:
    """The spelling an address is searched by: lower case, no accents or punctuation, USPS short forms.

    'North Élm Street and Third' -> 'n elm st & 3rd'. An intersection's two streets stand on either side of '&'.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    words = _WORD.findall(re.sub("['\u2019.]", "", plain).replace("@", " & ").replace("/", " & "))
    return " ".join(_SHORT.get(word, word) for word in words).strip("& ")


def spellings(word: str) -> frozenset[str]:
    """What a word that is still being typed may stand for: 'stre' -> {'stre', 'st'}; words of one letter only for themselves."""
    full = {short for long, short in _SHORT.items() if long.startswith(word) and short != "&"}
    return frozenset({word} | (full if len(word) > 1 else set()))


def are_degrees(latitude: float, longitude: float) -> bool:
    """Whether the two can be a position on earth; NaN and infinity cannot."""
    return -90 <= latitude <= 90 and -180 <= longitude <= 180


def is_position(latitude: float, longitude: float) -> bool:
    """Degrees, and not the 0, 0 that systems write when they know no position."""
    return are_degrees(latitude, longitude) and not (abs(latitude) < 1e-6 and abs(longitude) < 1e-6)


def distance_metres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Along the great circle (haversine), metres; exact enough (0.5 %) at any distance."""
    phi, psi = math.radians(latitude), math.radians(other_latitude)
    across = math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    square = math.sin((psi - phi) / 2) ** 2 + math.cos(phi) * math.cos(psi) * across
    return 2 * EARTH_METRES * math.asin(min(1.0, math.sqrt(square)))


def box_around(latitude: float, longitude: float, metres: float) -> tuple[float, float, float, float]:
    """South, west, north, east of a box that holds the circle; away from the poles and the date line."""
    up = math.degrees(metres / EARTH_METRES) * 1.000_001
    side = up / max(math.cos(math.radians(min(89.0, abs(latitude) + up))), 0.01)
    return latitude - up, longitude - side, latitude + up, longitude + side


def to_block(latitude: float, longitude: float) -> tuple[float, float]:
    """The position rounded so that it names a block and no house: steps of 0.002 degrees, about 200 m."""
    return round(round(latitude / 0.002) * 0.002, 3), round(round(longitude / 0.002) * 0.002, 3)


def block_text(text: str) -> str:
    """The address with its house number rounded down to the hundred block: '412 Elm St' -> '400 block of Elm St'."""
    match = re.match(r"\s*(\d{1,6})[a-zA-Z]?(?:-\d+)?\s+(.*\S)", text)
    return f"{int(match[1]) // 100 * 100} block of {match[2]}" if match else text


@dataclass(frozen=True, slots=True)
class Parts:
    """What a US address is made of. `crossing` is the second street of an intersection. Empty: not said."""

    number: str = ""
    street: str = ""
    unit: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    crossing: str = ""


_STREET = (
    "StreetNamePreModifier", "StreetNamePreDirectional", "StreetNamePreType", "StreetName", "StreetNamePostType",
    "StreetNamePostDirectional", "StreetNamePostModifier",
)  # fmt: skip
_NUMBER = ("AddressNumberPrefix", "AddressNumber", "AddressNumberSuffix")
_UNIT = ("OccupancyType", "OccupancyIdentifier", "SubaddressType", "SubaddressIdentifier")


def parse(text: str) -> Parts:
    """What usaddress reads in a text of at most 300 characters; what it cannot tell apart stays in `street`."""
    short = " ".join(text[:300].split())
    try:
        tagged, kind = usaddress.tag(short)
    except usaddress.RepeatedLabelError:
        return Parts(street=short)

    def joined(labels: tuple[str, ...], prefix: str = "") -> str:
        return " ".join(tagged[prefix + label] for label in labels if prefix + label in tagged).strip(" ,")

    parts = Parts(
        number=joined(_NUMBER),
        street=joined(_STREET),
        unit=joined(_UNIT),
        city=joined(("PlaceName",)),
        state=joined(("StateName",)),
        postcode=joined(("ZipCode",)),
        crossing=joined(_STREET, "Second") if kind == "Intersection" else "",
    )
    return parts if parts.street else Parts(street=short)
