"""The command `loop311`: one group, each room's commands under it."""

from __future__ import annotations

import click


@click.group()
@click.version_option(package_name="loop311")
def main() -> None:
    """Loop311: the system a city runs its 311 on."""
