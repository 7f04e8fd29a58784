"""Group 5, second part: attributes, and the words of a description."""

from __future__ import annotations

from loop311.georeport.conform.filer import MARK, Filed, Filer, filer, keys_of, unencoded
from loop311.georeport.conform.registry import OURS, SPEC, NotRun, check
from loop311.georeport.conform.strict import Row, complaints
from loop311.georeport.conform.target import NOBODY, Target, joined
from loop311.georeport.reading import text

LONGEST = 4_000
"""Characters of a description."""
_FORM = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]


def _code(attribute: Row) -> str:
    return str(text(attribute.get("code")))


def _without(form: dict[str, str | list[str] | None], code: str) -> dict[str, str | list[str] | None]:
    return {name: value for name, value in form.items() if not name.startswith(f"attribute[{code}]")}


def _answered(by: Filer, attribute: Row, name: str, value: str | list[str]) -> dict[str, str | list[str] | None]:
    """The filing with this attribute answered in this way only."""
    return _without(by.form(), _code(attribute)) | {name: value}


# --- Attributes ----------------------------------------------------------------------------------------------------------


@check("post.attribute", SPEC, "attribute[CODE]=key answers an attribute of one value.", writes=True)
def attribute(at: Target) -> None:
    by = filer(at)
    asked = by.attribute("singlevaluelist")
    for key in keys_of(asked)[:2]:
        by.file(_answered(by, asked, f"attribute[{_code(asked)}]", key))


@check(
    "post.attribute-other-types", SPEC, "Numbers, times and words answer attributes of those datatypes.", writes=True
)
def attribute_other_types(at: Target) -> None:
    by = filer(at)
    asked = [row for row in by.attributes() if text(row.get("datatype")) in ("string", "number", "datetime", "text")]
    if not asked:
        raise NotRun(f"the service {by.code} has lists only")
    by.file(by.form() | dict(by.answer(row) for row in asked))


@check("post.attribute-list", SPEC, "attribute[CODE][]=x&attribute[CODE][]=y answers a list.", writes=True)
def attribute_list(at: Target) -> None:
    by = filer(at)
    asked = by.attribute("multivaluelist")
    by.file(_answered(by, asked, f"attribute[{_code(asked)}][]", keys_of(asked)[:2]))


@check("post.attribute-repeated", OURS, "attribute[CODE]=x&attribute[CODE]=y answers a list as well.", writes=True)
def attribute_repeated(at: Target) -> None:
    by = filer(at)
    asked = by.attribute("multivaluelist")
    by.file(_answered(by, asked, f"attribute[{_code(asked)}]", keys_of(asked)[:2]))


@check("post.attribute-indexed", OURS, "attribute[CODE][0]=x answers as well.", writes=True)
def attribute_indexed(at: Target) -> None:
    by = filer(at)
    asked = by.attribute("multivaluelist", "singlevaluelist")
    by.file(_answered(by, asked, f"attribute[{_code(asked)}][0]", keys_of(asked)[0]))


@check("post.attribute-brackets", OURS, "The brackets may come as they are, not percent-encoded.", writes=True)
def attribute_brackets(at: Target) -> None:
    by = filer(at)
    asked = by.attribute("singlevaluelist", "multivaluelist")
    form = by.form() | dict([by.answer(asked)])
    by.file(form, headers=_FORM, content=unencoded(by.pairs(form, at.options.key)))


@check("post.attribute-any-case", OURS, "A key is known in capitals and small letters.", writes=True)
def attribute_any_case(at: Target) -> None:
    by = filer(at)
    asked = by.attribute("singlevaluelist")
    key = next((key for key in keys_of(asked) if key.swapcase() != key), None)
    if key is None:
        raise NotRun(f"the keys of {_code(asked)} have no letters")
    by.file(_answered(by, asked, f"attribute[{_code(asked)}]", key.swapcase()))


@check(
    "post.attribute-name",
    OURS,
    "What is shown is not what is sent: a name that is no key is 400, and the keys are told.",
    writes=True,
)
def attribute_name(at: Target) -> None:
    by = filer(at)
    asked = by.attribute("singlevaluelist")
    keys = keys_of(asked)
    found = complaints(by.post(_answered(by, asked, f"attribute[{_code(asked)}]", f"{NOBODY} answer")), 400)
    told = " ".join(str(row.get("description")) for row in found.rows)
    if not all(key in told for key in keys[:5]):
        raise found.wrong(repr(told[:100]), f"the keys {joined(keys[:5])} in its words")


