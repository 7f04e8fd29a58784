"""The kinds of systems a link can lead to. A connector adds its line; it is loaded when a link of its kind is used."""

from __future__ import annotations

from importlib import import_module

from loop311.workorders.connectors.base import Kind

KINDS: dict[str, str] = {
    "folder": "loop311.workorders.connectors.files:FOLDER",
    "redmine": "loop311.workorders.connectors.redmine:REDMINE",
    "sftp": "loop311.workorders.connectors.files:SFTP",
    "open311": "loop311.workorders.connectors.open311:OPEN311",
    "webhook": "loop311.workorders.connectors.webhook:WEBHOOK",
}
"""What links.yaml calls it -> module:attribute of its `Kind`."""


def kind_of(name: str) -> Kind:
    """Raises LookupError for a name that is not in KINDS."""
    module, attribute = KINDS[name].split(":")
    kind = getattr(import_module(module), attribute)
    if not isinstance(kind, Kind):
        raise TypeError(f"{KINDS[name]} is not a kind of connector")
    return kind
