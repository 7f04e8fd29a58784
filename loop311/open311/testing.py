"""How tests ask the door: as an app does, with Django's own client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from loop311.accounts.testing import a_secret
from loop311.kit.testing import browser
from loop311.requests.models import Request
from loop311.requests.testing import City, make_city

V2 = "/open311/v2"


@pytest.fixture
def city() -> City:
    return make_city("springfield")


@pytest.fixture
def key(city: City) -> str:
    return a_secret(city.jurisdiction, ["requests.file"])


def get(path: str, status: int = 200, **headers: str) -> Any:
    response = browser().get(f"{V2}/{path}", headers=headers)
    assert response.status_code == status, response.getvalue()
    return response


def post(key: str, status: Any = 200, *, client: Any = None, **form: Any) -> Any:
    """A pothole, unless changed."""
    sent = {
        "api_key": key,
        "service_code": "pothole",
        "address_string": "1200 Main Street",
        "attribute[danger]": "no",
        **form,
    }
    return send("requests.json", sent, status, client=client)


def send(path: str, form: Mapping[str, Any], status: int = 200, *, client: Client | None = None) -> Any:
    response = (client or browser()).post(f"{V2}/{path}", form)
    assert response.status_code == status, response.content
    return response.json()


def said(errors: Any) -> str:
    return " ".join(error["description"] for error in errors)


def filed(answer: Any) -> Request:
    """The request that the answer to a filing tells of."""
    return Request.objects.get(number=answer[0]["service_request_id"])