@check("post.attribute-missing", SPEC, "A required attribute that is missing is 400.", writes=True)
def attribute_missing(at: Target) -> None:
    by = filer(at)
    code = by.required()[0]
    by.post(_without(by.form(), code)).must_be(400)


@check(
    "post.attribute-missing-each",
    OURS,
    "One error for each required attribute that is missing, naming its code.",
    writes=True,
)
def attribute_missing_each(at: Target) -> None:
    by = filer(at)
    form = by.form()
    for code in by.required():
        form = _without(form, code)
    found = complaints(by.post(form), 400)
    for code in by.required():
        if not any(code in str(row.get("description")) for row in found.rows):
            raise found.wrong(f"{found.count('error')}, none of them naming {code}", "one error for each")


@check("post.attribute-empty", SPEC, "An empty answer to a required attribute is a missing one.", writes=True)
def attribute_empty(at: Target) -> None:
    by = filer(at)
    code = by.required()[0]
    by.post(_without(by.form(), code) | {f"attribute[{code}]": ""}).must_be(400)


@check(
    "post.attribute-unknown",
    OURS,
    "An attribute that the definition does not know does not stop a filing.",
    writes=True,
)
def attribute_unknown(at: Target) -> None:
    filer(at).file(filer(at).form() | {f"attribute[{NOBODY}]": "test"})


# --- Words ---------------------------------------------------------------------------------------------------------------


def _long(length: int) -> str:
    return (MARK + " " + "word " * LONGEST)[: length - 1] + "."


def _heard(by: Filer, filed: Filed) -> str:
    return text(by.seen(filed).one.get("description")) or ""


@check(
    "post.description-4000", SPEC, "A description may have 4,000 characters, and all of them come back.", writes=True
)
def description_4000(at: Target) -> None:
    by = filer(at)
    sent = _long(LONGEST)
    filed = by.file(by.form(description=sent))
    heard = _heard(by, filed)
    if sent not in heard:
        raise filed.read.wrong(f"{len(heard)} characters when it was read again", "all 4,000")


@check("post.description-4001", OURS, "A description of 4,001 characters is 400.", writes=True)
def description_4001(at: Target) -> None:
    filer(at).post(filer(at).form(description=_long(LONGEST + 1))).must_be(400)


@check(
    "post.line-ends",
    OURS,
    "A line end counts as one character, however it is sent, and comes back as one.",
    writes=True,
)
def line_ends(at: Target) -> None:
    by = filer(at)
    first = _long(LONGEST - 12)
    filed = by.file(by.form(description=f"{first}\r\nsecond\rno.3"))
    if f"{first}\nsecond\nno.3" not in _heard(by, filed):
        raise filed.read.wrong(repr(_heard(by, filed)[-30:]), "line ends as one character")


@check("post.any-letters", SPEC, "Letters of every language come back as they were sent.", writes=True)
def any_letters(at: Target) -> None:
    by = filer(at)
    sent = f"{MARK}: Zoë, Straße, 東京, שלום, 🕳"
    filed = by.file(by.form(description=sent))
    if sent not in _heard(by, filed):
        raise filed.read.wrong(repr(_heard(by, filed)[-30:]), repr(sent[-30:]))


@check("post.markup", SPEC, "Signs of markup in words stay words, in both formats.", writes=True)
def markup(at: Target) -> None:
    by = filer(at)
    filed = by.file(by.form(description=f'{MARK}: 1 < 2 & 3 > 2, ]]>, "quoted"'))
    for format_ in at.formats:
        found = by.seen(filed, format_)
        if '1 < 2 & 3 > 2, ]]>, "quoted"' not in (text(found.one.get("description")) or ""):
            raise found.wrong(repr(found.one.get("description"))[-40:], '1 < 2 & 3 > 2, ]]>, "quoted"')


@check(
    "post.control-characters",
    OURS,
    "Characters that XML cannot hold are taken out, so that the answer stays XML.",
    writes=True,
)
def control_characters(at: Target) -> None:
    by = filer(at)
    filed = by.file(by.form(description=f"{MARK}: a\x08b\x0bc\x1bd"))
    for format_ in at.formats:
        if not filed.id:
            raise NotRun("the filing gave no id at once")
        found = at.single(filed.id, format_, base=by.base, fresh=True)
        if "abcd" not in (text(found.one.get("description")) or "" if found.rows else ""):
            raise found.wrong(
                repr(found.one.get("description"))[-30:] if found.rows else "no request", "'abcd' at its end"
            )
