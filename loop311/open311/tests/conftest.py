"""A city and a key, for every test of the room."""

from __future__ import annotations

from loop311.open311.testing import city, key

__all__ = ["city", "key"]
