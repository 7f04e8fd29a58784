"""Another server's services and requests, brought into one of our cities; as often as wanted, each request once."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
import yaml

from loop311.catalog.definitions import Catalogue
from loop311.catalog.services import current
from loop311.georeport import discovering
from loop311.georeport.client import Client, Declined, Gap, Unreached
from loop311.georeport.model import RequestItem, ServiceDefinition, ServiceItem
from loop311.georeport.profile import Profile, of
from loop311.georeport.render import Format, instant
from loop311.interactions.policies import Channel
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.problems import Invalid, NotFound, Unavailable
from loop311.open311.proposing import Proposal, propose, unique_names, without_markup
from loop311.requests import imports
from loop311.requests.imports.mapping import (
    Channels,
    Mapping,
    Name,
    Outcomes,
    Position,
    Statuses,
    Text,
    Times,
)
from loop311.requests.imports.parsing import slug

_COLUMNS = (
    "id",
    "opened",
    "closed",
    "due",
    "updated",
    "status",
    "channel",
    "service",
    "group",
    "department",
    "notes",
    "description",
    "address",
    "lat",
    "long",
    "their_service",
    "media_url",
    "zipcode",
)
T = TypeVar("T")
Row = dict[str, str]
TextByCode = dict[str, str]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What there was and what became of it."""

    url: str
    source: str
    services: int
    added: tuple[str, ...]
    """Codes of the services that the proposal adds."""
    summary: imports.Summary | None = None
    """None when only services were asked for."""
    gaps: tuple[Gap, ...] = field(default=())
    """What their server could not be made to tell."""

    def as_json(self) -> dict[str, object]:
        gaps = [{"what": gap.what, "reason": gap.reason} for gap in self.gaps]
        summary = asdict(self.summary) if self.summary else None
        return {
            "url": self.url,
            "source": self.source,
            "services": self.services,
            "added": list(self.added),
            "requests": summary,
            "gaps": gaps,
        }


# --- Which server --------------------------------------------------------------------------------------------------------


def profile_of(url: str, file: Path | None, *, jurisdiction_id: str = "") -> Profile:
    """Of the address and the file's switches. A discovery document says which endpoint and format. Raises Invalid."""
    switches = _switches(file) if file else {}
    if jurisdiction_id:
        switches["jurisdiction_id"] = jurisdiction_id
    if discovering.is_document(url):
        return _discovered(url, switches)
    return _profile({**switches, "base": url})


def _switches(file: Path) -> dict[str, object]:
    try:
        found = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Invalid(f"The profile {file} cannot be read: {' '.join(str(error).split())}.") from error
    if not isinstance(found, dict):
        raise Invalid(f"The profile {file} is no list of switches such as `format: xml`.")
    return found


def _profile(switches: dict[str, object]) -> Profile:
    try:
        return of(switches)
    except ValueError as error:
        raise Invalid(f"The profile has a mistake: {error}.") from error


def _discovered(url: str, switches: dict[str, object]) -> Profile:
    """What the file says counts more than what the document says."""
    asking = _profile({**switches, "base": switches.get("base", url), "discovery": url})
    with Client(asking) as client:
        endpoint = _reached(url, lambda: discovering.chosen(client.discovery()))
    if endpoint is None:
        raise Invalid(f"{url} names no endpoint of GeoReport v2; give the endpoint's own address.")
    said = {"base": endpoint.url, "format": discovering.format_of(endpoint).value, "discovery": url}
    return _profile({**said, **switches})


