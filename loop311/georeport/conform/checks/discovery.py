"""Group 1: the document from which everything else is found."""

from __future__ import annotations

from datetime import datetime

from loop311.georeport.conform.registry import OURS, SPEC, check
from loop311.georeport.conform.strict import Row
from loop311.georeport.conform.target import Target, joined
from loop311.georeport.model import GEOREPORT_V2
from loop311.georeport.reading import discovery as read
from loop311.georeport.reading import text
from loop311.georeport.render import Format
from loop311.kit.clock import now

_FIELDS = ("changeset", "contact", "key_service", "endpoints")
_OF_ENDPOINT = ("specification", "url", "changeset", "type", "formats")


@check("discovery.both-formats", SPEC, "Discovery answers as XML and as JSON.")
def both_formats(at: Target) -> None:
    for format_ in Format:
        at.read_discovery(format_)


@check("discovery.fields", SPEC, "Discovery names changeset, contact, key_service and at least one endpoint.")
def fields(at: Target) -> None:
    for format_ in Format:
        found = at.discovery(format_)
        if missing := [name for name in _FIELDS if not found.one.get(name)]:
            raise found.wrong(f"no {joined(missing)}", "all of " + joined(_FIELDS))


@check("discovery.endpoint-fields", SPEC, "Each endpoint names specification, url, changeset, type and formats.")
def endpoint_fields(at: Target) -> None:
    for format_ in Format:
        for endpoint in at.endpoints(format_):
            if missing := [name for name in _OF_ENDPOINT if not endpoint.get(name)]:
                raise at.discovery(format_).wrong(
                    f"an endpoint without {joined(missing)}", "all of " + joined(_OF_ENDPOINT)
                )


@check("discovery.same-in-both", SPEC, "Both formats of discovery say the same, the contact too.")
def same_in_both(at: Target) -> None:
    xml, told = (at.discovery(format_) for format_ in Format)
    one, other = read(xml.reply.body), read(told.reply.body)
    differing = [name for name in _FIELDS if getattr(one, name) != getattr(other, name)]
    if differing:
        raise told.wrong(f"another {joined(differing)} than in XML", "the same in both formats")


@check("discovery.specification", SPEC, f"An endpoint is of the specification {GEOREPORT_V2}.")
def specification(at: Target) -> None:
    named = [text(endpoint.get("specification")) or "nothing" for endpoint in at.endpoints()]
    if GEOREPORT_V2 not in named:
        raise at.discovery().wrong(joined(named) or "no endpoint", GEOREPORT_V2)


@check("discovery.type", SPEC, "The type of an endpoint is production or test.")
def type_(at: Target) -> None:
    for endpoint in at.endpoints():
        if (found := text(endpoint.get("type"))) and found not in ("production", "test"):
            raise at.discovery().wrong(f"the type {found!r}", "production or test")


@check("discovery.formats-array", SPEC, "In JSON endpoints is an array of objects and formats an array of texts.")
def formats_array(at: Target) -> None:
    found = at.discovery(Format.JSON)
    endpoints = found.one.get("endpoints")
    if not isinstance(endpoints, list) or not all(isinstance(each, dict) for each in endpoints):
        raise found.wrong("endpoints that are no array of objects", "an array of objects")
    if not all(_is_texts(each.get("formats")) for each in endpoints if each.get("formats")):
        raise found.wrong("formats that are no array of texts", "an array of texts")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


@check("discovery.xml-listed", SPEC, "text/xml is among the formats of every GeoReport v2 endpoint.")
def xml_listed(at: Target) -> None:
    for endpoint in at.endpoints():
        if endpoint.get("formats") and "text/xml" not in _formats(endpoint):
            raise at.discovery().wrong(f"the formats {joined(_formats(endpoint))}", "text/xml among them")


def _formats(endpoint: Row) -> list[str]:
    found = endpoint.get("formats")
    return [str(each) for each in (found if isinstance(found, list) else [found])]


@check("discovery.two-endpoints", OURS, "There is an endpoint for production and one for tests.")
def two_endpoints(at: Target) -> None:
    found = at.discovery()
    if len(at.endpoints()) < 2:
        raise found.wrong(f"{len(at.endpoints())} endpoint", "two or more")


@check("discovery.url-ends-in-slash", OURS, "The url of an endpoint ends in a slash, so that paths are simply added.")
def url_ends_in_slash(at: Target) -> None:
    for endpoint in at.endpoints():
        if (url := text(endpoint.get("url"))) and not url.endswith("/"):
            raise at.discovery().wrong(f"the url {url}", "a slash at its end")


@check("discovery.changeset-past", OURS, "A changeset is a date and time in the past.")
def changeset_past(at: Target) -> None:
    found = at.discovery()
    for row in (found.one, *at.endpoints()):
        written = text(row.get("changeset"))
        if written and not _is_past(written):
            raise found.wrong(f"the changeset {written!r}", "a date and time in the past, such as 2026-03-01T09:00:00Z")


def _is_past(written: str) -> bool:
    try:
        at = datetime.fromisoformat(written.upper())
    except ValueError:
        return False
    return at.replace(tzinfo=at.tzinfo or now().tzinfo) <= now()


@check("discovery.bare-types", OURS, "Discovery is of the bare media types text/xml and application/json.")
def bare_types(at: Target) -> None:
    for format_ in Format:
        reply = at.discovery(format_).reply
        sent = reply.headers.get("Content-Type", "")
        if sent != format_.media_type:
            raise reply.wrong(f"Content-Type {sent!r}", format_.media_type)
