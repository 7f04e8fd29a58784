"""What is said of places in the ledger: kind -> meaning."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "layer.loaded": "A version of a layer was loaded; the body names its day, areas and digest.",
    "layer.changed": "A layer became, or ceased to be, exclusive or the city's boundary.",
    "addresses.loaded": "Addresses and intersections were loaded; the body counts them.",
}
