"""What changed is said by service and field."""

from __future__ import annotations

import msgspec
import pytest

from loop311.catalog.definitions import Catalogue, Condition, Duration, RoutingRule, Unit
from loop311.catalog.differences import diff
from loop311.catalog.testing import edited, small_catalogue


def changes(new: Catalogue, old: Catalogue | None = None) -> list[tuple[str, str]]:
    return [(change.path, change.sentence) for change in diff(old or small_catalogue(), new)]


def test_nothing_differs_from_itself() -> None:
    assert changes(small_catalogue()) == []


@pytest.mark.parametrize(
    ("path", "field", "value", "where", "sentence"),
    [
        ("services.pothole", "names", {"en": "Pothole", "es": "Hoyo"}, ".names.es", '"Bache" became "Hoyo".'),
        ("services.pothole", "dispute_days", 3, ".dispute_days", "added: 3."),
        ("services.pothole", "outcomes", ("repaired",), ".outcomes", "repaired, not_ours became repaired."),
        ("services.pothole", "promise", "four_hours", ".promise", '"three_days" became "four_hours".'),
        ("services.pothole", "descriptions", {}, ".descriptions", "removed; it was"),
        ("services.pothole.questions.size", "required", False, ".required", "removed; it was true."),
        ("services.pothole.questions.depth", "maximum", 60.0, ".maximum", "120 became 60."),
        ("services.pothole.routing.2", "team", "streets_north", "", '"streets_south" became "streets_north".'),
        ("teams.animal_field", "email", "a@example.org", ".email", 'added: "a@example.org".'),
        ("promises.three_days", "resolution", Duration(amount=5, unit=Unit.BUSINESS_DAYS, calendar="office"),
         ".resolution.amount", "3 became 5."),
    ],
)  # fmt: skip
def test_one_change_is_one_sentence(path: str, field: str, value: object, where: str, sentence: str) -> None:
    ((found, said),) = changes(edited(small_catalogue(), path, **{field: value}))
    assert found == ("services.pothole.routing[2].team" if "routing" in path else path + where)
    assert said.startswith(sentence)


def test_a_service_that_comes_or_goes_is_named() -> None:
    old = small_catalogue()
    fewer = msgspec.structs.replace(old, services=old.services[:2])
    assert changes(fewer) == [("services.bulk_pickup", "removed.")]
    assert changes(old, fewer) == [("services.bulk_pickup", "added: Bulk pickup.")]


def test_rules_are_compared_where_they_stand() -> None:
    old = small_catalogue()
    rules = (*old.services[2].routing, RoutingRule(team="streets_south", when=(Condition(question="x", equals=1),)))
    more = edited(old, "services.bulk_pickup", routing=rules)
    ((path, sentence),) = changes(more)
    assert path == "services.bulk_pickup.routing[2]"
    assert sentence == 'added: team: "streets_south"; when: (question: "x"; equals: 1).'
    assert changes(old, more)[0][1].startswith("removed; it was")


def test_another_order_is_a_change() -> None:
    old = small_catalogue()
    turned = msgspec.structs.replace(old, services=old.services[::-1])
    assert changes(turned) == [("services", "stand in another order: bulk_pickup, dog_loose, pothole.")]


def test_the_whole_list_may_come_or_go() -> None:
    old = small_catalogue()
    none = msgspec.structs.replace(old, templates=(), services=())
    assert ("services.pothole", "removed.") in changes(none)
    assert ("services.pothole", "added: Pothole.") in changes(old, none)
