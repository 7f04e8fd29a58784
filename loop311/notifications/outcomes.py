"""How an attempt to send can end badly. Each carries a code without personal data."""

from __future__ import annotations


class Undelivered(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(Undelivered):
    """For good: this address, this message, never."""


class Unavailable(Undelivered):
    """It surely did not leave; try again later."""


class Unclear(Undelivered):
    """It may have left."""
