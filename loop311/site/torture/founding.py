"""Make the city that is tortured, and print how a request travels in it: python -m loop311.site.torture.founding CITY."""

from __future__ import annotations

import json
import sys
from datetime import time

import django

SERVICE = "pothole"


def found(slug: str) -> dict[str, object]:
    """The starter catalogue, a token with every scope, no quiet hours; and the steps of one request of the service."""
    from loop311.accounts.policies import PERMISSIONS  # noqa: PLC0415 - models need django.setup() first
    from loop311.accounts.services import create_token  # noqa: PLC0415
    from loop311.catalog.files import STARTER, read  # noqa: PLC0415
    from loop311.catalog.services import publish  # noqa: PLC0415
    from loop311.jurisdictions.services import create  # noqa: PLC0415
    from loop311.kit.actor import system  # noqa: PLC0415
    from loop311.notifications.services import set_quiet_hours  # noqa: PLC0415

    city = create(slug, name="Torture", time_zone="America/Chicago", languages=["en", "es"])
    by = system(city.pk)
    catalogue = read(STARTER).catalogue
    publish(city, catalogue, by=by)
    set_quiet_hours(time(0), time(0), by=by)
    _, secret = create_token(city, "torture", sorted(PERMISSIONS), by=by)
    service = catalogue.service(SERVICE)
    assert service is not None  # noqa: S101 - the starter has it, its own tests say so
    rule = next(r for r in catalogue.completion_rules if r.code == service.completion)
    outcomes = {o.code: o for o in catalogue.outcomes}
    done = next(code for code in service.outcomes if outcomes[code].ending == "done" and not outcomes[code].no_proof)
    calm = {
        q.code: next(c.code for c in q.choices if not c.emergency)
        for q in service.questions
        if q.required and q.choices
    }
    return {
        "token": secret,
        "service": SERVICE,
        "answers": calm,
        "evidence": [kinds[0].value for kinds in rule.all_of],
        "outcome": done,
    }


if __name__ == "__main__":
    django.setup()
    print(json.dumps(found(sys.argv[1])))  # noqa: T201 - read by house.py
