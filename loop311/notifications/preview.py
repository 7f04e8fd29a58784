"""What a message would look like, for those who write the texts; sends nothing."""

from __future__ import annotations

from datetime import timedelta

from loop311.catalog.index import CatalogueIndex
from loop311.catalog.services import current
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid, NotFound
from loop311.notifications import defaults
from loop311.notifications.rendering import Rendered, placeholder_values, render, typed_words, unsubscribe_link
from loop311.notifications.services.queueing import language_for, request_facts
from loop311.requests.models import Request


def preview(
    jurisdiction: Jurisdiction, event_kind: str, *, service_code: str = "", language: str = "", number: str = ""
) -> Rendered:
    """With the texts in force now, about a real request (`number`), or an imagined one of the service (or the first)."""
    if event_kind not in defaults.TEMPLATES:
        kinds = ", ".join(defaults.TEMPLATES)
        raise Invalid(
            f"Nobody is told of {event_kind[:80]!r}. The kinds are {kinds}.",
            fields=[FieldProblem("event", "not an event that residents are told of")],
        )
    request = _request(jurisdiction, number) if number else None
    version_id, index = _in_force(jurisdiction)
    code = request.service.code if request else service_code
    template = (index.template(event_kind, code) if index else None) or defaults.TEMPLATES[event_kind]
    chosen = language_for(language or jurisdiction.languages[0], jurisdiction, template)
    facts = _real(request) if request else _imagined(index, version_id, service_code)
    values = placeholder_values(
        facts,
        jurisdiction=jurisdiction,
        language=chosen,
        at=now(),
        link="https://city.example/r/preview",
    )
    return render(template, values, chosen, unsubscribe_link(jurisdiction.pk, 0))


def _request(jurisdiction: Jurisdiction, number: str) -> Request:
    found = Request.objects.select_related("service", "team", "leading").filter(
        jurisdiction=jurisdiction, number=number
    )
    request = found.first()
    if request is None:
        raise NotFound(f"There is no request {number[:40]!r} in this city.")
    return request


def _real(request: Request) -> dict[str, str | None]:
    facts = request_facts(request, {})
    return {**facts, **typed_words(request, facts)}


def _in_force(jurisdiction: Jurisdiction) -> tuple[int | None, CatalogueIndex | None]:
    try:
        version, index = current(jurisdiction.pk)
    except NotFound:
        return None, None
    return version.pk, index


def _imagined(index: CatalogueIndex | None, version_id: int | None, service_code: str) -> dict[str, str | None]:
    at = now()
    facts: dict[str, str | None] = {
        "number": f"{at:%y}-00000311",
        "due_on": (at + timedelta(days=3)).isoformat(),
        "dispute_until": (at + timedelta(days=7)).isoformat(),
        "leading_number": f"{at:%y}-00000042",
        "reference": "A-1001",
        "address": "100 Main St",
        "comment": "The part we need has been ordered.",
        "window_from": (at + timedelta(days=1)).isoformat(),
        "window_to": (at + timedelta(days=1, hours=2)).isoformat(),
    }
    if index is None:
        return facts
    service = index.services.get(service_code) if service_code else next(iter(index.offered()), None)
    if service is None:
        raise Invalid(
            f"The city has no service {service_code[:80]!r}.",
            fields=[FieldProblem("service_code", "not in the catalogue")],
        )
    facts |= {
        "request_version": str(version_id),
        "service": service.code,
        "team": service.routing[-1].team,
        "outcome": service.outcomes[0] if service.outcomes else "",
        "reason": next(iter(index.stop_reasons), ""),
        "owner": next(iter(index.owners), ""),
    }
    return facts
