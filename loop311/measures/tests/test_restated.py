from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from loop311.catalog import definitions as d
from loop311.catalog.models import CatalogueVersion
from loop311.catalog.services import publish
from loop311.kit.problems import Forbidden
from loop311.measures.restated import restated_report
from loop311.requests.testing import MONDAY, City, make_city, small_catalogue


@pytest.fixture
def city(db: None) -> City:
    return make_city()


def softer(city: City) -> CatalogueVersion:
    """The same catalogue with a pothole promised in one calendar day instead of three business days."""
    catalogue = small_catalogue()
    strict = msgspec.structs.replace(
        catalogue.promises[0], resolution=d.Duration(amount=1, unit=d.Unit.CALENDAR_DAYS), first_response=None
    )
    changed = msgspec.structs.replace(catalogue, promises=(strict, *catalogue.promises[1:]))
    return publish(city.jurisdiction, changed, by=city.system, effective_at=MONDAY + timedelta(days=30))


def test_the_same_requests_are_judged_by_both_promises(city: City) -> None:
    city.done(city.file(), at=MONDAY + timedelta(hours=2))
    city.done(city.file(), at=MONDAY + timedelta(days=2))
    city.file()
    (line,) = restated_report(city.jurisdiction, softer(city), by=city.system, at=MONDAY + timedelta(hours=12))
    assert (line.own.judged, line.own.kept) == (2, 2)
    assert (line.restated.judged, line.restated.kept) == (2, 1)


def test_open_and_late_counts_as_broken(city: City) -> None:
    city.file()
    (line,) = restated_report(city.jurisdiction, softer(city), by=city.system, at=MONDAY + timedelta(days=20))
    assert (line.own.share, line.restated.share) == (0.0, 0.0)


def test_a_service_the_version_does_not_know_is_said_to_be_without(city: City) -> None:
    city.file(service_code="sign", answers={})
    catalogue = small_catalogue()
    fewer = msgspec.structs.replace(catalogue, services=catalogue.services[:1], promises=catalogue.promises[:1])
    version = publish(city.jurisdiction, fewer, by=city.system, effective_at=MONDAY + timedelta(days=30))
    (line,) = restated_report(city.jurisdiction, version, by=city.system)
    assert (line.without, line.restated.judged) == (1, 0)


def test_another_citys_actor_may_not_read_it(city: City) -> None:
    version = CatalogueVersion.objects.get()
    with pytest.raises(Forbidden):
        restated_report(city.jurisdiction, version, by=make_city("oakton").system)
