"""Group 12: XML and JSON say the same."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC

from loop311.georeport import reading
from loop311.georeport.conform.filer import MARK, filer
from loop311.georeport.conform.registry import SPEC, Failed, check, given
from loop311.georeport.conform.strict import Read
from loop311.georeport.conform.target import Target
from loop311.georeport.model import Item
from loop311.georeport.reading import text
from loop311.georeport.render import Format

_LETTERS = "abc XYZ 0-9 äñß łşğ Ωжя אבג عرب 日本語 ไทย 🚧🕳 <>&'\"[]{}%+=;,.\\/|#!?~^`*()\n"
"""What descriptions are made of that are sent to and fro."""
_TRIES = 3


def _same(told: Read, xml: Mapping[str, Item], json: Mapping[str, Item]) -> None:
    """Of what both list (between the two questions the world may change): every field alike."""
    if not set(xml) & set(json) and (xml or json):
        raise told.wrong("none of what XML lists", "the same in both formats")
    for name in xml.keys() & json.keys():
        differing = [f for f in xml[name].__struct_fields__ if getattr(xml[name], f) != getattr(json[name], f)]
        if differing:
            field = differing[0]
            one, other = (repr(getattr(item, field))[:60] for item in (json[name], xml[name]))
            raise told.wrong(f"{name} with {field} {one}", f"{other}, as in XML")


@check("agreement.services", SPEC, "Services say the same in XML and JSON.")
def services(at: Target) -> None:
    at.json()
    xml, told = at.services(Format.XML), at.services(Format.JSON)
    _same(told, *({item.service_code: item for item in reading.services(read.reply.body)} for read in (xml, told)))


@check("agreement.definitions", SPEC, "Definitions say the same in XML and JSON.")
def definitions(at: Target) -> None:
    at.json()
    for code in at.definition_codes():
        xml, told = (at.definition(code, format_)[0] for format_ in Format)
        _same(told, *({code: reading.definition(read.reply.body)} for read in (xml, told)))


@check("agreement.requests", SPEC, "Requests say the same in XML and JSON.")
def requests(at: Target) -> None:
    at.json()
    try:
        _same_requests(at.sample(Format.XML), at.sample(Format.JSON))
    except Failed:  # unless something happened between the two questions
        xml, told = (at.ask((), format_, fresh=True) for format_ in Format)
        _same_requests(xml, told)


def _same_requests(xml: Read, told: Read) -> None:
    _same(
        told, *({i.service_request_id or "": i for i in reading.requests(read.reply.body, UTC)} for read in (xml, told))
    )


@check("agreement.single", SPEC, "One request says the same in XML and JSON.")
def single(at: Target) -> None:
    at.json()
    known = at.known()
    with given("one request"):
        xml, told = (at.single(known.id, format_) for format_ in Format)
    _same_requests(xml, told)


@check("agreement.random-words", SPEC, "Words of any letters and signs come back alike in XML and JSON.", writes=True)
def random_words(at: Target) -> None:
    at.json()
    by = filer(at)
    chance = random.Random(311)  # noqa: S311 - the same words each time
    for _ in range(_TRIES):
        # A letter behind "<" would be the start of a tag, which a server does right to take out.
        sent = "".join(chance.choices(_LETTERS, k=60)).replace("<", "< ").strip()
        filed = by.file(by.form(description=f"{MARK}: {sent}"))
        for format_ in Format:
            found = by.seen(filed, format_)
            if sent not in (text(found.one.get("description")) or ""):
                raise found.wrong(repr(found.one.get("description"))[-80:], repr(sent))
