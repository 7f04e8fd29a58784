"""What the city knows about the caller's question, spoken in the caller's language with the desk's own beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from loop311.desk.access import Desk
from loop311.desk.answers import find, suggested
from loop311.desk.contact.saying import Said, Tongues
from loop311.kit.problems import NotFound
from loop311.knowledge.models import Article, Gap
from loop311.knowledge.queries import Hit
from loop311.knowledge.services import current_text, get_article

MOST = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """An article that may answer; `spoken` is to be read aloud; title and owner are in the desk's language."""

    hit: Hit
    title: str
    owner: str
    spoken: Said


def answers(desk: Desk, words: str, service: str, tongues: Tongues) -> list[Answer]:
    """For the words, and where none fits for the service that was chosen; a statement or two for each language."""
    if not desk.actor.may("knowledge.read") or not (words or service):
        return []
    found = _found(desk, words, service, tongues.caller)
    own = {hit.article: hit for hit in _found(desk, words, service, desk.language)} if tongues.differ and found else {}
    return [_answer(hit, own.get(hit.article, hit), tongues) for hit in found]


def _found(desk: Desk, words: str, service: str, language: str) -> Sequence[Hit]:
    found = find(desk, words, language, MOST) if words else []
    sure = [hit for hit in found if not hit.is_guess]
    if sure or not service:
        return sure or found
    return suggested(desk, service, language, MOST)


def _answer(hit: Hit, own: Hit, tongues: Tongues) -> Answer:
    spoken = tongues.both({own.language: " ".join(own.lines), hit.language: " ".join(hit.lines)})
    return Answer(hit, own.title, own.owner, spoken)


def chosen(desk: Desk, code: str, language: str) -> tuple[Article, str, str]:
    """The published article of this code, its topic and title, for the record of what was answered."""
    article = get_article(code, by=desk.actor)
    if article.published is None or not article.is_live:
        raise NotFound(_("This answer is not published any more; look for another."))
    return article, article.published.topic, current_text(article, language).title


def gaps(desk: Desk, ids: Sequence[int]) -> list[Gap]:
    """Questions of this contact that went to those who must find the answer."""
    return list(Gap.objects.of_city(desk.city.pk).filter(pk__in=ids).order_by("pk")) if ids else []
