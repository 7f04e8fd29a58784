"""Finding answers: full-text search by each language's own rules, best and newest first, in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from loop311.kit.clock import now
from loop311.knowledge.models import Article, Feedback, Gap, Version
from loop311.knowledge.policies import MOST_WORDS, VersionState, asked_words, query_of

MOST = 50


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that may be the answer."""

    article: int
    code: str
    version: int
    language: str
    """Of the words here: the one asked for, or the nearest the article has."""
    title: str
    answer: str
    """One or two lines to be read aloud."""
    review: str
    topic: str
    audience: str
    services: tuple[str, ...]
    owner: str
    checked_at: datetime | None
    """None: nobody of this city has checked it yet."""
    expires_on: date | None
    is_expired: bool
    is_guess: bool
    """Found by likeness of the title only: perhaps a slip of the keys."""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self.answer.split("\n"))


_FIELDS = tuple(each.name for each in fields(Hit))

_ASKED = """
WITH asked AS MATERIALIZED (
    SELECT l.language, to_tsquery(knowledge_config(l.language), %(any)s) AS any_word,
        to_tsquery(knowledge_config(l.language), %(all)s) AS all_words
    FROM jurisdictions_jurisdiction j CROSS JOIN unnest(j.languages) AS l (language) WHERE j.id = %(city)s
)
"""
"""The question by the rules of each of the city's languages."""

_PREFERRED = "CASE WHEN t.language = %(language)s THEN 1.1 ELSE 1 END"

_BY_WORDS = f"""
{_ASKED}
SELECT article_id, sum(score) AS score, sum(whole) AS whole FROM (
    SELECT t.article_id, 0 AS whole, max(ts_rank('{{0.05, 0.2, 0.5, 1.0}}', t.head, asked.any_word, 1) * {_PREFERRED}) AS score
    FROM asked JOIN knowledge_text t ON t.jurisdiction_id = %(city)s AND t.live AND t.head @@ asked.any_word
        AND t.language = asked.language
    GROUP BY t.article_id
    UNION ALL
    SELECT t.article_id, max({_PREFERRED}), 0
    FROM asked JOIN knowledge_text t ON t.jurisdiction_id = %(city)s AND t.live AND t.search @@ asked.all_words
        AND t.language = asked.language
    GROUP BY t.article_id
) either GROUP BY article_id
"""
"""Some of the words in what is small (title, what callers say, answer), or all of them anywhere (`whole`)."""

_BY_ANY_WORD = f"""
{_ASKED}
SELECT t.article_id, max(ts_rank(t.search, asked.any_word, 1) * {_PREFERRED}) AS score, 0 AS whole
FROM asked JOIN knowledge_text t ON t.jurisdiction_id = %(city)s AND t.live AND t.search @@ asked.any_word
    AND t.language = asked.language
GROUP BY t.article_id
"""
"""Some of the words, anywhere."""

_BY_LIKENESS = "SELECT article_id, score, 0 AS whole FROM knowledge_like(%(city)s, %(text)s)"

_ALL = """
SELECT a.id AS article_id, 0 AS score, 0 AS whole FROM knowledge_article a JOIN knowledge_version v
    ON v.jurisdiction_id = a.jurisdiction_id AND v.id = a.published_id
WHERE a.jurisdiction_id = %(city)s AND a.retired_at IS NULL
    AND (%(topic)s::text IS NULL OR v.topic = %(topic)s)
    AND (%(service)s::text IS NULL OR %(service)s = ANY (v.services))
"""

_HITS = """
WITH found AS MATERIALIZED ({found}), best AS (
    SELECT a.id, a.code, a.checked_at, a.expires_on, v.id AS version, v.topic, v.audience, v.services, v.owner_team_id,
        v.owner_staff_id, coalesce(a.expires_on < (%(at)s AT TIME ZONE j.time_zone)::date, false) AS is_expired,
        found.whole + found.score
            * (1 + 0.15 * greatest(0, 1 - coalesce(extract(epoch FROM %(at)s - a.checked_at)::float8 / 31557600, 1)))
            AS score
    FROM found
    JOIN knowledge_article a ON a.jurisdiction_id = %(city)s AND a.id = found.article_id
    JOIN knowledge_version v ON v.jurisdiction_id = %(city)s AND v.id = a.published_id
    JOIN jurisdictions_jurisdiction j ON j.id = %(city)s
    WHERE %(audience)s::text IS NULL OR v.audience = %(audience)s
    ORDER BY is_expired, score DESC NULLS LAST, a.checked_at DESC NULLS LAST, a.id
    LIMIT %(limit)s
)
SELECT best.id, best.code, best.version, t.language, t.title, t.answer, t.review, best.topic, best.audience, best.services,
    coalesce(s.name, o.names ->> %(language)s, o.names ->> t.language, o.names ->> 'en', o.code, '') AS owner,
    best.checked_at, best.expires_on, best.is_expired
FROM best
JOIN LATERAL (
    SELECT * FROM knowledge_text t WHERE t.jurisdiction_id = %(city)s AND t.version_id = best.version AND t.live
    ORDER BY t.language = %(language)s DESC, t.language = split_part(%(language)s, '-', 1) DESC, t.review = 'original' DESC
    LIMIT 1
) t ON true
LEFT JOIN accounts_team o ON o.jurisdiction_id = %(city)s AND o.id = best.owner_team_id
LEFT JOIN accounts_staffmember s ON s.jurisdiction_id = %(city)s AND s.id = best.owner_staff_id
ORDER BY best.is_expired, best.score DESC NULLS LAST, best.checked_at DESC NULLS LAST, best.id
"""


