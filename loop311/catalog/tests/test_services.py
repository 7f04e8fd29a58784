"""Publishing versions, and finding the one in force."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import msgspec
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from loop311.accounts.models import Department, Team
from loop311.catalog import services
from loop311.catalog.definitions import Calendar, Catalogue
from loop311.catalog.models import CatalogueVersion, Service
from loop311.catalog.testing import both, edited, small_catalogue
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import Actor, ActorKind, system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.kit.testing import at_once
from loop311.ledger.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def city() -> Jurisdiction:
    return create("testville", name="Testville", time_zone="America/Chicago", languages=("en", "es"))


def publish(
    city: Jurisdiction, catalogue: Catalogue | None = None, effective_at: datetime | None = None
) -> CatalogueVersion:
    return services.publish(city, catalogue or small_catalogue(), by=system(city.pk), effective_at=effective_at)


def without(code: str) -> Catalogue:
    catalogue = small_catalogue()
    kept = tuple(service for service in catalogue.services if service.code != code)
    return msgspec.structs.replace(catalogue, services=kept)


def test_publishing_writes_version_services_and_organisation(city: Jurisdiction) -> None:
    version = publish(city)
    assert (version.number, Service.objects.count(), Department.objects.count(), Team.objects.count()) == (1, 3, 2, 3)
    assert Team.objects.get(code="animal_field").department.code == "animal_care"
    assert services.index_of(version.pk).catalogue == small_catalogue()


def test_the_ledger_hears_of_a_version_once(city: Jurisdiction) -> None:
    publish(city)
    publish(city)
    event = Event.objects.get(kind="catalogue.published")
    assert (event.subject_type, event.subject_id) == ("catalogue", city.pk)
    assert '"number":1' in event.body


def test_publishing_the_same_again_changes_nothing(city: Jurisdiction) -> None:
    assert publish(city) == publish(city)
    assert CatalogueVersion.objects.count() == 1


def test_a_service_left_out_stays_known_but_is_not_offered(city: Jurisdiction) -> None:
    publish(city)
    publish(city, without("bulk_pickup"))
    assert not Service.objects.get(code="bulk_pickup").is_offered
    publish(city)
    assert Service.objects.get(code="bulk_pickup").is_offered


def test_a_historical_service_is_not_offered(city: Jurisdiction) -> None:
    catalogue = small_catalogue()
    old = msgspec.structs.replace(catalogue.services[0], historical=True)
    publish(city, msgspec.structs.replace(catalogue, services=(old, *catalogue.services[1:])))
    assert not Service.objects.get(code="pothole").is_offered


def test_who_may_not_publish_is_refused(city: Jurisdiction) -> None:
    nobody = Actor(kind=ActorKind.STAFF, jurisdiction_id=city.pk, permissions=frozenset({"catalog.read"}))
    with pytest.raises(Forbidden):
        services.publish(city, small_catalogue(), by=nobody)


def test_another_city_is_not_found(city: Jurisdiction) -> None:
    with pytest.raises(NotFound):
        services.publish(city, small_catalogue(), by=system(city.pk + 1))


def test_mistakes_are_listed_and_nothing_is_stored(city: Jurisdiction) -> None:
    catalogue = msgspec.structs.replace(small_catalogue(), teams=())
    with pytest.raises(Invalid) as refused:
        publish(city, catalogue)
    assert "services.pothole.routing[1].team" in {problem.field for problem in refused.value.fields}
    assert not CatalogueVersion.objects.exists()


def test_a_catalogue_without_the_citys_language_is_refused(city: Jurisdiction) -> None:
    city.languages = ["fr"]
    with pytest.raises(Invalid, match="fr"):
        publish(city)


def test_the_version_in_force_follows_its_effective_time(city: Jurisdiction) -> None:
    start = now() - timedelta(days=10)
    first = publish(city, effective_at=start)
    later = publish(city, without("bulk_pickup"), effective_at=now() + timedelta(days=3))
    assert services.current(city.pk)[0] == first
    assert services.at(city, now() + timedelta(days=4))[0] == later
    with pytest.raises(NotFound):
        services.at(city, start - timedelta(seconds=1))


def test_of_two_versions_for_one_time_the_newer_holds(city: Jurisdiction) -> None:
    start = now()
    publish(city, effective_at=start)
    second = publish(city, without("bulk_pickup"), effective_at=start)
    assert services.current(city.pk)[0] == second


def test_a_version_cannot_take_effect_before_the_one_in_force(city: Jurisdiction) -> None:
    publish(city)
    with pytest.raises(Conflict, match="Version 1"):
        publish(city, without("bulk_pickup"), effective_at=now() - timedelta(days=1))


def test_an_effective_time_without_zone_is_refused(city: Jurisdiction) -> None:
    with pytest.raises(Invalid):
        publish(city, effective_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake tested


def test_the_current_version_costs_one_query(city: Jurisdiction) -> None:
    publish(city)
    services.current(city.pk)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        _, index = services.current(city.pk)
    assert len(queries) == 1
    assert index.services["pothole"].names == both("Pothole", "Bache")


def test_the_database_refuses_to_edit_a_version(city: Jurisdiction) -> None:
    version = publish(city)
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        CatalogueVersion.objects.filter(pk=version.pk).update(note="rewritten")


@pytest.mark.django_db(transaction=True)
def test_versions_published_at_once_get_numbers_of_their_own(city: Jurisdiction) -> None:
    catalogues = [edited(small_catalogue(), "services.pothole", dispute_days=days) for days in (1, 2, 3, 3)]
    actions = [partial(publish, city, catalogue) for catalogue in catalogues]
    versions = [version for version in at_once(actions) if isinstance(version, CatalogueVersion)]
    assert len(versions) == 4
    assert {version.number for version in versions} >= {1, 2, 3}
    assert Event.objects.filter(kind="catalogue.published").count() == CatalogueVersion.objects.count()


def test_a_calendar_with_the_citys_holidays_keeps_those_of_the_country_it_is_in() -> None:
    calendar = Calendar(code="office", weekdays=small_catalogue().calendars[0].weekdays, holidays="city")
    catalogue = msgspec.structs.replace(small_catalogue(), calendars=(calendar,))
    for slug, country in (("here", "US"), ("there", "CA")):
        city = create(slug, name=slug, time_zone="America/Chicago", languages=("en", "es"), country=country)
        version = services.publish(city, catalogue, by=system(city.pk))
        assert services.index_of(version.pk).calendars["office"].holidays == country
        assert services.index_of(version.pk).catalogue == catalogue  # what is exported says what was written
