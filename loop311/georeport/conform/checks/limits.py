"""Group 10, last of all: after it, a server may refuse everything for a while."""

from __future__ import annotations

from loop311.georeport.conform.filer import filer
from loop311.georeport.conform.registry import OURS, NotRun, check
from loop311.georeport.conform.strict import refused
from loop311.georeport.conform.target import NOBODY, Target
from loop311.georeport.conform.wire import Reply


@check("errors.429", OURS, "Who asks too often gets 429 with Retry-After and an errors body.")
def too_often(at: Target) -> None:
    if at.options.burst < 1:
        raise NotRun("it asks many times without a pause: give --burst, how many may be asked")
    pause, at.wire.pause = at.wire.pause, 0.0
    try:
        reply = _until_limited(at)
    finally:
        at.wire.pause = pause
    found = refused(reply, 429)
    if not found.reply.headers.get("Retry-After"):
        raise found.wrong("no Retry-After", "Retry-After")


def _until_limited(at: Target) -> Reply:
    """With the key when there is one: limits are often the key's. A filing without any argument files nothing."""
    for _ in range(at.options.burst):
        reply = _asked_again(at)
        if reply.status == 429:
            return reply
    raise NotRun(f"no limit was met within {at.options.burst} questions")


def _asked_again(at: Target) -> Reply:
    if at.options.write and at.options.key:
        return filer(at).post({})
    return at.get(f"services/{NOBODY}", at.format, fresh=True)
