"""links.yaml: what it may say, what the check finds, and what is said there in whose words."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop311.catalog.definitions import Answer
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.testing import edited
from loop311.kit.problems import Invalid
from loop311.requests.testing import MONDAY, small_catalogue
from loop311.workorders.checks import check
from loop311.workorders.connectors.base import Contact, Outgoing
from loop311.workorders.files import read_links
from loop311.workorders.mapping import Asked, Facts, Held, LinkMap, link_for, meaning_of, translate
from loop311.workorders.policies import LinkState, back_off, cursor, standing
from loop311.workorders.testing import LINK, links

INDEX = CatalogueIndex.of(small_catalogue())


def changed(path: str, value: object) -> dict[str, Any]:
    """LINK with one thing in it changed: changed('services.pothole.outcome', 'told')."""
    said = copy.deepcopy(LINK)
    here = said
    *folders, last = path.split(".")
    for folder in folders:
        here = here.setdefault(folder, {})
    here[last] = value
    return said


def findings(*said: dict[str, Any], index: CatalogueIndex = INDEX) -> str:
    return "\n".join(f"{f.level} {f.path}: {f.sentence}" for f in check(links(*said), index))


def test_a_right_one_has_no_finding() -> None:
    assert findings(LINK) == ""


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("connector", "fax", "There is no connector fax"),
        ("settings", {"url": "http://127.0.0.1/"}, "missing required field"),
        ("settings", {"url": "http://far.example/", "states_url": "https://far.example/"}, "use https"),
        ("secret", "", "Say where the secret is"),
        ("teams", ["east"], "no team east"),
        ("teams", [], "Nothing is ever sent there"),
        ("outside_owners", ["moon"], "no outside owner moon"),
        ("services", {}, "No service is mapped"),
        ("services.hole", {"theirs": "H", "outcome": "filled"}, "no service hole"),
        ("services.pothole.attributes", {"color": {"theirs": "c"}}, "asks no such question"),
        ("services.pothole.attributes.danger.values", {"yes": "1"}, "Nothing says what no is called there"),
        ("services.pothole.attributes.danger.values", {"yes": "1", "no": "0", "so": "2"}, "no choice so"),
        ("services.pothole.required", ["urgent", "zone"], "They require zone"),
        ("services.pothole.attributes.depth", {"theirs": "zone"}, ""),
        ("services.pothole", {"theirs": "P"}, "With which outcome does Finished end it?"),
        ("services.pothole.outcome", "not-ours", "does not mean done"),
        ("services.pothole.outcome", "vanished", "no outcome vanished"),
        ("statuses.Rain", {"means": "waiting"}, "waiting needs one"),
        ("statuses.Rain", {"means": "waiting", "reason": "snow"}, "no stop reason snow"),
        ("statuses.Doing", {"means": "started", "outcome": "filled"}, "started has no outcome"),
        ("statuses.DOING", {"means": "started"}, "differ in capitals only"),
        ("their_statuses", ["New", "Lost"], "Nobody has said what Lost means"),
        ("states.ended", "Finished", "No request is ever ended"),
    ],
)
def test_the_check_finds(path: str, value: object, found: str) -> None:
    said = findings(changed(path, value))
    assert found in said
    assert bool(said) is bool(found)


def test_an_outcome_without_a_sentence_in_every_language_is_found() -> None:
    silent = CatalogueIndex.of(edited(small_catalogue(), "outcomes.filled", texts={"en": "Done."}))
    assert "no sentence for the resident in es" in findings(LINK, index=silent)


def test_done_without_a_rule_of_what_proves_it_is_found() -> None:
    bare = CatalogueIndex.of(edited(small_catalogue(), "completion_rules.photo", all_of=()))
    assert "no rule of what proves it" in findings(LINK, index=bare)


def test_two_links_that_take_the_same_are_found() -> None:
    assert "goes to one system only" in findings(LINK, changed("code", "other"))


def test_mistakes_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "links.yaml"
    path.write_text(
        "links:\n  - code: streets\n    name: Streets\n    connector: csv\n    owner: a@b.example\n    secrit: x\n"
    )
    with pytest.raises(Invalid) as caught:
        read_links(path)
    assert caught.value.fields[0].field.startswith("links.yaml:")
    assert "secrit" in caught.value.fields[0].detail


@pytest.mark.parametrize("secret", ["s3cret", "env:PATH", "env:LOOP311_SECRET_KEY", "file:relative"])
def test_a_secret_is_never_written_into_the_file(tmp_path: Path, secret: str) -> None:
    path = tmp_path / "links.yaml"
    path.write_text(msgspec.yaml.encode({"links": [changed("secret", secret)]}).decode())
    with pytest.raises(Invalid, match="cannot be read"):
        read_links(path)


def test_the_example_of_the_how_to_is_read(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "connect-a-work-order-system.md"
    path = tmp_path / "links.yaml"
    path.write_text(page.read_text().split("```yaml\n")[1].split("```")[0])
    assert [link.code for link in read_links(path).links] == ["streets"]


# --- Translating -------------------------------------------------------------------------------------------------------


def facts(**changes: object) -> Facts:
    said: dict[str, Any] = {
        "number": "26-1", "reference": "26-1", "service": "pothole", "description": "Deep.", "address": "1 Elm St",
        "latitude": 41.0, "longitude": -87.0, "answers": {"danger": "no"}, "priority": "standard", "received_at": MONDAY,
        "due_at": MONDAY + timedelta(days=3), "url": "http://city/26-1", "contact": Contact(name="Ana", phone="+1"),
        "their_key": "", "their_url": "", "token": "", "opened_at": MONDAY,
    }  # fmt: skip
    return Facts(**{**said, **changes})


def said(link: dict[str, Any] = LINK, **changes: object) -> Outgoing | Held:
    return translate(msgspec.convert(link, LinkMap), INDEX, facts(**changes))


def spoken(link: dict[str, Any] = LINK, **changes: object) -> Outgoing:
    found = said(link, **changes)
    assert isinstance(found, Outgoing)
    return found


def test_it_is_said_in_their_words_and_what_has_no_field_stays_in_the_description() -> None:
    order = spoken(answers={"danger": "yes", "depth": 4})
    assert (order.theirs, order.attributes, order.priority) == ("POTH", {"urgent": "1"}, "P3")
    assert order.description == "Deep.\nHow deep, in inches? 4"


def test_who_reported_it_goes_only_where_the_mapping_says_so() -> None:
    assert spoken().contact is None
    asked = changed("services.pothole.contact", True)
    assert spoken(asked).contact == Contact(name="Ana", phone="+1")


def test_the_residents_words_can_be_kept_here() -> None:
    order = spoken(changed("services.pothole.words", False))
    assert (order.description, order.address) == ("", "")


def test_a_private_answer_goes_only_into_a_field_that_is_mapped() -> None:
    catalogue = edited(small_catalogue(), "services.pothole.questions.depth", private=True)
    link = msgspec.convert(LINK, LinkMap)
    order = translate(link, CatalogueIndex.of(catalogue), facts(answers={"danger": "no", "depth": 4}))
    assert isinstance(order, Outgoing)
    assert "4" not in order.description


def test_a_value_nobody_mapped_is_held() -> None:
    held = said(changed("services.pothole.attributes.danger.values", {"yes": "1"}))
    assert held == Held("Nobody has said what danger: no is called there.")


def test_constants_fill_what_they_require() -> None:
    link = changed("services.pothole.required", ["urgent", "source"])
    assert isinstance(said(link), Held)
    link["services"]["pothole"]["constants"] = {"source": "311"}
    assert spoken(link).attributes == {"source": "311", "urgent": "0"}


@given(
    st.dictionaries(
        st.sampled_from(["danger", "depth"]), st.one_of(st.none(), st.sampled_from(["yes", "no"]), st.floats(0, 60))
    )
)
def test_whatever_was_answered_it_is_said_or_held_never_guessed(answers: dict[str, Answer]) -> None:
    found = said(answers=answers)
    if isinstance(found, Outgoing):
        assert found.attributes["urgent"] == {"yes": "1", "no": "0"}[str(answers["danger"])]


def test_a_request_goes_where_its_team_or_its_outside_owner_is_and_nowhere_else() -> None:
    both = [
        msgspec.convert(one, LinkMap)
        for one in (LINK, {**LINK, "code": "s", "teams": [], "outside_owners": ["state-roads"]})
    ]
    found = link_for(both, Asked(service="pothole", team="north"))
    assert found is not None
    assert found[0].code == "streets"
    found = link_for(both, Asked(service="pothole", team="north", outside_owner="state-roads"))
    assert found is not None
    assert found[0].code == "s"
    assert link_for(both, Asked(service="sign", team="north")) is None


def test_a_status_means_what_was_written_whatever_its_capitals() -> None:
    link = msgspec.convert(LINK, LinkMap)
    found = meaning_of(link, " doing")
    assert found is not None
    assert found.means == "started"
    assert meaning_of(link, "Doing it") is None


# --- When --------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 200), st.floats(0, 1))
def test_pauses_grow_to_half_an_hour_and_never_beyond(fails: int, chance: float) -> None:
    pause = back_off(fails, chance)
    assert timedelta(seconds=5) <= pause <= timedelta(minutes=30)
    assert back_off(fails + 1, 1.0) >= back_off(fails, 1.0)


def test_a_link_stands_as_it_was_last_heard() -> None:
    soon, late = MONDAY + timedelta(seconds=80), MONDAY + timedelta(seconds=100)
    assert standing("up", None, MONDAY, False, soon) is LinkState.UNTESTED
    assert standing("up", None, MONDAY, False, late) is LinkState.DOWN
    assert standing("up", MONDAY, MONDAY, True, soon) is LinkState.SHAKY
    assert standing("up", MONDAY, MONDAY, False, soon) is LinkState.UP
    assert standing("paused", MONDAY, MONDAY, False, late) is LinkState.PAUSED


def test_it_is_their_clock_that_says_from_when_on_to_ask_unless_it_runs_ahead_of_ours() -> None:
    behind = MONDAY - timedelta(hours=3)
    assert cursor(behind, MONDAY, MONDAY) < behind
    assert cursor(MONDAY + timedelta(days=400), MONDAY, MONDAY) < MONDAY
    assert cursor(None, MONDAY, MONDAY) == MONDAY - timedelta(days=1)
