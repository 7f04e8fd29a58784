"""Contacts begin, end, are linked, and cost little."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_city, a_member, actor_of
from loop311.interactions import services
from loop311.interactions.models import Interaction
from loop311.interactions.policies import ContactOutcome, may_end_as
from loop311.interactions.testing import a_contact
from loop311.kit.actor import Actor, ActorKind, system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, Forbidden, Invalid, NotFound
from loop311.knowledge.testing import an_article
from loop311.ledger.models import Event
from loop311.residents import services as residents
from loop311.residents.testing import a_resident


@given(st.text(), st.text())
def test_only_a_code_can_be_a_topic_and_only_a_listed_outcome_an_end(outcome: str, topic: str) -> None:
    if may_end_as(outcome, topic) is None:
        assert outcome in set(ContactOutcome)
        assert topic == "" or topic.replace("-", "").replace("_", "").isalnum()
        assert topic or outcome != "information"


@pytest.mark.django_db
def test_beginning_a_contact_takes_four_statements_one_to_hold_the_resident() -> None:
    city = a_city()
    resident, who = a_resident(city), actor_of(city)
    with CaptureQueriesContext(connection) as queries:
        services.begin(city, "phone", resident=resident, by=who)
    assert len([q for q in queries if "SAVEPOINT" not in q["sql"]]) == 4


@pytest.mark.django_db
def test_a_contact_knows_who_spoke_with_whom_in_which_language() -> None:
    city = a_city()
    resident, staff = a_resident(city, language="es"), a_member(city)
    contact = services.begin(city, "counter", resident=resident, by=Actor(ActorKind.STAFF, city.pk, staff.pk, _WRITE))
    assert (contact.resident_id, contact.staff_id, contact.language) == (resident.pk, staff.pk, "es")


_WRITE = frozenset({"interactions.write"})


@pytest.mark.django_db
def test_an_information_only_contact_is_one_call_and_counts() -> None:
    city = a_city()
    at = now()
    contact = services.record_information(
        city, "phone", topic="recycling-week", by=actor_of(city), started_at=at - timedelta(minutes=2), at=at
    )
    assert contact.outcome == "information"
    assert contact.ended_at == at
    kinds = Event.objects.filter(subject_type="interaction", subject_id=contact.pk).order_by("sequence")
    assert [e.kind for e in kinds] == ["interaction.begun", "interaction.ended"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("outcome", "topic", "field"),
    [("information", "", "topic"), ("gone home", "", "outcome"), ("information", "She asked about Tom", "topic")],
)
def test_a_wrong_end_is_refused_and_the_contact_goes_on(outcome: str, topic: str, field: str) -> None:
    city = a_city()
    contact = a_contact(city)
    with pytest.raises(Invalid) as caught:
        services.end(contact, outcome=outcome, topic=topic, by=actor_of(city))
    assert [f.field for f in caught.value.fields] == [field]
    contact.refresh_from_db()
    assert contact.ended_at is None


@pytest.mark.django_db
def test_a_contact_ends_once_and_not_before_it_began() -> None:
    city = a_city()
    contact = a_contact(city)
    with pytest.raises(Invalid):
        services.end(contact, outcome="request", by=system(city.pk), at=contact.started_at - timedelta(seconds=1))
    services.end(contact, outcome="request", by=system(city.pk))
    with pytest.raises(Conflict):
        services.end(contact, outcome="abandoned", by=system(city.pk))


@pytest.mark.django_db
def test_an_unknown_channel_is_refused_by_name() -> None:
    city = a_city()
    with pytest.raises(Invalid, match="pigeon"):
        services.begin(city, "pigeon", by=system(city.pk))


@pytest.mark.django_db
def test_a_contact_is_linked_once_to_what_has_a_history_in_this_city() -> None:
    here, there = a_city(), a_city()
    contact, stranger = a_contact(here), a_contact(there)
    with pytest.raises(Invalid):
        services.link(contact, "interaction", contact.pk, by=system(here.pk))
    with pytest.raises(NotFound):
        services.link(contact, "request", 1, by=system(here.pk))
    with pytest.raises(NotFound):
        services.link(stranger, "request", 1, by=system(here.pk))


@pytest.mark.django_db
def test_nothing_crosses_to_another_city() -> None:
    here, there = a_city(), a_city()
    contact, by = a_contact(there), actor_of(here)
    attempts: list[Callable[[], object]] = [
        lambda: services.get(contact.pk, by=by),
        lambda: services.end(contact, outcome="request", by=by),
        lambda: services.identify(contact, a_resident(here), by=by),
        lambda: services.begin(here, "phone", resident=a_resident(there), by=by),
        lambda: services.begin(there, "phone", by=by),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert Interaction.objects.filter(ended_at__isnull=True).count() == 1


@pytest.mark.django_db
def test_an_auditor_cannot_write_contacts() -> None:
    city = a_city()
    with pytest.raises(Forbidden):
        services.begin(city, "phone", by=actor_of(city, Role.AUDITOR))


@pytest.mark.django_db
def test_who_it_was_can_become_known_later_and_be_forgotten_again() -> None:
    city = a_city()
    by = system(city.pk)
    resident = a_resident(city)
    contact = services.begin(city, "phone", on_behalf_of="her mother", by=by)
    services.identify(contact, resident, by=by)
    residents.erase(resident, by=by)
    event = Event.objects.get(kind="resident.erased")
    services.forget_resident(event.pk)
    contact.refresh_from_db()
    assert contact.on_behalf_of == ""
    assert contact.resident_id == resident.pk
    assert "mother" not in "".join(Event.objects.values_list("body", flat=True))


@pytest.mark.django_db
def test_a_contact_knows_the_articles_that_answered_it_and_only_those_of_its_city() -> None:
    city, other = a_city(), a_city()
    article, theirs = an_article(city), an_article(other)
    contact = a_contact(city)
    services.answer(contact, "trash", article=article.pk, by=actor_of(city))
    assert list(contact.links.values_list("subject_type", "subject_id")) == [("article", article.pk)]
    with pytest.raises(NotFound, match="article"):
        services.answer(contact, "trash", article=theirs.pk, by=actor_of(city))
    at_once = services.record_information(city, "phone", topic="trash", articles=[article.pk], by=actor_of(city))
    assert at_once.links.get().subject_id == article.pk


@pytest.mark.django_db
def test_a_running_contact_says_for_whom_it_is_what_was_answered_and_that_somebody_is_in_danger() -> None:
    city = a_city()
    by, contact = system(city.pk), a_contact(city)
    for _ in range(2):
        services.describe(contact, on_behalf_of="her mother", language="es", by=by)
    services.identify(contact, None, by=by)
    services.answer(contact, "trash", by=by)
    services.report_danger(contact, "dog_aggressive", by=by)
    contact.refresh_from_db()
    assert (contact.on_behalf_of, contact.language, contact.resident_id) == ("her mother", "es", None)
    kinds = list(Event.objects.filter(subject_type="interaction").order_by("pk").values_list("kind", flat=True))
    assert [kind.partition(".")[2] for kind in kinds] == [
        "begun",
        "described",
        "identified",
        "answered",
        "danger_reported",
    ]
    assert "mother" not in "".join(Event.objects.values_list("body", flat=True))
    with pytest.raises(Invalid):
        services.answer(contact, "somebody's words", by=by)
