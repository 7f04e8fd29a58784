"""Photos sent as an address: kept, fetched later by a job, from the open internet only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loop311.kit import fetching
from loop311.kit.clock import now
from loop311.kit.tests.pictures import photo
from loop311.kit.uploads import Upload
from loop311.open311.models import RemotePhoto
from loop311.open311.tasks import PATIENCE, fetch_photo
from loop311.open311.testing import filed, get, post, said
from loop311.requests.models import Comment, Request
from loop311.requests.services import attach
from loop311.requests.testing import City

pytestmark = pytest.mark.django_db
URL = "https://photos.example.org/hole.jpg"


@pytest.fixture(autouse=True)
def _files_lie_elsewhere(settings: Any, tmp_path: Path) -> None:
    settings.LOOP311_HOME = tmp_path


def answering(monkeypatch: pytest.MonkeyPatch, answer: bytes | Exception) -> None:
    def fetch(url: str, **bounds: object) -> bytes:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(fetching, "fetch", fetch)


def test_addresses_are_kept_each_once_and_not_shown_before_they_are_fetched(city: City, key: str) -> None:
    request = filed(post(key, media_url=[URL, URL, "http://example.org/b.png"]))
    assert list(RemotePhoto.objects.order_by("position").values_list("url", flat=True)) == [
        URL, "http://example.org/b.png",
    ]  # fmt: skip
    assert get(f"requests/{request.number}.json").json()[0]["media_url"] is None
    assert request.description == ""


@pytest.mark.parametrize("url", ["ftp://example.org/a", "nonsense", "http://a:b@example.org/", "file:///etc/passwd"])
def test_an_address_that_would_never_be_fetched_is_refused(city: City, key: str, url: str) -> None:
    assert "media_url" in said(post(key, 400, media_url=url))


def test_what_lies_behind_the_address_is_attached_once(city: City, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    request = filed(post(key, media_url=URL))
    answering(monkeypatch, photo())
    row = RemotePhoto.objects.get()
    fetch_photo(row.pk)
    fetch_photo(row.pk)
    row.refresh_from_db()
    assert (request.attachments.count(), row.problem, row.settled_at is None) == (1, "", False)
    assert get(f"requests/{request.number}.json").json()[0]["media_url"]


@pytest.mark.parametrize("answer", [b"<html>", fetching.Refused("inside")])
def test_what_is_no_photo_is_given_up(
    city: City, key: str, monkeypatch: pytest.MonkeyPatch, answer: bytes | Exception
) -> None:
    post(key, media_url=URL)
    answering(monkeypatch, answer)
    row = RemotePhoto.objects.get()
    fetch_photo(row.pk)
    row.refresh_from_db()
    assert row.problem
    assert row.settled_at
    assert not Request.objects.get().attachments.exists()
    assert URL in Comment.objects.get(is_public=False).text


def test_a_server_that_is_away_is_asked_again(city: City, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    post(key, media_url=URL)
    answering(monkeypatch, fetching.Away("gone"))
    with pytest.raises(fetching.Away):
        fetch_photo(RemotePhoto.objects.get().pk)
    assert RemotePhoto.objects.get().settled_at is None


def test_a_server_that_stays_away_is_given_up_and_the_team_hears_of_it(
    city: City, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(key, media_url=URL)
    answering(monkeypatch, fetching.Away("gone"))
    RemotePhoto.objects.update(at=now() - PATIENCE)
    fetch_photo(RemotePhoto.objects.get().pk)
    assert RemotePhoto.objects.get().problem == "gone"
    assert URL in Comment.objects.get(is_public=False).text


def test_a_photo_that_staff_added_is_not_public(city: City) -> None:
    request = attach(city.file(at=now()), [Upload("", photo())], by=city.member, proves=False)
    assert get(f"requests/{request.number}.json").json()[0]["media_url"] is None
    get(f"media/springfield/{request.number}/{request.attachments.get().pk}.jpg", 404)
