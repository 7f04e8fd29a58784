"""What Open311 GeoReport v2 says, as plain frozen values: one structure, rendered to XML or JSON and read from both.

The order of the fields is the order in which they are written. `UNSET` is left out altogether, None is an empty value.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

GEOREPORT_V2 = "http://wiki.open311.org/GeoReport_v2"
INQUIRY_V1 = "http://wiki.open311.org/Inquiry_v1"

Maybe = str | None
Omitted = str | UnsetType


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A value of the format."""


class ServiceType(StrEnum):
    REALTIME = "realtime"  # the id at once
    BATCH = "batch"  # a token first
    BLACKBOX = "blackbox"  # never an id


class Endpoint(Item, frozen=True, kw_only=True):
    specification: str
    url: str
    changeset: str
    type: str
    formats: tuple[str, ...]


class Discovery(Item, frozen=True, kw_only=True):
    changeset: str
    contact: str
    key_service: str
    endpoints: tuple[Endpoint, ...]


class ServiceItem(Item, frozen=True, kw_only=True):
    service_code: str
    service_name: str
    description: Maybe = None
    metadata: bool = False
    """A definition with attributes exists."""
    type: str = ServiceType.REALTIME.value
    keywords: Maybe = None
    """Between commas."""
    group: Maybe = None


class AttributeValue(Item, frozen=True, kw_only=True):
    key: str
    """What is sent."""
    name: str
    """What is shown."""


class Attribute(Item, frozen=True, kw_only=True):
    variable: bool
    """False: shown only, nothing may be sent."""
    code: str
    datatype: str
    required: bool
    datatype_description: Maybe = None
    order: int = 0
    description: Maybe = None
    values: tuple[AttributeValue, ...] = ()


class ServiceDefinition(Item, frozen=True, kw_only=True):
    service_code: str
    attributes: tuple[Attribute, ...] = ()


class Note(Item, frozen=True, kw_only=True):
    """One line of a request's public history (an extension)."""

    datetime: datetime
    type: str
    summary: str


class RequestItem(Item, frozen=True, kw_only=True):
    """A request as the public sees it."""

    service_request_id: Maybe
    status: str
    status_notes: Maybe = None
    service_name: Maybe = None
    service_code: Maybe = None
    description: Maybe = None
    agency_responsible: Maybe = None
    service_notice: Maybe = None
    requested_datetime: datetime | None = None
    updated_datetime: datetime | None = None
    """For a closed one the time of closing."""
    expected_datetime: datetime | None = None
    address: Maybe = None
    address_id: Maybe = None
    zipcode: Maybe = None
    lat: float | None = None
    long: float | None = None
    media_url: Maybe = None
    token: Omitted = UNSET
    extended_attributes: dict[str, Any] | UnsetType = UNSET
    notes: tuple[Note, ...] | UnsetType = UNSET
    raw_status: Omitted = UNSET
    """Only on what our client read: the word that the other server uses."""


class CreateResult(Item, frozen=True, kw_only=True):
    """The answer to a filing: an id or a token, never both; neither from a blackbox."""

    service_request_id: Omitted = UNSET
    token: Omitted = UNSET
    service_notice: Omitted = UNSET
    account_id: Omitted = UNSET


class TokenResult(Item, frozen=True, kw_only=True):
    service_request_id: Maybe
    """None: not yet."""
    token: str


class ErrorItem(Item, frozen=True, kw_only=True):
    code: int | str
    """The status of the answer, or something more specific."""
    description: str


class UpdateItem(Item, frozen=True, kw_only=True):
    """One change of a request, for systems that follow it (mySociety's extension)."""

    update_id: str
    service_request_id: str
    status: str
    updated_datetime: datetime
    description: Maybe = None
    media_url: Omitted = UNSET
    external_status_code: Omitted = UNSET
    customer_reference: Omitted = UNSET


class UpdateResult(Item, frozen=True, kw_only=True):
    update_id: str


class WebhookItem(Item, frozen=True, kw_only=True):
    """A system that is called when something happens (an extension of ours)."""

    webhook_id: str
    url: str
    state: str
    """active, failing or ended."""
    secret: Omitted = UNSET
    """Given once, when it is made."""
    service_codes: tuple[str, ...] = ()
    service_request_ids: tuple[str, ...] = ()
    mine: bool = False
    created_datetime: datetime
    waiting: int = 0
    """Updates that are still to be told."""
    lost: int = 0
    """Those that were given up."""
    failing_since_datetime: datetime | None = None
    problem: Maybe = None
    ended_datetime: datetime | None = None
    ended_reason: Maybe = None


# --- Inquiry v1: what the city knows --------------------------------------------------------------------------------------


class InquiryService(Item, frozen=True, kw_only=True):
    id: str
    service_name: str
    expiration: Maybe = None
    brief_description: Maybe = None


class WebAction(Item, frozen=True, kw_only=True):
    label: str
    url: str
    type: str
    """Service Request, Link or Literature."""


class InquiryServiceDetail(InquiryService, frozen=True, kw_only=True):
    description: Maybe = None
    description_html: Maybe = None
    categories: tuple[str, ...] = ()
    web_actions: tuple[WebAction, ...] = ()
    faqs: tuple[str, ...] = ()
    """Ids of answers that go with it."""


class Facility(Item, frozen=True, kw_only=True):
    id: str
    name: str
    expiration: Maybe = None
    brief_description: Maybe = None


class FacilityDetail(Facility, frozen=True, kw_only=True):
    categories: tuple[str, ...] = ()
    address: Maybe = None
    city: Maybe = None
    state: Maybe = None
    zipcode: Maybe = None
    lat: float | None = None
    long: float | None = None


class WebFaq(Item, frozen=True, kw_only=True):
    id: str
    question: str
    expiration: Maybe = None
    brief_description: Maybe = None


class WebFaqDetail(WebFaq, frozen=True, kw_only=True):
    categories: tuple[str, ...] = ()
    answer: Maybe = None
    answer_html: Maybe = None
    services: tuple[InquiryService, ...] = ()


class Words(msgspec.Struct, frozen=True):
    """What a list and its members are called in XML."""

    root: str
    member: str


LISTS: dict[type[Item], Words] = {
    ServiceItem: Words("services", "service"),
    RequestItem: Words("service_requests", "request"),
    CreateResult: Words("service_requests", "request"),
    TokenResult: Words("service_requests", "request"),
    ErrorItem: Words("errors", "error"),
    UpdateItem: Words("service_request_updates", "request_update"),
    UpdateResult: Words("service_request_updates", "request_update"),
    WebhookItem: Words("webhooks", "webhook"),
    InquiryService: Words("services", "service"),
    Facility: Words("facilities", "facility"),
    WebFaq: Words("web_faqs", "web_faq"),
}
"""Resources that are lists, even of one."""

SINGLE: dict[type[Item], str] = {
    Discovery: "discovery",
    ServiceDefinition: "service_definition",
    InquiryServiceDetail: "service",
    FacilityDetail: "facility",
    WebFaqDetail: "web_faq",
}
"""Resources that are one thing, with their root in XML."""

MEMBERS = {
    "endpoints": "endpoint",
    "formats": "format",
    "attributes": "attribute",
    "values": "value",
    "notes": "note",
    "photos": "photo",
    "areas": "area",
    "categories": "category",
    "web_actions": "web_action",
    "faqs": "faq",
    "services": "service",
    "service_codes": "service_code",
    "service_request_ids": "service_request_id",
}
"""What the members of a list inside a thing are called in XML."""
