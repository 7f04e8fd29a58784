"""The two pages a message links to."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from django.test import Client

from loop311.kit.clock import now
from loop311.kit.testing import Page
from loop311.notifications.rendering import request_link, unsubscribe_link
from loop311.notifications.words import PAGE_WORDS
from loop311.requests.models import Comment, Request
from loop311.requests.services import comment, join, resolve
from loop311.requests.testing import City, make_city
from loop311.residents.models import ContactPoint
from loop311.residents.services import erase
from loop311.residents.testing import a_resident

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_(city: City) -> Request:
    resident = a_resident(city.jurisdiction, email="resident@example.org", language="es")
    return city.file(at=now(), resident=resident)


def path(link: str) -> str:
    return link.partition("://")[2].partition("/")[1] + link.partition("://")[2].partition("/")[2]


def own_page(request: Request) -> str:
    assert request.resident_id is not None
    return path(request_link(request.pk, request.resident_id, request.jurisdiction_id))


def unsubscribe_page(request: Request) -> str:
    assert request.resident is not None
    return path(unsubscribe_link(request.jurisdiction_id, request.resident.contact_points.get().pk))


def read(client: Client, address: str) -> Page:
    answer = client.get(address)
    assert answer.status_code == 200
    return Page(answer.content.decode(), answer.headers["Content-Security-Policy"])


def test_the_page_says_what_is_true_in_the_residents_language(client: Client, request_: Request) -> None:
    page = read(client, own_page(request_))
    assert (page.language, page.headings) == ("es", [f"Su solicitud {request_.number}"])
    assert "Tenemos su solicitud." in page.text
    page.check()


def test_the_page_shows_the_notes_written_for_the_resident_and_no_others(
    client: Client, city: City, request_: Request
) -> None:
    comment(request_, text="The part is <b>ordered</b>.", is_public=True, by=city.member)
    comment(request_, text="Only among us.", by=city.member)
    page = read(client, own_page(request_)).check()
    assert "Notas para usted" in page.text
    assert "The part is <b>ordered</b>." in page.text
    assert "Only among us." not in page.text


def test_the_page_shows_the_words_beside_the_outcome_as_the_message_did(
    client: Client, city: City, request_: Request
) -> None:
    resolve(request_, outcome="told", note="The form is <i>DL-7</i>.", by=city.member)
    assert "The form is <i>DL-7</i>." in read(client, own_page(request_)).check().text


def test_a_yes_on_the_page_closes_the_request(client: Client, city: City, request_: Request) -> None:
    city.done(request_, at=now())
    assert "¿De verdad está hecho?" in read(client, own_page(request_)).text
    assert client.post(own_page(request_), {"answer": "yes"}).status_code == 302
    request_.refresh_from_db()
    assert request_.state == "closed"


def test_a_no_on_the_page_reopens_it_with_the_residents_words(client: Client, city: City, request_: Request) -> None:
    city.done(request_, at=now())
    client.post(own_page(request_), {"answer": "no", "text": "Sigue ahí\x00"})
    request_.refresh_from_db()
    assert request_.state == "received"
    assert Comment.objects.get(request=request_).text == "Sigue ahí"


def test_a_second_yes_is_told_and_changes_nothing(client: Client, city: City, request_: Request) -> None:
    answer = client.post(own_page(request_), {"answer": "yes"})
    assert answer.status_code == 409
    assert 'role="alert"' in answer.content.decode()
    assert "Esto no se pudo anotar" in answer.content.decode()
    assert "cannot" not in answer.content.decode()


def test_every_page_says_the_same_in_each_language() -> None:
    english = PAGE_WORDS["en"]
    for language, words in PAGE_WORDS.items():
        assert set(words) == set(english), language
        assert all(words.values()), language
        assert language == "en" or not {name for name in words if words[name] == english[name]}, language


def test_the_pages_have_their_looks_from_the_site_itself(client: Client, request_: Request) -> None:
    page = read(client, own_page(request_))
    (sheet,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page.html)
    with closing(client.get(sheet)) as answer:
        assert answer.headers["Content-Type"].startswith("text/css")


def test_a_follower_answers_on_its_own_page(client: Client, city: City, request_: Request) -> None:
    leading = city.file(at=now(), resident=a_resident(city.jurisdiction, email="b@example.org"))
    join(request_, leading=leading, by=city.system)
    city.done(leading, at=now())
    assert "¿De verdad está hecho?" in read(client, own_page(request_)).text
    client.post(own_page(request_), {"answer": "no"})
    leading.refresh_from_db()
    assert leading.state == "received"


def test_unsubscribing_asks_first_and_a_mail_program_may_post_without_asking(request_: Request) -> None:
    client = Client(enforce_csrf_checks=True)
    page = read(client, unsubscribe_page(request_))
    assert page.headings == ["No más mensajes aquí"]
    points = ContactPoint.objects.filter(unsubscribed_at__isnull=False)
    assert not points.exists()
    answer = client.post(unsubscribe_page(request_), {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert points.exists()
    assert "Listo" in read(client, unsubscribe_page(request_)).text


def test_a_changed_or_foreign_token_finds_nothing(client: Client, request_: Request) -> None:
    other = make_city("oak").jurisdiction.pk
    assert request_.resident_id is not None
    for address in (
        own_page(request_) + "x",
        re.sub(r"/r/", "/unsubscribe/", own_page(request_)),
        path(request_link(request_.pk, request_.resident_id, other)),
        path(request_link(request_.pk, request_.resident_id + 1, request_.jurisdiction_id)),
        path(unsubscribe_link(other, request_.resident.contact_points.get().pk if request_.resident else 0)),
    ):
        assert client.get(address).status_code == 404


def test_the_page_of_an_erased_resident_is_gone(client: Client, city: City, request_: Request) -> None:
    assert request_.resident is not None
    erase(request_.resident, by=city.system)
    assert client.get(own_page(request_)).status_code == 404
