"""schemathesis walks every operation of the published OpenAPI: nothing crashes, everything answered is as described.

The walk is the same every time. For a longer one on other ways: LOOP311_TEST_EXAMPLES=100 pytest --hypothesis-seed=7 THIS_FILE
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from loop311.accounts.testing import a_secret, bearer
from loop311.requests.testing import make_city
from loop311.site.wsgi import application

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

MEANING = positive_data_acceptance
"""Left out: a document of the right shape may still name a service, team or person the city does not have (422)."""

EXAMPLES = int(os.environ.get("LOOP311_TEST_EXAMPLES", "0"))

api = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)


@pytest.fixture
def headers(db: None) -> Iterator[dict[str, str]]:
    """A token of a city with all scopes, and one request in it.

    As Django's own test client does, a request is kept from closing the connection, which holds the test's transaction.
    """
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    city = make_city()
    city.file(latitude=41.0, longitude=-87.0)
    yield bearer(a_secret(city.jurisdiction))
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@api.parametrize()
@settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_operation_answers_as_described(case: Case[Any], headers: dict[str, Any]) -> None:
    excluded: list[Any] = [MEANING, negative_data_rejection] if _is_never_sent(case) else [MEANING]
    case.call_and_validate(headers=headers, excluded_checks=excluded)


def _is_never_sent(case: Case[Any]) -> bool:
    """An unknown parameter whose value is an empty list: nothing of it is left in the address, so nothing is wrong with it."""
    return any(value in ([], {}) for value in (case.query or {}).values())
