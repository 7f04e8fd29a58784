"""What can go wrong with the database, in one sentence."""

from __future__ import annotations

from loop311.kit.problems import Unavailable


class DatabaseUnavailable(Unavailable):
    """The database cannot be started or reached; the sentence says what to mend."""
