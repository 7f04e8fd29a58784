"""How requests end: with proof, and with an outcome that says the truth."""

from __future__ import annotations

from collections.abc import Iterator

from loop311.catalog.checks.finding import Finding, error, warning
from loop311.catalog.definitions import Catalogue, CompletionRule, Ending, EvidenceKind, PlaceNeed, Service
from loop311.catalog.index import CatalogueIndex


def check_endings(catalogue: Catalogue, index: CatalogueIndex) -> Iterator[Finding]:
    for rule in catalogue.completion_rules:
        path = f"completion_rules.{rule.code}.all_of"
        if not rule.all_of:
            yield error(path, "This rule asks for no evidence, so a request could end without proof.")
        if not all(rule.all_of):
            yield error(path, "A group without a kind of evidence can never be fulfilled.")
        yield from _residents_yes(path, rule)
    for outcome in catalogue.outcomes:
        if outcome.no_proof and outcome.ending is not Ending.DONE:
            yield error(f"outcomes.{outcome.code}.no_proof", "Only an outcome that ends in done can go without proof.")
    for service in catalogue.services:
        yield from _of_service(f"services.{service.code}", service, index)


def _residents_yes(path: str, rule: CompletionRule) -> Iterator[Finding]:
    """The resident is asked only when it is reported done, so a yes is never there to let it be done."""
    groups = [set(group) for group in rule.all_of]
    if {EvidenceKind.RESIDENT_YES} in groups:
        yield error(
            path, "The resident's yes comes only after it is done, so this could never be done: ask for other proof."
        )
    elif any(EvidenceKind.RESIDENT_YES in group for group in groups):
        yield warning(path, "The resident's yes comes only after it is done, so it never proves this; leave it out.")


def _of_service(path: str, service: Service, index: CatalogueIndex) -> Iterator[Finding]:
    endings = {index.outcomes[code].ending for code in service.outcomes if code in index.outcomes}
    if Ending.DONE not in endings:
        yield error(f"{path}.outcomes", "No outcome of this service ends in done, so it could never be done.")
    if Ending.DECLINED not in endings:
        yield warning(f"{path}.outcomes", "No outcome of this service ends in declined, so it can never be declined.")
    if service.dispute_days < 1 and not service.historical:
        yield error(f"{path}.dispute_days", "Give the resident at least one day to say that it is not done.")
    if not service.owner.strip():
        yield error(f"{path}.owner", "Name who is accountable for this service's promises.")
    yield from _joining(f"{path}.joining", service)


def _joining(path: str, service: Service) -> Iterator[Finding]:
    joining = service.joining
    if service.code in joining.also:
        yield warning(f"{path}.also", "A service is always compared with itself; leave it out.")
    if joining.radius_metres and service.place is PlaceNeed.NONE:
        yield error(f"{path}.radius_metres", "This service is asked without a place, so nothing can be near it.")
    if joining.radius_metres and joining.days < 1:
        yield error(f"{path}.days", "Look back at least one day for the same problem.")
    if joining.also and not joining.radius_metres:
        yield warning(f"{path}.also", "With a radius of 0 joining is never proposed.")
