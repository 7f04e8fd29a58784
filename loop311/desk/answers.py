"""Answers at the desk: found in the caller's words, shown with who answers for them. Made to be shown on other pages, too.

`templates/desk/knowledge/_hits.html` shows what `find` gives, `_article.html` what `shown` gives, `_gaps.html` open gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from loop311.accounts.models import StaffMember
from loop311.catalog.models import Service
from loop311.desk.access import Desk
from loop311.kit.actor import ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import NotFound
from loop311.knowledge import queries
from loop311.knowledge.markup import to_html
from loop311.knowledge.models import Article, Gap, Text, Version
from loop311.knowledge.policies import is_expired
from loop311.knowledge.queries import Hit
from loop311.knowledge.services import get_article
from loop311.requests.sentences import say

MOST = 8


def find(desk: Desk, words: str, language: str = "", limit: int = MOST) -> list[Hit]:
    """What may answer a caller, best first; in `language` (the desk's own when empty) where there is a text in it."""
    return queries.search(desk.city.pk, words, language=language or desk.language, limit=limit)


def suggested(desk: Desk, service_code: str, language: str = "", limit: int = 3) -> list[Hit]:
    """What is worth knowing beside a service."""
    return queries.browse(desk.city.pk, language=language or desk.language, service=service_code, limit=limit)


def nobody_knows(desk: Desk) -> list[Gap]:
    """What every desk must hear of at once: questions nobody can answer yet, due first."""
    return queries.open_gaps(desk.city.pk)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One of an article's languages."""

    code: str
    name: str
    review: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A published article as a page shows it, in one language."""

    article: Article
    version: Version
    text: Text
    html: str
    lines: tuple[str, ...]
    owner: str
    checked_at: datetime | None
    checker: str
    is_expired: bool
    languages: tuple[Spoken, ...]
    services: tuple[tuple[str, str], ...]
    """Code and name of those the city offers."""


def shown(desk: Desk, code: str, language: str = "") -> Shown:
    """The city's answer of this code; NotFound when there is none (any more). Four statements."""
    article = get_article(code, by=desk.actor)
    version = article.published
    if not article.is_live or version is None:
        raise NotFound(_("This article is not published."))
    texts = list(Text.objects.filter(jurisdiction=desk.city, article=article, live=True))
    text = _nearest(texts, language or desk.language)
    return Shown(
        article=article,
        version=version,
        text=text,
        html=to_html(text.body),
        lines=tuple(text.answer.split("\n")),
        owner=owner_of(desk, version),
        checked_at=article.checked_at,
        checker=_checker(desk, article),
        is_expired=is_expired(article.expires_on, now().astimezone(desk.city.zone).date()),
        languages=tuple(Spoken(each.language, language_name(each.language), each.review) for each in texts),
        services=_services(desk, version.services),
    )


def _nearest(texts: Sequence[Text], language: str) -> Text:
    base = language.split("-")[0]
    return min(texts, key=lambda text: (text.language != language, text.language != base, text.review != "original"))


def owner_of(desk: Desk, version: Version) -> str:
    """A member of staff or a team, by name."""
    if version.owner_staff is not None:
        return str(version.owner_staff.name)
    team = version.owner_team
    return say(team.names, desk.language, team.code) if team is not None else ""


def _checker(desk: Desk, article: Article) -> str:
    if article.checked_by_kind != ActorKind.STAFF:
        return ""
    rows = StaffMember.objects.filter(jurisdiction=desk.city, pk=article.checked_by_ref)
    return rows.values_list("name", flat=True).first() or ""


def _services(desk: Desk, codes: Sequence[str]) -> tuple[tuple[str, str], ...]:
    rows = Service.objects.filter(jurisdiction=desk.city, code__in=codes, is_offered=True)
    return tuple((code, say(names, desk.language, code)) for code, names in rows.values_list("code", "names"))


def language_name(code: str) -> str:
    """As its speakers call it."""
    try:
        return str(get_language_info(code)["name_local"]).capitalize()
    except KeyError:
        return code
