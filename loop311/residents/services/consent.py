"""What a resident agreed to, kept as it was said; the newest word of a purpose counts."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from loop311.kit.actor import Actor
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.ledger import services as ledger
from loop311.residents.models import Consent, Resident
from loop311.residents.policies import is_code
from loop311.residents.services import permit
from loop311.residents.services.finding import identity_ids


@transaction.atomic
def set_consent(
    resident: Resident, purpose: str, *, given: bool, how: str, by: Actor, at: datetime | None = None
) -> Consent:
    """Write down a yes or a no. `how` is channel and version of the wording, a code such as 'phone-2026-01'."""
    resident = permit.locked(resident.pk, by=by)
    unfit = [
        FieldProblem(field, "This is a code: lower-case letters, digits, hyphens and underscores.")
        for field, code in (("purpose", purpose), ("how", how))
        if not is_code(code)
    ]
    if unfit:
        raise Invalid("Purpose and way of consent are codes.", fields=unfit)
    row = Consent.objects.create(
        jurisdiction_id=resident.jurisdiction_id,
        resident=resident,
        purpose=purpose,
        given=given,
        at=at or now(),
        how=how,
    )
    body = {"purpose": purpose, "given": given, "how": how}
    ledger.append(
        "resident.consent_given" if given else "resident.consent_refused", "resident", resident.pk, body, by=by, at=at
    )
    return row


def consents(resident: Resident, *, by: Actor) -> dict[str, bool]:
    """Purpose -> whether it is allowed now, over all identities of this resident. What is not listed was never asked."""
    permit.in_city(by, resident.jurisdiction_id)
    permit.may(by, "residents.read", resident.pk)
    rows = Consent.objects.filter(
        jurisdiction_id=resident.jurisdiction_id, resident_id__in=identity_ids(resident)
    ).order_by("at", "pk")
    return dict(rows.values_list("purpose", "given"))
