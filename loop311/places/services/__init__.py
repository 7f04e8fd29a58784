"""The only writers of layers, areas and addresses."""

from loop311.places.services.addresses import AddressReport, load_addresses
from loop311.places.services.boundaries import BEGINNING, LoadReport, load_boundaries

__all__ = ["BEGINNING", "AddressReport", "LoadReport", "load_addresses", "load_boundaries"]
