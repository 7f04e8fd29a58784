"""Import of a city's past requests from its open data."""

from loop311.requests.imports.mapping import Mapping, load, shipped
from loop311.requests.imports.running import Summary, run

__all__ = ["Mapping", "Summary", "load", "run", "shipped"]
