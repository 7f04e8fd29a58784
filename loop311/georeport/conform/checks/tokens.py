"""Group 6: from a token to the id."""

from __future__ import annotations

import time

from loop311.georeport.conform.filer import filer
from loop311.georeport.conform.registry import OURS, SPEC, NotRun, check, given
from loop311.georeport.conform.strict import Read, listed
from loop311.georeport.conform.target import NOBODY, Target, segment
from loop311.georeport.conform.wire import Reply
from loop311.georeport.model import TokenResult
from loop311.georeport.reading import text

_PAUSE = 0.5
"""Seconds between two looks at a token."""


def _reply(at: Target, token: str) -> Reply:
    return at.get(f"tokens/{segment(token)}", at.format, base=_base(at), fresh=True)


def _base(at: Target) -> str:
    """Of the endpoint that gave the token."""
    return at.base if at.options.token else filer(at).base


def _read(reply: Reply) -> Read:
    return listed(reply.must_be(200), TokenResult)


def _batch(at: Target) -> str:
    """The token of a filing, just given."""
    by = filer(at)
    service = by.of_type("batch")
    if service is None:
        raise NotRun("none of the services that may be filed for is of the type batch: name one with --service")
    with given("a token"):
        filed = by.file(by.form(str(text(service.get("service_code")))))
    if not filed.token:
        raise NotRun("the filing gave no token")
    return filed.token


def _token(at: Target) -> str:
    """One that was named, or one that is waited for."""
    return at.options.token or at.once("token", lambda: _batch(at))


def _is_ready(reply: Reply) -> bool:
    found = _read(reply)
    return bool(found.rows) and text(found.one.get("service_request_id")) is not None


def _last(at: Target) -> Reply:
    """The answer that holds an id, or else the last one: 404 and an empty id both mean not yet."""
    end = time.monotonic() + at.options.wait
    reply = _reply(at, _token(at))
    while not (reply.status == 200 and _is_ready(reply)) and time.monotonic() < end:
        time.sleep(min(_PAUSE, at.options.wait / 10))
        reply = _reply(at, _token(at))
    return reply


def _ready(at: Target) -> Read:
    """Raises NotRun while there is no id: a city may take days."""
    found = _read(at.once("token's answer", lambda: _last(at)))
    if not found.rows or text(found.one.get("service_request_id")) is None:
        raise NotRun(f"no id came within {at.options.wait:g} s: give --token, one that has an id by now")
    return found


@check("tokens.pending", OURS, "While there is no id yet, the answer holds the token and an empty id.", writes=True)
def pending(at: Target) -> None:
    token = _batch(at)
    found = _read(_reply(at, token))
    if len(found.rows) != 1 or text(found.one.get("token")) != token:
        raise found.wrong(found.reply.quoted(), "one request with this token, its id empty")


@check("tokens.ready", SPEC, "When there is an id, the answer is an array of one that holds it.")
def ready(at: Target) -> None:
    found = _ready(at)
    if len(found.rows) != 1:
        raise found.wrong(found.count(), "one")


@check("tokens.echo", SPEC, "The answer names the token that was asked for.")
def echo(at: Target) -> None:
    with given("an id for the token"):
        found = _ready(at)
    if text(found.one.get("token")) != _token(at):
        raise found.wrong(f"the token {found.one.get('token')!r}", repr(_token(at)))


@check("tokens.leads-to-request", SPEC, "The id that a token gave is that of the request.")
def leads_to_request(at: Target) -> None:
    with given("an id for the token"):
        id_ = str(text(_ready(at).one.get("service_request_id")))
    found = at.single(id_, base=_base(at), fresh=True)
    if id_ not in found.ids:
        raise found.wrong(f"{found.ids}", f"the request {id_}")


@check("tokens.unknown", SPEC, "An unknown token is 404, in both formats.")
def unknown(at: Target) -> None:
    for format_ in at.formats:
        at.get(f"tokens/{NOBODY}", format_).must_be(404)