def search(
    jurisdiction_id: int,
    text: str,
    *,
    language: str,
    audience: str | None = None,
    limit: int = 8,
    at: datetime | None = None,
) -> list[Hit]:
    """What may answer the question, in whichever of the city's languages it is asked: one statement, three when nothing fits.

    Articles that hold all the words come first, then those with some in title, keywords or answer; only when there are none,
    some words anywhere, and at last titles that are alike. What was checked lately is a little better, and what has expired
    stands at the end. `audience` 'public' leaves out what only staff may say.
    """
    words = asked_words(text)
    if not words:
        return []
    wanted = {"any": query_of(words, "|"), "all": query_of(words, "&"), "text": " ".join(words)[:MOST_WORDS]}
    asked = {**wanted, **_where(jurisdiction_id, language, audience, limit, at)}
    return _hits(_BY_WORDS, asked) or _hits(_BY_ANY_WORD, asked) or _hits(_BY_LIKENESS, asked, is_guess=True)


def browse(
    jurisdiction_id: int,
    *,
    language: str,
    audience: str | None = None,
    topic: str | None = None,
    service: str | None = None,
    limit: int = MOST,
    at: datetime | None = None,
) -> list[Hit]:
    """Everything published, or that of a topic or going with a service: checked last first, expired last. One statement."""
    asked = {"topic": topic, "service": service, **_where(jurisdiction_id, language, audience, limit, at)}
    return _hits(_ALL, asked)


def _where(
    jurisdiction_id: int, language: str, audience: str | None, limit: int, at: datetime | None
) -> dict[str, object]:
    return {
        "city": jurisdiction_id,
        "language": language,
        "audience": audience,
        "limit": max(1, min(limit, MOST)),
        "at": at or now(),
    }


def _hits(found: str, asked: Mapping[str, Any], *, is_guess: bool = False) -> list[Hit]:
    with connection.cursor() as cursor:
        cursor.execute(_HITS.replace("{found}", found), asked)
        return [_hit(list(row), is_guess) for row in cursor.fetchall()]


def _hit(row: list[Any], is_guess: bool) -> Hit:
    said: dict[str, Any] = dict(zip(_FIELDS, [*row, is_guess], strict=True))
    return Hit(**{**said, "services": tuple(said["services"])})


def topics(jurisdiction_id: int) -> list[tuple[str, int]]:
    """Topics of what is published and how many articles each has, by name."""
    rows = Article.objects.filter(jurisdiction_id=jurisdiction_id, retired_at=None, published__isnull=False)
    return list(rows.values_list("published__topic").annotate(articles=Count("pk")).order_by("published__topic"))


# --- For owners and reviewers ------------------------------------------------------------------------------------------


def waiting_versions(jurisdiction_id: int) -> QuerySet[Version]:
    """Drafts and what waits for a second person, the oldest first."""
    rows = Version.objects.filter(jurisdiction_id=jurisdiction_id, state__in=[VersionState.REVIEW, VersionState.DRAFT])
    return rows.select_related("article", "owner_team", "owner_staff").prefetch_related("texts").order_by("written_at")


def unsettled_feedback(jurisdiction_id: int, teams: Sequence[int] | None = None, staff: int = 0) -> QuerySet[Feedback]:
    """What nobody has looked at, the oldest first; of the articles of these teams and this member of staff, or of all."""
    rows = Feedback.objects.filter(jurisdiction_id=jurisdiction_id, settled_at=None)
    if teams is not None:
        whose = Q(article__published__owner_team__in=teams) | Q(article__published__owner_staff=staff)
        rows = rows.filter(whose)
    return rows.select_related("article").order_by("pk")


def expiring(jurisdiction_id: int, by: date) -> QuerySet[Article]:
    """Published articles that have expired or will by this day, the soonest first."""
    rows = Article.objects.filter(jurisdiction_id=jurisdiction_id, retired_at=None, published__isnull=False)
    wanted = rows.filter(expires_on__lte=by).select_related("published__owner_team", "published__owner_staff")
    return wanted.order_by("expires_on", "pk")


def open_gaps(jurisdiction_id: int, limit: int = MOST) -> list[Gap]:
    """What nobody knows yet, due first: for every desk, at once. One statement."""
    rows = Gap.objects.of_city(jurisdiction_id).open().select_related("team")
    return list(rows.order_by("due_at", "pk")[:limit])


def answered_gaps(jurisdiction_id: int, limit: int = 10) -> list[Gap]:
    """What was found out last, newest first. One statement."""
    rows = Gap.objects.of_city(jurisdiction_id).exclude(state="open").select_related("team", "article")
    return list(rows.order_by("-ended_at", "-pk")[:limit])
