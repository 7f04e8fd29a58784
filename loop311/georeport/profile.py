"""How one real server speaks GeoReport v2: everything in which servers were seen to differ, each a switch. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from loop311.georeport import render
from loop311.georeport.render import Format
from loop311.kit.structs import learn


class Switches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a profile: unknown keys are refused with their path."""


class Paths(Switches, frozen=True, kw_only=True):
    """Below the base. `{code}`, `{id}`, `{token}` and `{format}` stand for what is meant."""

    services: str = "services.{format}"
    definition: str = "services/{code}.{format}"
    requests: str = "requests.{format}"
    request: str = "requests/{id}.{format}"
    """Boston 2018 and others: request/{id}.{format}."""
    token: str = "tokens/{token}.{format}"  # noqa: S105  # an address
    updates: str = "servicerequestupdates.{format}"


class Paging(Switches, frozen=True, kw_only=True):
    """Empty names: the server has no such parameter; then windows of time are halved instead."""

    page: str = ""
    size: str = ""
    size_value: int = 0
    """How many are asked for at once, where the server has a parameter for it."""
    most: int = 0
    """Rows of a full answer; 0: not known, then every usual page size counts as full."""


class Limits(Switches, frozen=True, kw_only=True):
    """What we put up with."""

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    """Without a single byte."""
    whole_seconds: float = 120.0
    """From the first byte sent to the last one read."""
    largest_bytes: int = 50_000_000
    tries: int = 3
    """Of a reading call; a filing is never repeated by itself."""
    pause_seconds: float = 1.0
    """Before the second try; doubled each time."""


class Profile(Switches, frozen=True, kw_only=True):
    """One endpoint. The defaults are the specification."""

    base: str
    """Address below which the calls are, for instance https://city.example/open311/v2/."""
    discovery: str = ""
    """Address of the discovery document where it lives elsewhere; empty: `discovery.{format}` below the base."""
    jurisdiction_id: str = ""
    api_key: str = ""
    api_key_in: Literal["form", "header", "address"] = "form"
    updates_need_key: bool = False
    """They give out `servicerequestupdates` to holders of the key only."""
    format: Format = Format.JSON
    paths: Paths = Paths()
    paging: Paging = Paging()
    limits: Limits = Limits()
    date_style: Literal["utc", "offset", "naive"] = "utc"
    """How dates are sent: 2026-03-01T09:00:00Z, with the offset of `zone`, or without any (Chicago)."""
    zone: str = "UTC"
    """Of dates that come without an offset."""
    max_span_days: float = 90 - 1 / 24
    """Longest window that is asked for at once: a minute too many is an error at some."""
    updates_span_days: float = 30
    """The same of updates, of which there are more."""
    needs_email: bool = False
    needs_latlong: bool = False
    needs_address: bool = False
    needs_description: bool = False
    attribute_style: Literal["brackets", "repeat"] = "brackets"
    """Several values: attribute[A][]=x&attribute[A][]=y, or attribute[A]=x&attribute[A]=y."""
    media_style: Literal["none", "url", "urls", "multipart"] = "url"
    """Pictures: not at all, the first address, all addresses, or the files themselves."""
    media_field: str = "media"
    """Of the form, for files."""
    wrapper: str = ""
    """Key of the object in which lists are wrapped, beyond those that are always looked for."""
    empty_404: bool = True
    """404 on a list means that it is empty."""
    statuses: Mapping[str, Literal["open", "closed"]] = {}
    """Their words in lower case, besides open and closed."""
    code_aliases: Mapping[str, str] = {}
    """Our service code -> theirs."""
    reference_in: str = "description"
    """Where our reference is written so that a filing can be found again: `description`, or the code of an attribute."""
    shows_reference: bool = True
    """Whether their public list shows what `reference_in` names; without it a lost filing needs a person."""
    keeps_keys: bool = False
    """The same Idempotency-Key sent twice makes one request (Loop311 does)."""
    blackbox_codes: tuple[str, ...] = ()
    """Services (their codes) that never give an id."""
    accept_encoding: bool = True
    """Off for servers whose compressed answers are broken (Alexandria)."""
    plain_http: bool = False
    """Allow http to other machines: residents' data would be readable on the way."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError(f"the base {self.base!r} is no http or https address")
        if parts.scheme == "http" and not (self.plain_http or is_this_machine(parts.hostname)):
            raise ValueError("the base is http: residents' data would be readable on the way; use https")
        if not self.api_key.isascii() or not self.api_key.isprintable():
            raise ValueError("the key has characters that no header can hold")
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {self.zone!r}") from error

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def longest_window(self) -> timedelta:
        return timedelta(days=self.max_span_days)

    def address(self, name: str, **parts: str) -> str:
        """The whole address of a call: joined by one slash, parts encoded, also a slash in them."""
        encoded = {key: quote(value, safe="") for key, value in parts.items()}
        path = getattr(self.paths, name).format(format=self.format.value, **encoded)
        return f"{self.base.rstrip('/')}/{path.lstrip('/')}"

    @property
    def discovery_address(self) -> str:
        return self.discovery or f"{self.base.rstrip('/')}/discovery.{self.format.value}"

    def date(self, at: datetime) -> str:
        """As this server takes it, in whole seconds."""
        if self.date_style == "utc":
            return render.instant(at)
        local = at.astimezone(self.time_zone).replace(microsecond=0)
        return (local.replace(tzinfo=None) if self.date_style == "naive" else local).isoformat()

    def their_code(self, ours: str) -> str:
        return self.code_aliases.get(ours, ours)

    def our_code(self, theirs: str) -> str:
        return next((ours for ours, alias in self.code_aliases.items() if alias == theirs), theirs)

    def status(self, raw: str) -> str:
        """`open` or `closed`; a word that nobody knows means that it is not over."""
        word = raw.strip().lower()
        return self.statuses.get(word, "closed" if word == "closed" else "open")


def is_this_machine(host: str) -> bool:
    """Nothing leaves the machine on the way there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def of(data: Mapping[str, Any]) -> Profile:
    """From plain data (YAML, JSON). Raises ValueError with one clause."""
    try:
        return msgspec.convert(data, type=Profile)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).rstrip(".")) from error


learn(Profile)
