"""Inquiry v1: services, landmarks and public answers, to be read by anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from defusedxml import ElementTree

from loop311.accounts.testing import a_city
from loop311.kit.clock import now
from loop311.kit.testing import browser, same_number_of_queries
from loop311.knowledge.models import Article
from loop311.knowledge.policies import Audience
from loop311.knowledge.testing import an_article, words
from loop311.places.models import AddressPoint
from loop311.requests.testing import City

pytestmark = pytest.mark.django_db


def ask(path: str, status: int = 200) -> Any:
    response = browser().get(f"/open311/inquiry/v1/{path}")
    assert response.status_code == status, response.content
    return response.json() if ".json" in path else ElementTree.fromstring(response.content)


def test_services_are_listed_whole_or_by_group_and_told_one_by_one(city: City) -> None:
    assert [each["id"] for each in ask("services/all.json")] == ["pothole", "sign"]
    assert ask("services/streets.json") == ask("services/web.json")
    an_article(city.jurisdiction, "what-a-pothole-is", services=("pothole",))
    told = ask("services/pothole.json")
    assert (told["service_name"], told["categories"], told["faqs"]) == ("Pothole", ["streets"], ["what-a-pothole-is"])
    assert told["web_actions"][0]["type"] == "Service Request"
    assert ask("services/unicorns.json", 404)[0]["code"] == 404


def test_public_answers_are_listed_by_topic_in_the_language_asked_for(city: City) -> None:
    an_article(city.jurisdiction, "missed", words(), words("Basura", "es"), services=("pothole",))
    (listed,) = ask("web_faqs/all.json")
    assert listed == {"id": "missed", "question": "Missed garbage", "expiration": None,
                      "brief_description": "Trucks come until seven."}  # fmt: skip
    assert ask("web_faqs/trash.json?locale=es")[0]["question"] == "Basura"
    assert ask("faqs/web.json") == [listed]
    told = ask("web_faqs/missed.json")
    assert told["answer_html"].endswith("<p>Some <strong>words</strong>.</p>\n")
    assert [each["id"] for each in told["services"]] == ["pothole"]


def test_xml_says_the_same(city: City) -> None:
    an_article(city.jurisdiction, "missed", services=("pothole",))
    assert [each.text for each in ask("web_faqs/all.xml").findall("web_faq/id")] == ["missed"]
    told = ask("web_faqs/missed.xml")
    assert told.tag == "web_faq"
    assert told.find("services/service/service_name").text == "Pothole"
    assert ask("facilities/all.xml").tag == "facilities"
    assert [each.tag for each in ask("services/all.xml")] == ["service", "service"]


def test_what_is_for_staff_has_expired_or_is_another_citys_is_not_there(city: City) -> None:
    an_article(city.jurisdiction, "inner", audience=Audience.STAFF)
    old = an_article(city.jurisdiction, "old")
    Article.objects.filter(pk=old.pk).update(expires_on=(now() - timedelta(days=3)).date())
    an_article(a_city("elsewhere"), "theirs")
    assert ask("web_faqs/all.json?jurisdiction_id=springfield") == []
    for code in ("inner", "old", "theirs", "nothing", "trash"):
        ask(f"web_faqs/{code}.json?jurisdiction_id=springfield", 404)


def test_landmarks_are_facilities(city: City) -> None:
    row = AddressPoint.objects.create(jurisdiction=city.jurisdiction, kind="landmark", text="City Hall", search="city hall",
                                      latitude=41.9, longitude=-87.6)  # fmt: skip
    assert [each["name"] for each in ask("facilities/all.json")] == ["City Hall"]
    told = ask(f"facilities/{row.pk}.json")
    assert (told["lat"], told["long"], told["city"]) == (41.9, -87.6, "Springfield")
    for name in ("0", "x", "9" * 30):
        ask(f"facilities/{name}.json", 404)


def test_a_long_list_asks_no_more_than_a_short_one(city: City) -> None:
    an_article(city.jurisdiction)
    asked = same_number_of_queries(
        lambda: ask("web_faqs/all.json"), lambda: [an_article(city.jurisdiction) for _ in range(3)]
    )
    assert asked <= 3
