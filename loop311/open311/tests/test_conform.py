"""Our own server under the conformance suite: every check of it, strictly, over real sockets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from loop311.accounts import services as accounts
from loop311.catalog import definitions as d
from loop311.catalog.testing import edited
from loop311.georeport.conform.registry import CHECKS
from loop311.georeport.conform.run import Verdict, run
from loop311.georeport.conform.target import Options
from loop311.georeport.conform.wire import Wire
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.places.models import AddressPoint
from loop311.requests.models import Request
from loop311.requests.services import assign
from loop311.requests.testing import City, both, make_city, small_catalogue

pytestmark = pytest.mark.django_db(transaction=True)
SCOPES = [
    f"requests.{verb}" for verb in ("file", "comment", "assign", "start", "resume", "resolve", "decline", "dispute")
]
PER_MINUTE = 120
"""More than the other checks need."""


def _catalogue() -> d.Catalogue:
    """Questions of every datatype; a service of each type."""
    catalogue = small_catalogue()
    asked = [
        d.Question(code=kind.value, datatype=kind, texts=both(f"What {kind}?"))
        for kind in (d.Datatype.STRING, d.Datatype.TEXT, d.Datatype.DATETIME, d.Datatype.BOOLEAN)
    ]
    choices = (d.Choice(code="road", texts=both("On the road")), d.Choice(code="bridge", texts=both("On a bridge")))
    asked.append(
        d.Question(
            code="where", datatype=d.Datatype.MULTIVALUELIST, texts=both("Where?"), required=True, choices=choices
        )
    )
    catalogue = edited(catalogue, "services.pothole", questions=(*catalogue.services[0].questions, *asked))
    catalogue = edited(catalogue, "services.sign", open311="batch")
    tip = edited(catalogue, "services.sign", code="tip", names=both("A tip"), open311="blackbox").services[1]
    return edited(catalogue, "", services=(*catalogue.services, tip))


@pytest.fixture
def city() -> City:
    """Open and ended requests of two services, some long ago, one that is hidden, an address with an id."""
    city = make_city("springfield", _catalogue())
    for days in (1, 3, 20, 60, 120, 300):
        at = now() - timedelta(days=days)
        answers = {"danger": "no", "where": ["road"]}
        request = city.file(
            at=at, answers=answers, latitude=41.85 + days / 1000, longitude=-87.65, address=f"{days} Elm St"
        )
        if days % 2:
            city.done(request, at=at + timedelta(hours=5))
        city.file(at=at + timedelta(hours=1), service_code="sign", answers={}, latitude=41.9, longitude=-87.7)
    AddressPoint.objects.create(
        jurisdiction=city.jurisdiction,
        text="7 Oak St",
        search="7 oak st",
        latitude=41.86,
        longitude=-87.66,
        source_id="A-7",
    )
    return city


@pytest.fixture(autouse=True)
def _here(settings: Any, tmp_path: Path, live_server: Any) -> None:
    settings.LOOP311_HOME = tmp_path
    settings.BASE_URL = str(live_server)


def _hidden(city: City) -> str:
    request = city.file(at=now(), answers={"danger": "no", "where": ["road"]})
    Request.objects.filter(pk=request.pk).update(publicity="hidden", version=2)
    return request.number


def _token(city: City, key: str) -> str:
    """Of a filing that somebody has looked at."""
    form = {"api_key": key, "service_code": "sign", "address_string": "7 Oak St", "jurisdiction_id": "springfield"}
    (told,) = Client().post("/open311/v2/requests.json", form).json()
    assign(Request.objects.latest("pk"), by=city.system)
    return str(told["token"])


@pytest.mark.slow
def test_our_server_passes_every_check_strictly(live_server: Any, city: City) -> None:
    by = system(city.jurisdiction.pk)
    _, key = accounts.create_token(city.jurisdiction, "conform", SCOPES, by=by, per_minute=PER_MINUTE)
    options = Options(
        url=f"{live_server}/open311/v2/",
        jurisdiction="springfield",
        key=key,
        services=("pothole", "sign", "tip"),
        write=True,
        address_id="A-7",
        private=_hidden(city),
        burst=2 * PER_MINUTE,
        token=_token(city, key),
        wait=1,
    )
    wire = Wire(rate=0)
    try:
        results = run(options, wire, CHECKS.values(), strict=True)
    finally:
        wire.close()
    others = {
        result.check.id: f"{result.verdict}: {result.sentence}"
        for result in results
        if result.verdict is not Verdict.PASSED
    }
    assert others == {}
