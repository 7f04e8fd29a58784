"""Whatever personal is written into any field of a request or beside it: no shape ever shows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loop311.catalog.definitions import EvidenceKind, Publicity
from loop311.catalog.services import publish
from loop311.interactions.models import Interaction
from loop311.kit.clock import now
from loop311.opendata.exporting import ShapeName
from loop311.opendata.tests.files import written
from loop311.requests.models import Comment, Evidence, Request
from loop311.requests.publicity import REMOVED
from loop311.requests.services import Proof, add_evidence, assign, comment
from loop311.requests.testing import MONDAY, City, small_catalogue
from loop311.residents.models import ContactPoint, Resident
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db

_CODES = {
    "number", "state", "priority", "channel", "publicity", "outcome", "waiting_reason", "handed_to", "source", "source_id",
}  # fmt: skip
"""Fields of a request that hold what the product or the catalogue has written, nobody's words."""

_syllables = st.sampled_from(["qua", "zor", "vix", "mju", "tol", "ber", "ñan", "øst"])
_word = st.lists(_syllables, min_size=2, max_size=3).map("".join).map(str.capitalize)
_phones = st.tuples(st.integers(200, 989), st.integers(200, 999), st.integers(0, 9999)).flatmap(
    lambda p: st.sampled_from([f"({p[0]}) {p[1]}-{p[2]:04}", f"+1{p[0]}{p[1]}{p[2]:04}", f"{p[0]}.{p[1]}.{p[2]:04}"])
)


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    phone: str

    def strings(self) -> list[str]:
        return [self.name, " ".join(reversed(self.name.split())), self.email, self.phone]

    def words(self) -> str:
        return f"{self.name}, {self.phone}, {self.email}"


people = st.builds(
    lambda first, last, phone: Person(f"{first} {last}", f"{first}.{last}@mail.example".lower(), phone),
    _word,
    _word,
    _phones,
)


def planted(city: City, reporter: Person, other: Person) -> Request:
    """A request with these two people in every place that takes words."""
    resident = a_resident(city.jurisdiction, reporter.name)
    Resident.objects.filter(pk=resident.pk).update(note=reporter.words(), address=reporter.words())
    for kind, address in (("email", reporter.email), ("mobile", reporter.phone)):
        ContactPoint.objects.create(
            jurisdiction=city.jurisdiction, resident=resident, kind=kind, address=address, created_at=MONDAY
        )
    request = city.file(resident=resident, on_behalf_of=other.name)
    assign(request, assignee=city.crew, by=city.system, at=MONDAY)
    for person in (reporter, other):
        comment(request, text=person.words(), is_public=True, by=city.system, at=MONDAY)
        add_evidence(
            request,
            Proof(kind=EvidenceKind.PHOTO, reference=person.words(), note=person.words()),
            by=city.system,
            at=MONDAY,
        )
    words = [field.name for field in Request._meta.fields if isinstance(field, models.TextField)]
    said: dict[str, Any] = dict.fromkeys(set(words) - _CODES, f"{reporter.words()} {other.words()}")
    said["address"] = f"1200 Elm St, ask for {reporter.words()} or {other.words()}"
    said["answers"] = {"danger": reporter.words(), other.name: other.words()}
    Request.objects.filter(pk=request.pk).update(**said, version=models.F("version") + 1)
    return request


def seen(city: City, folder: Path) -> dict[str, str]:
    """Everything that somebody can read in each of the files."""
    found = {}
    for shape in ShapeName:
        rows = written(city, shape, folder / shape)
        raw = (folder / shape).read_bytes().decode("utf-8", "replace")
        found[shape.value] = raw + json.dumps(rows, ensure_ascii=False)
    return found


def assert_unseen(texts: dict[str, str], strings: Sequence[str]) -> None:
    for shape, text in texts.items():
        for string in strings:
            assert string.casefold() not in text.casefold(), (shape, string)


@given(reporter=people, other=people)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_words_of_or_about_people_are_published(
    city: City, tmp_path_factory: pytest.TempPathFactory, reporter: Person, other: Person
) -> None:
    request = planted(city, reporter, other)
    texts = seen(city, tmp_path_factory.mktemp("files"))
    assert all(request.number in text and "1200 Elm St" in text and REMOVED in text for text in texts.values())
    assert_unseen(texts, [*reporter.strings(), *other.strings(), city.crew.name])


def test_the_plant_reaches_every_place(city: City) -> None:
    """Else the test above would prove nothing."""
    person = Person("Quazor Vixtol", "quazor@mail.example", "(512) 555-0123")
    request = planted(city, person, person)
    request.refresh_from_db()
    for field in ("description", "address", "location_note", "outcome_note", "handed_reference"):
        assert person.email in getattr(request, field)
    assert Interaction.objects.get(pk=request.interaction_id).on_behalf_of == person.name
    assert Comment.objects.filter(request=request, text__contains=person.name).count() == 2
    assert Evidence.objects.filter(request=request, note__contains=person.name).count() == 2


@pytest.mark.parametrize("how", ["the request", "the service"])
def test_hidden_requests_are_in_no_shape_nor_named_by_those_joined_to_them(
    city: City, tmp_path: Path, how: str
) -> None:
    hidden, shown = city.file(), city.file(service_code="sign", answers={})
    Request.objects.filter(pk=shown.pk).update(leading=hidden, version=2)
    if how == "the request":
        Request.objects.filter(pk=hidden.pk).update(publicity="hidden", version=2)
    else:
        publish_with(city, "hidden")
    texts = seen(city, tmp_path)
    assert_unseen(texts, [hidden.number])
    assert all(shown.number in text for text in texts.values())


@pytest.mark.parametrize("how", ["the request", "the service"])
def test_sensitive_requests_show_their_block_only(city: City, tmp_path: Path, how: str) -> None:
    request = city.file(latitude=30.26123, longitude=-97.74456, address="1234 Elm Street")
    if how == "the request":
        Request.objects.filter(pk=request.pk).update(publicity="block", version=2)
    else:
        publish_with(city, "block")
    texts = seen(city, tmp_path)
    assert all("1200 block of Elm Street" in text for text in texts.values())
    assert_unseen(texts, ["1234 Elm", "30.2612", "97.7445", "97.7446"])
    (row,) = written(city, "san-antonio", tmp_path / "block")
    (exact,) = written(city, "geojson", tmp_path / "block")
    assert exact["geometry"]["coordinates"] == [-97.745, 30.261]
    assert row["XCOORD"] == f"{float(row['XCOORD']):.1f}"


def publish_with(city: City, publicity: str) -> None:
    """From now on the catalogue says this of potholes."""
    old = small_catalogue()
    services = tuple(
        msgspec.structs.replace(each, publicity=Publicity(publicity)) if each.code == "pothole" else each
        for each in old.services
    )
    publish(city.jurisdiction, msgspec.structs.replace(old, services=services), by=city.system, effective_at=now())
