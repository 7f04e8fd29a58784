"""What the demo's story has not happened to ask: single verbs in memory against the same verbs of the services."""

from __future__ import annotations

import pytest

from loop311.interactions.policies import Channel
from loop311.ledger.models import Event
from loop311.requests import services
from loop311.requests.models import Request
from loop311.requests.services import Filing
from loop311.requests.testing import MONDAY, City, make_city
from loop311.site.demo.memory_working import InMemory

DEEP = {"danger": "no", "depth": 55}


def in_memory(city: City) -> Request:
    memory = InMemory(city.jurisdiction, MONDAY)
    contact = memory.begin_contact(city.jurisdiction, Channel.PHONE, by=city.system, at=MONDAY)
    filing = Filing(service_code="sign", address="1 Elm St", interaction=contact)
    request = memory.file(city.jurisdiction, filing, by=city.system, at=MONDAY)
    memory.change_service(request, service_code="pothole", answers=DEEP, by=city.system, at=MONDAY)
    memory.save()
    return Request.objects.get(pk=request.pk)


def by_services(city: City) -> Request:
    request = city.file(service_code="sign", answers={}, at=MONDAY)
    return services.change_service(request, service_code="pothole", answers=DEEP, by=city.system, at=MONDAY)


def kinds(request: Request) -> list[str]:
    events = Event.objects.filter(subject_type="request", subject_id=request.pk)
    return list(events.order_by("sequence").values_list("kind", flat=True))


@pytest.mark.django_db
def test_a_change_of_service_obeys_a_hand_over_in_memory_too() -> None:
    played, written = in_memory(make_city("one")), by_services(make_city("two"))
    for field in ("state", "handed_to", "handed_reference", "version", "due_at", "priority", "answers"):
        assert getattr(played, field) == getattr(written, field), field
    assert kinds(played) == kinds(written)
    assert kinds(played)[-1] == "request.handed_over"
