"""Group 2: types, encodings, caching, and which part of the address says what."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from loop311.georeport.conform.registry import OURS, SPEC, NotRun, check, given
from loop311.georeport.conform.strict import complaints, element
from loop311.georeport.conform.target import NOBODY, Target, segment
from loop311.georeport.conform.wire import Reply
from loop311.georeport.reading import text
from loop311.georeport.render import PROLOG, Format

_NAMESPACE = "http://wiki.open311.org/GeoReport_v2"


def _services(at: Target, format_: Format = Format.XML) -> Reply:
    return at.services(format_).reply


def _type_is(reply: Reply, format_: Format) -> None:
    if reply.media_type != format_.media_type:
        raise reply.wrong(reply.named_type(), format_.media_type)


@check("headers.type-xml", SPEC, "XML is of the media type text/xml.")
def type_xml(at: Target) -> None:
    _type_is(_services(at), Format.XML)


@check("headers.type-json", SPEC, "JSON is of the media type application/json.")
def type_json(at: Target) -> None:
    _type_is(_services(at, at.json()), Format.JSON)


@check("headers.charset", SPEC, "The Content-Type names charset=utf-8.")
def charset(at: Target) -> None:
    for format_ in at.formats:
        reply = _services(at, format_)
        sent = reply.headers.get("Content-Type", "")
        if "charset=utf-8" not in sent.lower().replace('"', "").replace(" ", ""):
            raise reply.wrong(f"Content-Type {sent!r}", f"{format_.media_type}; charset=utf-8")


@check("headers.xml-declaration", SPEC, 'XML begins with a declaration that says encoding="UTF-8".')
def xml_declaration(at: Target) -> None:
    reply = _services(at)
    first = reply.body.partition(b"?>")[0].decode("utf-8", "replace")
    if not first.startswith("<?xml") or 'encoding="utf-8"' not in first.lower().replace("'", '"'):
        raise reply.wrong(f"{reply.body[:40].decode('utf-8', 'replace')!r} at its beginning", PROLOG.decode().strip())


@check("headers.utf-8", SPEC, "All answers are UTF-8.")
def utf_8(at: Target) -> None:
    for format_ in at.formats:
        reply = at.get("services", format_)
        try:
            reply.body.decode()
        except UnicodeDecodeError as error:
            raise reply.wrong(f"bytes that are no UTF-8 (at {error.start})", "UTF-8") from None


@check("headers.no-namespace", SPEC, "XML has no namespace, or only that of GeoReport v2.")
def no_namespace(at: Target) -> None:
    with given("the list of services"):
        reply = at.get("services", Format.XML).must_be(200)
        found = [
            tag for tag in _tags(element(reply)) if tag.startswith("{") and not tag.startswith(f"{{{_NAMESPACE}}}")
        ]
    if found:
        raise reply.wrong(f"the element {found[0]}", "elements without a namespace")


def _tags(root: Element) -> list[str]:
    return [str(each.tag) for each in root.iter()]


@check("headers.no-attributes", OURS, "Elements of XML carry no attributes, which some readers cannot take.")
def no_attributes(at: Target) -> None:
    reply = _services(at)
    found = next((each for each in element(reply).iter() if each.attrib), None)
    if found is not None:
        raise reply.wrong(f"<{found.tag} {next(iter(found.attrib))}=...>", "no attributes")


@check("headers.cors", OURS, "Any web page may read: Access-Control-Allow-Origin is *.")
def cors(at: Target) -> None:
    reply = _services(at)
    if reply.headers.get("Access-Control-Allow-Origin") != "*":
        sent = reply.headers.get("Access-Control-Allow-Origin", "nothing")
        raise reply.wrong(f"Access-Control-Allow-Origin {sent}", "*")


@check("headers.cors-preflight", OURS, "OPTIONS tells a browser that it may file.")
def cors_preflight(at: Target) -> None:
    asking = [("Origin", "https://page.example"), ("Access-Control-Request-Method", "POST")]
    reply = at.get("requests", at.format, method="OPTIONS", headers=asking).must_be(200, 204)
    allowed = reply.headers.get("Access-Control-Allow-Methods", "")
    if "POST" not in allowed or reply.headers.get("Access-Control-Allow-Origin") != "*":
        raise reply.wrong(
            f"Access-Control-Allow-Methods {allowed!r}", "POST among them, and Access-Control-Allow-Origin *"
        )


@check("headers.etag", OURS, "Services carry an ETag.")
def etag(at: Target) -> None:
    reply = _services(at)
    if not reply.headers.get("ETag"):
        raise reply.wrong("no ETag", "an ETag")


@check("headers.not-modified", OURS, "Who sends the ETag back as If-None-Match gets 304 and no body.")
def not_modified(at: Target) -> None:
    tag = _services(at).headers.get("ETag")
    if not tag:
        raise NotRun("services carry no ETag")
    reply = at.get("services", Format.XML, headers=[("If-None-Match", tag)]).must_be(304)
    if reply.body:
        raise reply.wrong(f"{len(reply.body)} bytes", "no body")


@check("headers.unknown-ending", OURS, "An address that ends in neither .xml nor .json is 404.")
def unknown_ending(at: Target) -> None:
    at.get("services", "pdf").must_be(404)


@check(
    "headers.ending-decides", SPEC, "The ending of the address alone says the format, whatever the Accept header says."
)
def ending_decides(at: Target) -> None:
    for format_, accept in ((Format.XML, "application/json"), (Format.JSON, "text/xml")):
        if format_ in at.formats:
            _services(at, format_)
            _type_looks(at.get("services", format_, headers=[("Accept", accept)]).must_be(200), format_)


@check("headers.accept-fallback", OURS, "Without an ending the Accept header decides, and XML is the default.")
def accept_fallback(at: Target) -> None:
    _type_looks(at.get("services").must_be(200), Format.XML)
    at.json()
    _type_looks(at.get("services", headers=[("Accept", "application/json")]).must_be(200), Format.JSON)


def _type_looks(reply: Reply, format_: Format) -> None:
    first = reply.body.lstrip()[:1]
    if (first == b"<") is not (format_ is Format.XML):
        raise reply.wrong(reply.quoted(), format_.upper())


@check("headers.last-dot", OURS, "The format is what stands after the last dot: codes may hold dots.")
def last_dot(at: Target) -> None:
    for format_ in at.formats:
        code = f"{NOBODY}.1.6"
        with given("the refusal of an unknown code"):
            complaints(at.get(f"services/{NOBODY}", format_), 404)
        _type_looks(at.get(f"services/{code}", format_).must_be(404), format_)


@check(
    "headers.encoded-codes", OURS, "A code in the address is decoded once: spaces, colons and letters of any language."
)
def encoded_codes(at: Target) -> None:
    at.get(f"services/{segment(f'{NOBODY}: no café')}", at.format).must_be(404)
    for code in at.definition_codes():
        if segment(code) != code:
            found = at.get(f"services/{segment(code)}", at.format).must_be(200)
            _names(found, code, at)


def _names(reply: Reply, code: str, at: Target) -> None:
    with given("a definition"):
        named = text(at.read_definition(code, at.format).one.get("service_code"))
    if named != code:
        raise reply.wrong(f"the definition of {named!r}", repr(code))
