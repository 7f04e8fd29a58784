"""Group 10: how a refusal is told."""

from __future__ import annotations

from urllib.parse import urlencode

from loop311.georeport.conform.filer import filer
from loop311.georeport.conform.registry import OURS, SPEC, NotRun, check, given
from loop311.georeport.conform.strict import complaints, refused
from loop311.georeport.conform.target import NOBODY, Target
from loop311.georeport.conform.wire import Reply
from loop311.georeport.reading import text
from loop311.georeport.render import Format

_LARGE = 5_000_000
"""Bytes of a form that no filing needs."""


def _unknown(at: Target, format_: Format) -> Reply:
    reply = at.get(f"services/{NOBODY}", format_)
    if reply.status < 400:
        raise NotRun("an unknown service_code is not refused")
    return reply


@check("errors.body-xml", SPEC, "In XML an error is <errors> of <error> with code and description.")
def body_xml(at: Target) -> None:
    reply = _unknown(at, Format.XML)
    refused(reply, reply.status)


@check("errors.body-json", SPEC, "In JSON an error is an array of objects with code and description.")
def body_json(at: Target) -> None:
    reply = _unknown(at, at.json())
    refused(reply, reply.status)


@check("errors.media-type", SPEC, "An error is of the media type of the format that was asked for.")
def media_type(at: Target) -> None:
    for format_ in at.formats:
        reply = _unknown(at, format_)
        if reply.media_type != format_.media_type:
            raise reply.wrong(reply.named_type(), format_.media_type)


@check("errors.code", OURS, "The code in the body is the status, or begins as it does.")
def code(at: Target) -> None:
    for format_ in at.formats:
        reply = _unknown(at, format_)
        with given("the body of an error"):
            found = refused(reply, reply.status)
        if not any(str(text(row.get("code"))).startswith(str(reply.status)) for row in found.rows):
            raise found.wrong(f"the code {found.one.get('code')!r}", str(reply.status))


@check("errors.400-in-both", SPEC, "400 has an errors body in both formats.")
def in_both_400(at: Target) -> None:
    for format_ in at.formats:
        reply = at.queried([("start_date", "never"), ("status", "never")], format_)
        if reply.status < 400:
            raise NotRun("a query that cannot be meant is not refused")
        refused(reply, 400)


@check("errors.403-in-both", SPEC, "403 has an errors body in both formats.", writes=True)
def in_both_403(at: Target) -> None:
    by = filer(at)
    for format_ in at.formats:
        reply = by.post(by.form(), format_, key=f"{NOBODY}-key")
        if reply.status < 400:
            raise NotRun("a wrong key is not refused")
        refused(reply, 403)


@check("errors.several", OURS, "What is wrong in several places is told at once: one error for each.", writes=True)
def several(at: Target) -> None:
    by = filer(at)
    asked = by.required()[0]
    form = {name: value for name, value in by.form(long=None, address_string=None).items() if f"[{asked}]" not in name}
    found = complaints(by.post(form), 400)
    told = [str(row.get("description")) for row in found.rows]
    if not any("long" in each for each in told) or not any(asked in each for each in told):
        raise found.wrong(f"{len(told)} errors: {' '.join(told)[:100]!r}", f"one about long and one about {asked}")


@check("errors.unknown-address", OURS, "An address that does not exist is 404 with an errors body.")
def unknown_address(at: Target) -> None:
    for format_ in at.formats:
        refused(at.get(f"{NOBODY}/at/all", format_), 404)


@check("errors.405", OURS, "A method that is not offered is 405, tells Allow, and has an errors body in both formats.")
def not_allowed(at: Target) -> None:
    for format_ in at.formats:
        found = refused(at.get("services", format_, method="PUT"), 405)
        if "GET" not in found.reply.headers.get("Allow", ""):
            raise found.wrong(f"Allow {found.reply.headers.get('Allow', '')!r}", "GET among the methods of Allow")


@check("errors.413", OURS, "A form far too large is 413 (or 400), with an errors body.", writes=True)
def too_large(at: Target) -> None:
    by = filer(at)
    form = by.form(description="large " * (_LARGE // 6))
    content = urlencode(by.pairs(form, at.options.key)).encode()
    kind = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    refused(by.post(form, headers=kind, content=content), 413, 400)
