"""Group 4: what is asked about a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loop311.georeport.conform.registry import OURS, SPEC, NotRun, check
from loop311.georeport.conform.strict import Read, Row, element, name_of, whole
from loop311.georeport.conform.target import NOBODY, Target, attributes_of, joined, segment
from loop311.georeport.conform.wire import Reply
from loop311.georeport.model import ServiceDefinition
from loop311.georeport.reading import boolean, text
from loop311.georeport.render import Format

_DATATYPES = ("string", "number", "datetime", "text", "singlevaluelist", "multivaluelist")
_LISTS = ("singlevaluelist", "multivaluelist")
_REQUIRED = ("variable", "code", "datatype", "required")
_STANDARD = (*_REQUIRED, "datatype_description", "order", "description")


def _each(at: Target, format_: Format | None = None) -> Iterator[tuple[Read, Row]]:
    for found, attributes in at.definitions(format_):
        for attribute in attributes:
            yield found, attribute


def _every(at: Target, complaint: Callable[[Row], str | None], expected: str, format_: Format | None = None) -> None:
    for found, attribute in _each(at, format_):
        if came := complaint(attribute):
            raise found.wrong(f"{name_of(attribute)} with {came}", expected)


def _values(attribute: Row) -> list[Row]:
    found = attribute.get("values")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


@check("definition.exists", SPEC, "Every service whose metadata is true has a definition, in both formats.")
def exists(at: Target) -> None:
    for code in at.definition_codes():
        for format_ in at.formats:
            at.get(f"services/{segment(code)}", format_).must_be(200)


@check(
    "definition.shape-xml",
    SPEC,
    "In XML a definition is a <service_definition> whose attributes stand in <attributes>.",
)
def shape_xml(at: Target) -> None:
    for reply in _had(at, Format.XML):
        whole(reply, ServiceDefinition)
        if element(reply).find("attributes") is None:
            raise reply.wrong("no <attributes>", "<attributes> around every <attribute>")


def _had(at: Target, format_: Format) -> list[Reply]:
    """The definitions that can be had; of none nothing is concluded."""
    asked = [at.get(f"services/{segment(code)}", format_) for code in at.definition_codes()]
    had = [reply for reply in asked if reply.status == 200]
    if not had:
        raise NotRun(f"no definition can be had: {asked[0].question.said()}: came status {asked[0].status}")
    return had


@check("definition.shape-json", SPEC, "In JSON a definition is one object with an array of attributes, in no wrapper.")
def shape_json(at: Target) -> None:
    for reply in _had(at, at.json()):
        found = whole(reply, ServiceDefinition)
        attributes_of(found)
        if not isinstance(found.one.get("attributes"), list):
            raise found.wrong("no array of attributes", "attributes: [...]")


@check("definition.names-its-service", SPEC, "A definition names the service_code that was asked for.")
def names_its_service(at: Target) -> None:
    for format_ in at.formats:
        for code in at.definition_codes():
            found, _ = at.definition(code, format_)
            if text(found.one.get("service_code")) != code:
                raise found.wrong(f"service_code {found.one.get('service_code')!r}", repr(code))


@check("definition.required", SPEC, "Each attribute has variable, code, datatype and required.")
def required(at: Target) -> None:
    _every(at, lambda row: _missing(row, _REQUIRED), "all of " + joined(_REQUIRED))


def _missing(row: Row, names: tuple[str, ...]) -> str | None:
    missing = [name for name in names if text(row.get(name)) is None]
    return f"no {joined(missing)}" if missing else None


@check("definition.all-fields", OURS, "Every standard field of an attribute is there, also when it is empty.")
def all_fields(at: Target) -> None:
    def left_out(row: Row) -> str | None:
        missing = [name for name in _STANDARD if name not in row]
        return f"{joined(missing)} left out" if missing else None

    at.in_each(
        lambda format_: _every(
            at, left_out, "every standard field, empty or null when there is nothing to say", format_
        )
    )


@check("definition.datatypes", SPEC, "A datatype is " + joined(_DATATYPES) + ".")
def datatypes(at: Target) -> None:
    _every(
        at,
        lambda row: None if text(row.get("datatype")) in (*_DATATYPES, None) else f"the datatype {row['datatype']!r}",
        joined(_DATATYPES),
    )


@check("definition.booleans-xml", SPEC, "In XML variable and required are the words true or false.")
def booleans_xml(at: Target) -> None:
    def no_word(row: Row) -> str | None:
        strange = [n for n in ("variable", "required") if text(row.get(n)) not in ("true", "false", None)]
        return f"{strange[0]} {row[strange[0]]!r}" if strange else None

    _every(at, no_word, "true or false", Format.XML)


@check("definition.booleans-json", SPEC, "In JSON variable and required are booleans.")
def booleans_json(at: Target) -> None:
    def no_boolean(row: Row) -> str | None:
        strange = [n for n in ("variable", "required") if not isinstance(row.get(n), bool | None)]
        return f"{strange[0]} {row[strange[0]]!r}" if strange else None

    _every(at, no_boolean, "true or false, not in quotes", at.json())


@check("definition.order", SPEC, "Each attribute has an order of its own, a positive whole number.")
def order(at: Target) -> None:
    for found, attributes in at.definitions():
        orders = [text(each.get("order")) or "" for each in attributes]
        strange = next((each for each in orders if not each.isdigit() or int(each) < 1), None)
        if strange is not None:
            raise found.wrong(f"the order {strange!r}", "positive whole numbers")
        if len(set(orders)) < len(orders):
            raise found.wrong(f"the orders {joined(orders)}", "no order twice")


@check("definition.order-is-number", OURS, "In JSON order is a number.")
def order_is_number(at: Target) -> None:
    _every(
        at,
        lambda row: None if isinstance(row.get("order"), int | None) else f"order {row['order']!r}",
        "a number, not in quotes",
        at.json(),
    )


@check("definition.texts", OURS, "In JSON the code of an attribute and the key of a value are texts.")
def texts(at: Target) -> None:
    def number(row: Row) -> str | None:
        told = [row.get("code"), *(value.get("key") for value in _values(row))]
        strange = [each for each in told if not isinstance(each, str | None)]
        return f"{strange[0]!r}" if strange else None

    _every(at, number, "texts in quotes", at.json())


@check("definition.unique-codes", SPEC, "No two attributes of a service have the same code.")
def unique_codes(at: Target) -> None:
    for found, attributes in at.definitions():
        codes = [text(each.get("code")) for each in attributes]
        if twice := next((code for code in codes if codes.count(code) > 1), None):
            raise found.wrong(f"code {twice} twice", "each code once")


@check("definition.values", SPEC, "An attribute of a list type has values, each with a key of its own and a name.")
def values(at: Target) -> None:
    def complaint(row: Row) -> str | None:
        if text(row.get("datatype")) not in _LISTS:
            return None
        keys = [text(each.get("key")) for each in _values(row) if text(each.get("name"))]
        if not keys or None in keys or len(keys) < len(_values(row)):
            return "values without key or name, or none"
        return "a key twice" if len(set(keys)) < len(keys) else None

    at.in_each(lambda format_: _every(at, complaint, "values with key and name, each key once", format_))


@check("definition.no-other-values", OURS, "An attribute of another type has no values.")
def no_other_values(at: Target) -> None:
    _every(
        at,
        lambda row: "values" if _values(row) and text(row.get("datatype")) in set(_DATATYPES) - set(_LISTS) else None,
        "values at lists only",
    )


@check("definition.display-only", OURS, "What is only shown (variable is false) is never required.")
def display_only(at: Target) -> None:
    _every(
        at,
        lambda row: "variable false and required true" if _is_both(row) else None,
        "required false where nothing can be sent",
    )


def _is_both(row: Row) -> bool:
    return text(row.get("variable")) == "false" and boolean(row.get("required"))


@check("definition.unknown", SPEC, "An unknown service_code is 404, in both formats.")
def unknown(at: Target) -> None:
    for format_ in at.formats:
        at.get(f"services/{NOBODY}", format_).must_be(404)


@check("definition.unknown-jurisdiction", SPEC, "An unknown jurisdiction_id is 404.")
def unknown_jurisdiction(at: Target) -> None:
    code = at.definition_codes()[0]
    at.get(f"services/{segment(code)}", at.format, [("jurisdiction_id", f"{NOBODY}.example")]).must_be(404)


@check("definition.without-metadata", OURS, "A service whose metadata is false has a definition without attributes.")
def without_metadata(at: Target) -> None:
    rows = [row for row in at.services().rows if text(row.get("metadata")) == "false" and text(row.get("service_code"))]
    if not rows:
        raise NotRun("every service has a definition")
    for format_ in at.formats:
        found = at.read_definition(str(text(rows[0]["service_code"])), format_)
        if attributes_of(found):
            raise found.wrong("attributes", "none, for metadata is false")
