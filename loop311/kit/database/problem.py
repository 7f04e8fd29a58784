"""What can go wrong with the database, in one sentence."""

from __future__ import annotations

from loop311.kit.problems import Problem


class DatabaseUnavailable(Problem):
    """The database cannot be started or reached; the sentence says what to mend."""

    code = "database-unavailable"
    title = "The database is not available"
    status = 503