def _reached(url: str, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except (Unreached, Declined) as failed:
        raise Unavailable(f"{url} cannot be read: {str(failed).rstrip('.')}.") from failed


# --- Their services ------------------------------------------------------------------------------------------------------


def speaking(profile: Profile) -> tuple[Profile, list[ServiceItem]]:
    """Their services, and the profile in the format in which they were had: who offers no JSON has XML. Raises Unavailable."""
    try:
        with Client(profile) as client:
            return profile, client.services()
    except (Unreached, Declined) as failed:
        if profile.format is Format.XML or (isinstance(failed, Unreached) and not failed.answered):
            raise Unavailable(f"{profile.base} cannot be read: {str(failed).rstrip('.')}.") from failed
    other = msgspec.structs.replace(profile, format=Format.XML)
    with Client(other) as client:
        return other, _reached(profile.base, client.services)


def proposal(
    client: Client, city: Jurisdiction, services: list[ServiceItem], *, with_questions: bool
) -> tuple[Proposal, list[Gap]]:
    """The city's catalogue with theirs added. A definition that cannot be read costs its questions, and is named."""
    definitions: dict[str, ServiceDefinition] = {}
    gaps = []
    for item in services if with_questions else ():
        try:
            if item.metadata:
                definitions[item.service_code] = client.definition(item.service_code)
        except (Unreached, Declined) as failed:
            gaps.append(Gap(what=f"questions of {item.service_code}", reason=str(failed)))
    return propose(_catalogue(city), services, definitions), gaps


def _catalogue(city: Jurisdiction) -> Catalogue:
    try:
        return current(city.pk)[1].catalogue
    except NotFound:
        return Catalogue(languages=tuple(city.languages), departments=(), teams=())


# --- Their requests ------------------------------------------------------------------------------------------------------


def requests(
    client: Client,
    city: Jurisdiction,
    services: list[ServiceItem],
    *,
    source: str,
    since: datetime | None,
    by: Actor,
    dry_run: bool = False,
    rejects: Path | None = None,
) -> imports.Summary:
    """Those filed since then (else in the last 90 days), through the import that every city's past goes through.

    Raises Unavailable when their server gives out half-way; nothing is imported then.
    """
    with tempfile.NamedTemporaryFile("w", prefix="loop311-pull-", suffix=".csv", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        names, groups = unique_names(services), {item.service_code: item.group or "" for item in services}
        found = (_row(item, names, groups) for item in client.requests(start=since))
        _reached(client.profile.base, lambda: writer.writerows(found))
        file.flush()
        return imports.run(city, Path(file.name), mapping(source), by=by, dry_run=dry_run, rejects=rejects)


def _row(item: RequestItem, names: TextByCode, groups: TextByCode) -> Row:
    code = item.service_code or ""
    is_closed = item.status == "closed"
    return {
        "id": item.service_request_id or "",
        "opened": _written(item.requested_datetime),
        "closed": _written(item.updated_datetime) if is_closed else "",
        "due": _written(item.expected_datetime),
        "updated": _written(item.updated_datetime),
        "status": item.status,
        "channel": "open311",
        "service": names.get(code) or item.service_name or code,
        "group": groups.get(code, ""),
        "department": item.agency_responsible or "",
        "notes": without_markup(item.status_notes or ""),
        "description": without_markup(item.description or ""),
        "address": item.address or "",
        "lat": "" if item.lat is None else str(item.lat),
        "long": "" if item.long is None else str(item.long),
        "their_service": code,
        "media_url": item.media_url or "",
        "zipcode": item.zipcode or "",
    }


def _written(at: datetime | None) -> str:
    return instant(at) if at else ""


def source_of(profile: Profile) -> str:
    """Where a request comes from, as its identity across imports: the server's name and its city."""
    return slug(f"open311 {urlsplit(profile.base).hostname} {profile.jurisdiction_id}")


def mapping(source: str) -> Mapping:
    """Of the columns above."""
    return Mapping(
        source=source,
        id="id",
        opened=Times(columns="opened"),
        closed=Times(columns="closed"),
        due=Times(columns="due"),
        updated=Times(columns="updated"),
        status=Statuses(columns="status", states={"open": "received", "closed": "closed"}),
        channel=Channels(columns="channel", channels={"open311": Channel.API}),
        service=Name(columns="service"),
        group=Name(columns="group", default="Other"),
        department=Name(columns="department", default="Other"),
        outcome=Outcomes(columns="notes"),
        position=Position(latitude="lat", longitude="long"),
        description=Text(columns="description"),
        address=Text(columns="address"),
        keep={name: name for name in ("their_service", "media_url", "zipcode")},
        closed_before_opened="warn",
        time_zone="UTC",
    )
