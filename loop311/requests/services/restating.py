"""What would have been promised: any past request against any version of the catalogue. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from loop311.catalog.definitions import Step
from loop311.catalog.models import CatalogueVersion
from loop311.catalog.services import index_of
from loop311.kit.problems import NotFound
from loop311.promises import policies as promise_policies
from loop311.requests.models import Request
from loop311.requests.services.promising import pauses_of, terms
from loop311.routing.policies import priority


@dataclass(frozen=True, slots=True)
class Restated:
    """A due date under another version, and whether the work met it. None where it is still open and not yet due."""

    catalogue_version: int
    due_at: datetime | None
    on_time: bool | None
    first_promise_due_at: datetime | None
    kept_first_promise: bool | None


def restate(request: Request, version: CatalogueVersion, *, at: datetime) -> Restated:
    """The promise this request would have had under `version`, by that version's service, priority and calendar.

    Raises NotFound when that version has no such service.
    """
    code = request.service.code
    under = terms(request.jurisdiction, version.pk, code) if _has(version, code) else None
    if under is None:
        raise NotFound(f"Version {version.number} of the catalogue has no service {code!r}.")
    judged = None
    if under.policy is not None:
        rank = priority(under.service, request.answers, request.areas).priority
        lived = promise_policies.Lived(
            request.received_at, rank, tuple(pauses_of(request)), request.first_responded_at, request.done_at
        )
        judged = promise_policies.restate(lived, under.policy, under.clocks, now=at)
    promises = request.promises.filter(jurisdiction_id=request.jurisdiction_id, step=Step.RESOLUTION)
    first = promises.order_by("sequence").values_list("due_at", flat=True).first()
    kept = promise_policies.on_time(first, request.done_at, now=at) if first else None
    if judged is None:
        return Restated(version.number, None, None, first, kept)
    return Restated(version.number, judged.due_at, judged.on_time, first, kept)


def _has(version: CatalogueVersion, code: str) -> bool:
    return code in index_of(version.pk).services
