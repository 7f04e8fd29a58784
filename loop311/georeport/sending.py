"""What is sent to another server and what can come of it: the form, the mark by which it is found again, the outcomes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from loop311.georeport.model import ErrorItem
from loop311.georeport.profile import Profile

LONGEST = 4_000
"""Characters of a description."""
_ETC = " [...]"
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,80}")
Pair = tuple[str, str]
File = tuple[str, tuple[str, bytes, str]]
"""Name of the field, and file name, bytes, media type: as httpx takes it."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Words and facts that never change."""


class Medium(Value, frozen=True, kw_only=True):
    name: str
    media_type: str
    data: bytes


class NewRequest(Value, frozen=True, kw_only=True):
    """A request to be filed there. `reference` is ours, unique in our house, and stands in what we send."""

    service_code: str
    """Ours; the profile may know it by another name."""
    reference: str
    description: str = ""
    lat: float | None = None
    long: float | None = None
    address: str = ""
    address_id: str = ""
    attributes: Mapping[str, str | Sequence[str]] = {}
    """By the codes and keys of their definition; a list for questions that take several."""
    media_urls: tuple[str, ...] = ()
    media: tuple[Medium, ...] = ()
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    device_id: str = ""
    account_id: str = ""

    def __post_init__(self) -> None:
        if not _REFERENCE.fullmatch(self.reference):
            raise ValueError("a reference has 1 to 80 letters, digits, dots, dashes and underscores")


class NewUpdate(Value, frozen=True, kw_only=True):
    """A change of a request there, or of one of theirs here (servicerequestupdates)."""

    update_id: str
    """Ours; the same again changes nothing."""
    service_request_id: str
    status: str
    updated_datetime: datetime
    description: str
    media_url: str = ""
    last_name: str = "-"


# --- What can come of it -------------------------------------------------------------------------------------------------


class Accepted(Value, frozen=True, kw_only=True):
    """Theirs now. A blackbox never gives an id."""

    service_request_id: str | None
    notice: str = ""


class Waiting(Value, frozen=True, kw_only=True):
    """Theirs now; the id comes later, by this token."""

    token: str
    notice: str = ""


class Refused(Value, frozen=True, kw_only=True):
    """They will not have it as it is: a person must look. Status 0: it was not even sent, our own check refused it."""

    status: int
    errors: tuple[ErrorItem, ...]
    fields: tuple[str, ...] = ()
    """Arguments that the errors speak of."""

    @property
    def may_pass(self) -> bool:
        """A 400 that names nothing we sent: their back end may be down."""
        return self.status == 400 and not self.fields

    @property
    def reason(self) -> str:
        return " ".join(error.description for error in self.errors) or f"HTTP {self.status}"


class Unknown(Value, frozen=True, kw_only=True):
    """It was sent and the answer was lost: look it up before it is ever sent again."""

    reason: str
    is_delivered: bool = False
    """They have it for sure (they call it a duplicate); only the id is not known."""


class TryLater(Value, frozen=True, kw_only=True):
    """It did not get there, or was turned away before anything was made of it."""

    reason: str
    after: float | None = None
    """Seconds, when they said."""


Sent = Accepted | Waiting | Refused | Unknown | TryLater


# --- The form ------------------------------------------------------------------------------------------------------------


def mark(reference: str) -> str:
    """What stands in the description. No digit begins a word in it: masks of telephone numbers leave it alone."""
    return f"[ref-{reference}]"


def missing(new: NewRequest, profile: Profile) -> list[ErrorItem]:
    """What this server is known to need and is not there: a person must say it, it is never guessed."""
    needs = [
        (profile.needs_email and not new.email, "email"),
        (profile.needs_latlong and (new.lat is None or new.long is None), "lat and long"),
        (profile.needs_address and not new.address, "address_string"),
        (profile.needs_description and not new.description, "description"),
        (not (new.address or new.address_id) and (new.lat is None or new.long is None), "a place"),
    ]
    return [ErrorItem(code=0, description=f"The other side needs {name}.") for lacks, name in needs if lacks]


def form(new: NewRequest, profile: Profile) -> list[Pair]:
    """Arguments in a fixed order; empty ones are left out."""
    attributes: dict[str, str | Sequence[str]] = dict(new.attributes)
    if profile.reference_in != "description":
        attributes[profile.reference_in] = new.reference
    plain = [
        ("jurisdiction_id", profile.jurisdiction_id),
        ("service_code", profile.their_code(new.service_code)),
        ("lat", _degrees(new.lat)),
        ("long", _degrees(new.long)),
        ("address_string", new.address),
        ("address_id", new.address_id),
        ("description", description(new, profile)),
        *((name, getattr(new, name)) for name in _PERSON),
    ]
    found = [(name, value) for name, value in plain if value]
    return [*found, *_attributes(attributes, profile), *_media_urls(new, profile)]


_PERSON = ("email", "first_name", "last_name", "phone", "device_id", "account_id")


def _degrees(value: float | None) -> str:
    """Never in the notation 1e-05, which some cannot read."""
    return "" if value is None else f"{value:.7f}".rstrip("0").rstrip(".")


def description(new: NewRequest, profile: Profile) -> str:
    """At most 4,000 characters; our mark is never cut off."""
    ending = f"\n{mark(new.reference)}" if profile.reference_in == "description" else ""
    text = new.description.replace("\r\n", "\n").strip()
    room = LONGEST - len(ending)
    if len(text) > room:
        text = text[: room - len(_ETC)] + _ETC
    return f"{text}{ending}".strip()


def _attributes(attributes: Mapping[str, str | Sequence[str]], profile: Profile) -> Iterator[Pair]:
    for code, values in attributes.items():
        is_list = not isinstance(values, str)
        name = f"attribute[{code}]" + ("[]" if is_list and profile.attribute_style == "brackets" else "")
        yield from ((name, value) for value in ([values] if isinstance(values, str) else values) if value)


def _media_urls(new: NewRequest, profile: Profile) -> list[Pair]:
    most = {"none": 0, "urls": None}.get(profile.media_style, 1)
    return [("media_url", address) for address in new.media_urls[:most]]


def files(new: NewRequest, profile: Profile) -> list[File]:
    if profile.media_style != "multipart":
        return []
    return [(profile.media_field, (medium.name, medium.data, medium.media_type)) for medium in new.media]


def update_form(update: NewUpdate, profile: Profile) -> list[Pair]:
    found = [
        ("jurisdiction_id", profile.jurisdiction_id),
        ("update_id", update.update_id),
        ("service_request_id", update.service_request_id),
        ("status", update.status.upper()),
        ("updated_datetime", profile.date(update.updated_datetime)),
        ("description", update.description[:LONGEST]),
        ("media_url", update.media_url),
        ("last_name", update.last_name),
    ]
    return [(name, value) for name, value in found if value]


# --- Their answer --------------------------------------------------------------------------------------------------------


def is_duplicate(errors: Sequence[ErrorItem]) -> bool:
    """Boston: 'base is a duplicate'. FixMyStreet, of an update: 'already exists'."""
    return any(re.search(r"duplicate|already exists", error.description, re.IGNORECASE) for error in errors)


def refused(status: int, errors: Sequence[ErrorItem], sent: Sequence[Pair]) -> Refused:
    """With the arguments of the form that the errors speak of."""
    said = " ".join(error.description for error in errors)
    names = dict.fromkeys(name for name, _ in sent)
    spoken = tuple(name for name in names if re.search(rf"(?<!\w){re.escape(name.removesuffix('[]'))}(?!\w)", said))
    return Refused(status=status, errors=tuple(errors), fields=spoken)
