"""The only writers of layers, areas, streets and addresses."""

from loop311.places.services.addresses import AddressReport, load_addresses
from loop311.places.services.boundaries import BEGINNING, LoadReport, load_boundaries
from loop311.places.services.streets import STREETS, derive_streets, load_streets

__all__ = [
    "BEGINNING",
    "STREETS",
    "AddressReport",
    "LoadReport",
    "derive_streets",
    "load_addresses",
    "load_boundaries",
    "load_streets",
]
