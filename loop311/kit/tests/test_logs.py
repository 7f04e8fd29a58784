"""The log tells what happened, where, and nothing that a person wrote."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from loop311.kit import logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """A logger of the product's own, with the product's own format."""
    stream = io.StringIO()
    formatter = settings.LOGGING["formatters"]["json"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=formatter["foreign_pre_chain"], processors=formatter["processors"]
        )
    )
    logger = logging.getLogger("loop311.tried")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)
    logger.propagate = True


def test_a_line_is_json_with_the_request_id(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        structlog.get_logger("loop311.tried").info("filed", count=2)
        logging.getLogger("loop311.tried").warning("from a library")
    own, foreign = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (own["event"], own["count"], own["level"], own["request_id"]) == ("filed", 2, "info", "abc")
    assert (foreign["event"], foreign["request_id"]) == ("from a library", "abc")
    assert own["timestamp"].endswith("Z")


def test_an_exception_is_told_without_its_words(lines: io.StringIO) -> None:
    try:
        int("555-0100 Ada")
    except ValueError:
        logging.getLogger("loop311.tried").exception("could not")
        structlog.get_logger("loop311.tried").exception("could not")
    assert "Ada" not in lines.getvalue()
    for line in lines.getvalue().splitlines():
        (told,) = json.loads(line)["exception"]
        assert told["type"] == "ValueError"
        assert "test_logs.py" in told["at"][-1]


@pytest.mark.django_db
def test_of_a_database_error_code_and_constraint_are_told(lines: io.StringIO) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE door (phone text CONSTRAINT phone_once UNIQUE)")
            cursor.execute("INSERT INTO door VALUES ('555-0100'), ('555-0100')")
    except IntegrityError as error:
        told = logs.told(error)
    assert told[1]["sqlstate"] == "23505"
    assert told[1]["constraint"] == "phone_once"
    assert "555-0100" not in json.dumps(told)


def test_djangos_line_on_a_request_loses_its_path() -> None:
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "%s: %s", ("Not Found", "/secret-link"), None)
    assert logs.only_exceptions(record) is False
    assert record.getMessage() == "Not Found"
