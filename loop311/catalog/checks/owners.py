"""Whoever is named to a caller as responsible comes with something to say."""

from __future__ import annotations

from collections.abc import Iterator

from loop311.catalog.checks.finding import Finding, error, warning
from loop311.catalog.definitions import Catalogue, OutsideOwner


def check_owners(catalogue: Catalogue) -> Iterator[Finding]:
    handed = {rule.hand_over for service in catalogue.services for rule in service.routing}
    everywhere = False
    for owner in catalogue.outside_owners:
        path = f"outside_owners.{owner.code}"
        if (owner.code in handed or owner.outside_city) and not owner.tell:
            yield warning(f"{path}.tell", "Nothing says what a caller is told when this owner is responsible.")
        yield from _of_areas(path, owner, everywhere)
        everywhere = everywhere or (owner.outside_city and not owner.areas)


def _of_areas(path: str, owner: OutsideOwner, everywhere: bool) -> Iterator[Finding]:
    if owner.areas and not owner.outside_city:
        yield error(f"{path}.areas", "Areas only say which places outside the city are meant: add outside_city: true.")
    for layer, keys in owner.areas.items():
        if not keys:
            yield error(f"{path}.areas.{layer}", "This names no area, so the owner can never be meant.")
    if owner.outside_city and everywhere:
        yield error(
            f"{path}.outside_city", "An earlier owner looks after every place outside the city: put this before it."
        )
