"""Which of the endpoints in a discovery document to use. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from loop311.georeport.model import GEOREPORT_V2, Discovery, Endpoint
from loop311.georeport.render import Format


def chosen(found: Discovery) -> Endpoint | None:
    """Of GeoReport v2; production before test, with JSON before without; of equals the first. None when there is none."""
    fitting = [each for each in found.endpoints if each.url and _plain(each.specification) == _plain(GEOREPORT_V2)]
    return min(fitting, key=lambda each: (each.type != "production", format_of(each) is not Format.JSON), default=None)


def format_of(endpoint: Endpoint) -> Format:
    """JSON where it is listed, else XML, which every server must have."""
    return Format.JSON if any("json" in each.lower() for each in endpoint.formats) else Format.XML


def is_document(address: str) -> bool:
    """Whether an address is that of a discovery document rather than of an endpoint."""
    last = urlsplit(address).path.rstrip("/").rpartition("/")[2]
    return last.partition(".")[0].lower() == "discovery"


def _plain(specification: str) -> str:
    """Servers differ in case, scheme, a slash at the end, and /index."""
    text = specification.strip().lower().partition("://")[2] or specification.strip().lower()
    return text.rstrip("/").removesuffix("/index").rstrip("/")
