"""What a resident's words may mean: features, the model's file, serving it, and both lists as one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import structlog
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from loop311.accounts.testing import a_secret, bearer
from loop311.catalog.finding import Found
from loop311.catalog.services import current, publish
from loop311.catalog.testing import edited
from loop311.requests.suggesting import merged, suggest
from loop311.requests.suggesting.features import BUCKETS, SCHEME, features
from loop311.requests.suggesting.model import Header, Model, Unusable, read, write
from loop311.requests.suggesting.serving import path_of
from loop311.requests.testing import City, make_city, small_catalogue


@pytest.fixture
def city(db: None, settings: Settings, tmp_path: Path) -> City:
    settings.LOOP311_HOME = tmp_path
    return make_city()


def taught(code: str, words: str, *, city: int = 1, catalogue: int = 1, digest: str = "") -> Model:
    """A model that is sure of `code` (of pothole and sign) when it hears one of the words, and else of nothing."""
    matrix = np.zeros((BUCKETS, 2), dtype=np.float16)
    codes = ("pothole", "sign")
    matrix[features(words), codes.index(code)] = 40
    header = Header(
        scheme=SCHEME, buckets=BUCKETS, city=city, catalogue=catalogue, catalogue_digest=digest, codes=codes,
        requests=9, until="",
    )  # fmt: skip
    return Model(header, matrix, np.full(2, -5, dtype=np.float32))


def put(city: City, code: str, words: str) -> Path:
    """Such a model in place for the city."""
    version, _ = current(city.jurisdiction.pk)
    path = path_of(city.jurisdiction.pk)
    digest = bytes(version.digest).hex()
    write(path, taught(code, words, city=city.jurisdiction.pk, catalogue=version.number, digest=digest))
    return path


def proposed(city: City, words: str, limit: int = 6) -> list[tuple[str, str]]:
    return [(each.service.code, each.why) for each in suggest(city.jurisdiction.pk, words, limit)[1]]


# --- Features --------------------------------------------------------------------------------------------------------------


@given(st.text(max_size=2_000))
def test_every_text_falls_into_known_buckets_each_once(text: str) -> None:
    found = features(text).tolist()
    assert found == sorted(set(found))
    assert all(0 <= bucket < BUCKETS for bucket in found)


def test_numbers_and_mail_addresses_are_not_looked_at() -> None:
    said = features("My plate is ABC123, call 512-555-0100 or me@home.example, see https://x.example/1").tolist()
    assert said == features("my plate is call or see").tolist()
    assert not len(features("12 34 !?"))


def test_accents_and_case_do_not_count() -> None:
    assert features("ÁRBOL caído").tolist() == features("arbol CAIDO").tolist()


# --- The file --------------------------------------------------------------------------------------------------------------


def test_a_model_is_read_as_it_was_written_and_its_numbers_stay_in_the_file(tmp_path: Path) -> None:
    written = taught("sign", "faded arrow")
    assert write(tmp_path / "a" / "m", written) == (tmp_path / "a" / "m").stat().st_size
    found = read(tmp_path / "a" / "m")
    assert isinstance(found.matrix, np.memmap)
    assert found.header == written.header
    assert found.judge("a faded arrow") == written.judge("a faded arrow")
    assert [code for code, _ in found.judge("a faded arrow")] == ["sign"]
    assert found.judge("elephant") == found.judge("") == []
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["m"]


@given(st.floats(min_value=0, max_value=0.999999), st.integers(min_value=1, max_value=255))
@settings(max_examples=30, deadline=None)
def test_a_spoilt_byte_anywhere_is_found(tmp_path_factory: pytest.TempPathFactory, where: float, change: int) -> None:
    path = tmp_path_factory.mktemp("spoilt") / "m"
    write(path, taught("sign", "faded"))
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= change
    path.write_bytes(content)
    with pytest.raises(Unusable):
        read(path)


@pytest.mark.parametrize("size", [0, 10, 60, 5_000])
def test_a_file_cut_short_is_found(tmp_path: Path, size: int) -> None:
    write(tmp_path / "m", taught("sign", "faded"))
    os.truncate(tmp_path / "m", size)
    with pytest.raises(Unusable):
        read(tmp_path / "m")


def test_who_reads_while_models_are_replaced_always_has_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "m"
    write(path, taught("sign", "faded"))
    failures: list[Exception] = []
    stop = threading.Event()

    def keep_reading() -> None:
        while not stop.is_set():
            try:
                assert [code for code, _ in read(path).judge("faded")] in (["sign"], ["pothole"])
            except Exception as error:
                failures.append(error)
                return

    readers = [threading.Thread(target=keep_reading) for _ in range(2)]
    for reader in readers:
        reader.start()
    held = read(path)
    for number in range(20):
        write(path, taught(("pothole", "sign")[number % 2], "faded"))
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert [code for code, _ in held.judge("faded")] == ["sign"]


# --- Serving ---------------------------------------------------------------------------------------------------------------


def test_a_new_model_counts_from_the_next_words_on(city: City) -> None:
    assert proposed(city, "crater") == []
    put(city, "pothole", "crater")
    assert proposed(city, "a crater") == [("pothole", "past")]
    put(city, "sign", "crater")
    assert proposed(city, "a crater") == [("sign", "past")]
    path_of(city.jurisdiction.pk).unlink()
    assert proposed(city, "a crater") == []


def test_a_corrupted_model_is_ignored_and_told_once(city: City) -> None:
    path = put(city, "pothole", "crater")
    path.write_bytes(path.read_bytes()[:-100])
    with structlog.testing.capture_logs() as lines:
        assert proposed(city, "crater") == []
        assert proposed(city, "crater sign") == [("sign", "words")]
    assert [(line["event"], line["why"]) for line in lines] == [
        ("suggestion model ignored", "its checksum does not fit")
    ]


@pytest.mark.parametrize(
    ("foreign", "why"),
    [
        ({"city": 999_999}, "it is another city's"),
        ({"catalogue": 50}, "it belongs to another catalogue"),
        ({"digest": "00"}, "it belongs to another catalogue"),
    ],
)
def test_a_foreign_model_is_ignored(city: City, foreign: dict[str, object], why: str) -> None:
    own: dict[str, object] = {"city": city.jurisdiction.pk, **foreign}
    write(path_of(city.jurisdiction.pk), taught("pothole", "crater", **own))  # type: ignore[arg-type]
    with structlog.testing.capture_logs() as lines:
        assert proposed(city, "crater") == []
    assert [line["why"] for line in lines] == [why]


def test_a_model_outlives_its_catalogue_but_historical_services_are_not_proposed(city: City) -> None:
    put(city, "sign", "crater")
    changed = edited(small_catalogue(), "services.pothole", dispute_days=9)
    publish(city.jurisdiction, changed, by=city.system)
    assert proposed(city, "crater") == [("sign", "past")]
    publish(city.jurisdiction, edited(changed, "services.sign", historical=True), by=city.system)
    assert proposed(city, "crater") == []
    assert proposed(city, "sign") == []


# --- Both lists as one -------------------------------------------------------------------------------------------------------

CODES = [f"s{number}" for number in range(12)]


@given(
    st.dictionaries(st.sampled_from(CODES), st.floats(min_value=0.3, max_value=9), max_size=10),
    st.dictionaries(st.sampled_from(CODES), st.floats(min_value=0.1, max_value=1), max_size=10),
    st.sets(st.sampled_from(CODES)),
    st.integers(min_value=1, max_value=8),
)
def test_nothing_learned_pushes_a_safety_service_off_the_list(
    words: dict[str, float], past: dict[str, float], critical: set[str], limit: int
) -> None:
    searched = [Found(code, score) for code, score in sorted(words.items(), key=lambda item: -item[1])]
    found = merged(searched, past, limit, frozenset(critical))
    codes = [code for code, _ in found]
    assert len(codes) == len(set(codes)) == min(limit, len(set(words) | set(past)))
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert {each.code for each in searched[:limit]} & critical <= set(codes)


def test_what_was_learned_and_what_was_searched_help_each_other(city: City) -> None:
    put(city, "pothole", "crater sign")
    assert proposed(city, "crater sign") == [("pothole", "past"), ("sign", "words")]
    assert proposed(city, "crater sign", limit=1) == [("pothole", "past")]
    put(city, "sign", "crater pothole")
    assert proposed(city, "crater pothole", limit=1) == [("pothole", "words")], "pothole asks about danger"


# --- Doors -----------------------------------------------------------------------------------------------------------------


def test_the_api_suggests_with_safety_shown(city: City) -> None:
    put(city, "sign", "crater")
    client = Client()
    headers = bearer(a_secret(city.jurisdiction, ["catalog.read"]))
    found = client.get("/api/v1/services/suggest?q=pothole+crater&language=es", headers=headers).json()
    assert [(row["code"], row["why"], row["safety"]) for row in found] == [
        ("sign", "past", False),
        ("pothole", "words", True),
    ]
    assert found[1]["name"] == "Pothole (es)"
    assert client.get("/api/v1/services/suggest", headers=headers).status_code == 422
    other = bearer(a_secret(city.jurisdiction, ["requests.read"]))
    assert client.get("/api/v1/services/suggest?q=x", headers=other).status_code == 403
