from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from loop311.notifications.testing import MailServer, TextGateway, mail_server, text_gateway
from loop311.requests.testing import City, make_city


@pytest.fixture
def city(db: None) -> City:
    return make_city()


@pytest.fixture
def smtp(settings: Settings) -> Iterator[MailServer]:
    """A mail server that Django is set to."""
    with mail_server() as server:
        for name, value in {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": server.host,
            "EMAIL_PORT": server.port,
            "EMAIL_TIMEOUT": 2,
        }.items():
            setattr(settings, name, value)
        yield server


@pytest.fixture
def texts(settings: Settings) -> Iterator[TextGateway]:
    """A text gateway that does not keep idempotency keys."""
    with text_gateway() as gateway:
        settings.SMS_URL = gateway.url
        yield gateway
