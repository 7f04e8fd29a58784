"""Group 3: what can be asked for."""

from __future__ import annotations

from loop311.georeport.conform.registry import OURS, SPEC, NotRun, check, given
from loop311.georeport.conform.strict import Row
from loop311.georeport.conform.target import NOBODY, Target, joined
from loop311.georeport.reading import text
from loop311.georeport.render import Format

_REQUIRED = ("service_code", "service_name", "metadata", "type")
_STANDARD = (*_REQUIRED, "description", "keywords", "group")
_TYPES = ("realtime", "batch", "blackbox")


@check("services.list-xml", SPEC, "Services are a <services> of <service> in XML, be they none, one or many.")
def list_xml(at: Target) -> None:
    at.read_services(Format.XML)


@check("services.list-json", SPEC, "Services are an array of objects in JSON, be they none, one or many.")
def list_json(at: Target) -> None:
    at.read_services(at.json())


@check("services.required", SPEC, "Each service has service_code, service_name, metadata and type.")
def required(at: Target) -> None:
    at.every_service(lambda row: _missing(row, _REQUIRED), "all of " + joined(_REQUIRED))


def _missing(row: Row, names: tuple[str, ...]) -> str | None:
    missing = [name for name in names if text(row.get(name)) is None]
    return f"no {joined(missing)}" if missing else None


@check("services.all-fields", OURS, "Every standard field is there, also when it is empty.")
def all_fields(at: Target) -> None:
    at.every_service(_left_out, "every standard field, empty or null when there is nothing to say")


def _left_out(row: Row) -> str | None:
    missing = [name for name in _STANDARD if name not in row]
    return f"{joined(missing)} left out" if missing else None


@check("services.unique-codes", SPEC, "No two services have the same code.")
def unique_codes(at: Target) -> None:
    found = at.services()
    codes = [text(row.get("service_code")) for row in found.rows]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        raise found.wrong(f"service_code {twice} twice", "each code once")


@check("services.types", SPEC, "The type of a service is realtime, batch or blackbox.")
def types(at: Target) -> None:
    at.services().every(
        lambda row: None if text(row.get("type")) in (*_TYPES, None) else f"the type {row['type']!r}", joined(_TYPES)
    )


@check("services.metadata-xml", SPEC, "In XML metadata is the word true or false.")
def metadata_xml(at: Target) -> None:
    at.services(Format.XML).every(
        lambda row: None if text(row.get("metadata")) in ("true", "false", None) else f"metadata {row['metadata']!r}",
        "true or false",
    )


@check("services.metadata-json", SPEC, "In JSON metadata is a boolean: a reader takes the text 'false' as true.")
def metadata_json(at: Target) -> None:
    at.services(at.json()).every(
        lambda row: None if isinstance(row.get("metadata"), bool | None) else f"metadata {row['metadata']!r}",
        "true or false, not in quotes",
    )


@check("services.codes-are-texts", OURS, "In JSON a service_code is a text: leading zeros count.")
def codes_are_texts(at: Target) -> None:
    at.services(at.json()).every(
        lambda row: None if isinstance(row.get("service_code"), str | None) else f"the number {row['service_code']}",
        "a text in quotes",
    )


@check("services.texts", SPEC, "In JSON name, description and group are texts or null.")
def texts(at: Target) -> None:
    at.services(at.json()).every(_no_text, "a text or null")


def _no_text(row: Row) -> str | None:
    names = [n for n in ("service_name", "description", "group") if not isinstance(row.get(n), str | None)]
    return f"{joined(names)} that is no text" if names else None


@check("services.keywords", SPEC, "Keywords are one text with commas, not a list.")
def keywords(at: Target) -> None:
    at.every_service(
        lambda row: None if isinstance(row.get("keywords"), str | None) else f"keywords {row['keywords']!r}",
        "one text with commas, or nothing",
    )


@check("services.whole", OURS, "The list is never cut silently: arguments of paging make it no shorter.")
def whole(at: Target) -> None:
    found = at.services()
    with given("the list of services"):
        reply = at.get("services", at.format, [("page", "1"), ("page_size", "1")]).must_be(200)
    if reply.body != found.reply.body and len(reply.body) < len(found.reply.body):
        raise reply.wrong("a shorter list", f"all {len(found.rows)} services")


@check("services.same-count", OURS, "Both formats list as many services.")
def same_count(at: Target) -> None:
    xml, told = at.services(Format.XML), at.services(at.json())
    if len(xml.rows) != len(told.rows):
        raise told.wrong(told.count("service"), f"{len(xml.rows)}, as in XML")


@check("services.stable-order", OURS, "Asked again, the list has the same order.")
def stable_order(at: Target) -> None:
    first = [text(row.get("service_code")) for row in at.services().rows]
    reply = at.get("services", at.format, fresh=True).must_be(200)
    with given("the list of services"):
        second = [text(row.get("service_code")) for row in at.read_services(at.format).rows]
    if first != second and set(first) == set(second):
        raise reply.wrong("another order than before", "the same order")


@check("services.unknown-jurisdiction", SPEC, "An unknown jurisdiction_id is 404.")
def unknown_jurisdiction(at: Target) -> None:
    at.get("services", at.format, [("jurisdiction_id", f"{NOBODY}.example")]).must_be(404)


@check("services.missing-jurisdiction", SPEC, "Where a jurisdiction_id is needed, leaving it out is 400.")
def missing_jurisdiction(at: Target) -> None:
    if not at.options.jurisdiction:
        raise NotRun("give --jurisdiction: only then leaving it out can be tried")
    reply = at.get("services", at.format, jurisdiction=False)
    if reply.status != 200:
        reply.must_be(400)
