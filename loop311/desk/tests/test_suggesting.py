"""The caller's own words into services, on the desk."""

from __future__ import annotations

import pytest

from loop311.desk.access import Desk
from loop311.desk.suggesting import propose
from loop311.kit.testing import at_most_queries
from loop311.requests.testing import make_city

pytestmark = pytest.mark.django_db


def test_the_desk_proposes_names_in_its_language_with_one_small_query() -> None:
    city = make_city()
    desk = Desk(city.jurisdiction, city.crew, city.concierge, (city.jurisdiction,))
    propose(desk, "pothole")
    with at_most_queries(1):
        (proposal,) = propose(desk, "there is a potole")
    assert (proposal.code, proposal.name, proposal.why) == ("pothole", "Pothole", "words")
    assert propose(desk, "elephant") == propose(desk, "") == []
