"""Builders for tests: a published article, a text, somebody to be the second person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from loop311.accounts.policies import Role
from loop311.accounts.testing import a_team, actor_of
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.knowledge import services
from loop311.knowledge.files import Owner, Written
from loop311.knowledge.models import Article, Version
from loop311.knowledge.policies import Audience, Content, Review, Words

_numbers = count(1)


def words(title: str = "Missed garbage", language: str = "en", **changes: object) -> Words:
    said = {"answer": "Trucks come until seven.\nTell us tomorrow if it is still there.", "body": "Some **words**."}
    review = Review.ORIGINAL if language == "en" else Review.TRANSLATED
    return replace(Words(language=language, title=title, review=review, **said), **changes)  # type: ignore[arg-type]


def content(city: Jurisdiction, *texts: Words, **changes: object) -> Content:
    team = a_team(city, "knowledge-owners")
    whole = Content(topic="trash", audience=Audience.PUBLIC, texts=texts or (words(),), owner_team=team.pk)
    return replace(whole, **changes)  # type: ignore[arg-type]


def writer(city: Jurisdiction) -> Actor:
    return actor_of(city, Role.CONCIERGE)


def publisher(city: Jurisdiction) -> Actor:
    return actor_of(city, Role.SUPERVISOR)


def a_draft(city: Jurisdiction, code: str = "", *texts: Words, ready: bool = True, **changes: Any) -> Version:
    code = code or f"article-{next(_numbers)}"
    return services.draft(city, code, content(city, *texts, **changes), by=writer(city), ready=ready)


def an_article(
    city: Jurisdiction, code: str = "", *texts: Words, at: datetime | None = None, **changes: Any
) -> Article:
    """Published by a second person."""
    version = services.publish(a_draft(city, code, *texts, **changes), by=publisher(city), at=at)
    return services.get_article(version.article.code, by=writer(city))


def written(code: str, *texts: Words, owner: str = "streets") -> Written:
    """An article as its files say it."""
    about = Content(topic="trash", audience=Audience.PUBLIC, texts=texts or (words(),), owner_team=0)
    return Written(code=code, owner=Owner(team=owner), content=about)
