"""What can be wrong with what somebody asked: raised by services, shown as a sentence on pages and as RFC 9457 in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field and the sentence that says what to mend. `field` is a dotted path as the sender wrote it."""

    field: str
    detail: str


class Problem(Exception):
    """Base of everything a person or a program can mend. `detail` is one clear sentence, shown as it is."""

    code: ClassVar[str] = "problem"
    title: ClassVar[str] = "The request could not be carried out"
    status: ClassVar[int] = 400

    def __init__(
        self, detail: str, *, fields: Sequence[FieldProblem] = (), extra: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = tuple(fields)
        self.extra = dict(extra or {})


class Invalid(Problem):
    code = "invalid"
    title = "Something in the input must be mended"
    status = 422


class NotFound(Problem):
    code = "not-found"
    title = "There is no such thing here"
    status = 404


class Forbidden(Problem):
    code = "forbidden"
    title = "You may not do this"
    status = 403


class Unauthenticated(Problem):
    code = "unauthenticated"
    title = "Sign in first"
    status = 401


class Conflict(Problem):
    """Somebody else changed it first, or its state does not allow this."""

    code = "conflict"
    title = "The present state does not allow this"
    status = 409


class Malformed(Problem):
    """It could not even be read: broken JSON, for instance."""

    code = "malformed"
    title = "The input cannot be read"
    status = 400


class TooLarge(Problem):
    code = "too-large"
    title = "The input is too large"
    status = 413


class WrongMediaType(Problem):
    code = "wrong-media-type"
    title = "The input is of a kind that is not read here"
    status = 415


class TooMany(Problem):
    """More than one sender may ask for; `extra` says in `retry_after` after how many seconds it may ask again."""

    code = "too-many"
    title = "You have asked too often"
    status = 429


class Unavailable(Problem):
    """Nothing is wrong with what was asked; the same again a little later may well work."""

    code = "unavailable"
    title = "The system cannot answer just now"
    status = 503
