"""The only writers of layers, areas and addresses."""

from loop311.places.services.boundaries import BEGINNING, LoadReport, load_boundaries

__all__ = ["BEGINNING", "LoadReport", "load_boundaries"]
