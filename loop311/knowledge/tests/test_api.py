"""/api/v1/knowledge as another system meets it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from loop311.accounts.testing import a_city, a_secret, bearer
from loop311.jurisdictions.models import Jurisdiction
from loop311.knowledge.testing import a_draft, an_article, words

pytestmark = pytest.mark.django_db


def _ask(city: Jurisdiction, method: str, path: str, *scopes: str, body: Any = None) -> tuple[int, Any]:
    headers = bearer(a_secret(city, scopes or ["knowledge.read", "knowledge.report", "knowledge.write"]))
    more = {"data": body if body is not None else {}, "content_type": "application/json"} if method == "post" else {}
    answer = getattr(Client(), method)(f"/api/v1/knowledge/{path}", headers=headers, **more)
    return answer.status_code, answer.json()


def test_a_question_is_answered_best_first_and_the_public_sees_no_staff_article() -> None:
    city = a_city()
    an_article(city, "garbage", words(), words("Basura", "es"), services=())
    an_article(city, "inside", words("Garbage complaints"), audience="staff")
    status, found = _ask(city, "get", "articles?q=garbage&audience=public&language=es")
    assert (status, [(hit["code"], hit["title"]) for hit in found["items"]]) == (200, [("garbage", "Basura")])
    status, found = _ask(city, "get", "articles?topic=trash")
    assert {hit["code"] for hit in found["items"]} == {"garbage", "inside"}


def test_one_article_comes_whole_and_harmless_and_a_draft_not_at_all() -> None:
    city = a_city()
    an_article(city, "garbage", words(body="# A\n\n<script>alert(1)</script>"))
    a_draft(city, "secret")
    status, found = _ask(city, "get", "articles/garbage")
    assert status == 200
    assert found["texts"][0]["html"].startswith("<h3>A</h3>")
    assert "<script" not in found["texts"][0]["html"]
    assert _ask(city, "get", "articles/secret")[0] == 404
    assert _ask(city, "get", "articles/garbage", "requests.read")[0] == 403


def test_feedback_is_written_listed_and_settled() -> None:
    city = a_city()
    an_article(city, "garbage")
    assert _ask(city, "post", "articles/garbage/feedback", body={"rating": "wrong"})[0] == 422
    status, made = _ask(city, "post", "articles/garbage/feedback", body={"rating": "wrong", "words": "The fee."})
    assert (status, made["settled_at"]) == (201, None)
    assert [each["id"] for each in _ask(city, "get", "feedback")[1]["items"]] == [made["id"]]
    assert _ask(city, "post", f"feedback/{made['id']}/settle")[1]["settled_at"]
    assert _ask(city, "get", "feedback")[1]["items"] == []


def test_a_gap_is_opened_asked_again_and_answered() -> None:
    city = a_city()
    an_article(city, "parade", words("The parade"))
    status, gap = _ask(city, "post", "gaps", body={"words": "Is the parade on?"})
    assert (status, gap["state"], gap["team"], gap["is_late"]) == (201, "open", "knowledge-owners", False)
    assert _ask(city, "post", f"gaps/{gap['id']}/again")[1]["asked"] == 2
    assert [each["words"] for each in _ask(city, "get", "gaps")[1]["items"]] == ["Is the parade on?"]
    assert _ask(city, "post", f"gaps/{gap['id']}/reassign", body={"team": "nobody"})[0] == 404
    status, ended = _ask(city, "post", f"gaps/{gap['id']}/answer", body={"article": "parade"})
    assert (status, ended["state"], ended["article"]) == (200, "answered", "parade")
    assert _ask(city, "post", f"gaps/{gap['id']}/dismiss", body={"reason": "mistake"})[0] == 409
    assert _ask(city, "get", f"gaps/{gap['id']}")[1]["ended_at"]
