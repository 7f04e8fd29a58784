"""Whole folders of articles into a city and out of it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from loop311.accounts.models import StaffMember, Team
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import FieldProblem, Invalid
from loop311.knowledge.files import Owner, Written
from loop311.knowledge.models import Article
from loop311.knowledge.policies import MACHINERY, Content, Review
from loop311.knowledge.services.publishing import note_check, publish
from loop311.knowledge.services.writing import draft


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder has changed in the city."""

    read: int
    added: int
    changed: int
    same: int
    left_out: tuple[str, ...]
    """'article.language' of texts in languages the city does not speak."""


@dataclass(frozen=True, slots=True)
class _People:
    """The city's teams by code and staff by address, and back."""

    teams: dict[str, int]
    staff: dict[str, int]

    @classmethod
    def of(cls, city: Jurisdiction) -> _People:
        teams = Team.objects.filter(jurisdiction=city).values_list("code", "pk")
        staff = StaffMember.objects.filter(jurisdiction=city).values_list("user__email", "pk")
        return cls(dict(teams), dict(staff))


@transaction.atomic
def load(
    jurisdiction: Jurisdiction,
    articles: Sequence[Written],
    *,
    by: Actor,
    as_drafts: bool = False,
    progress: Callable[[Sequence[Written]], AbstractContextManager[Iterable[Written]]] = nullcontext,
    at: datetime | None = None,
) -> Loaded:
    """Publish every article that says something else than the city's own; `as_drafts` leaves that to a second person.

    All or nothing. `progress` shows how far it is. Articles that are not in the folder stay as they are.
    Raises Invalid with every owner the city does not have.
    """
    at = at or now()
    people = _People.of(jurisdiction)
    _refuse_strangers(articles, people)
    counts = {"added": 0, "changed": 0, "same": 0}
    left_out: list[str] = []
    with progress(articles) as shown:
        for written in shown:
            spoken = _spoken(written, jurisdiction, left_out)
            if spoken is not None:
                counts[_load_one(jurisdiction, spoken, people, as_drafts, by, at)] += 1
    return Loaded(read=len(articles), left_out=tuple(left_out), **counts)


def _refuse_strangers(articles: Iterable[Written], people: _People) -> None:
    missing = [
        FieldProblem(each.code, f"The city has no {each.owner}.")
        for each in articles
        if each.owner.team not in people.teams and each.owner.email not in people.staff
    ]
    if missing:
        raise Invalid(f"{missing[0].detail} Name an owner the city has, or load with --owner.", fields=missing)


def _spoken(written: Written, city: Jurisdiction, left_out: list[str]) -> Written | None:
    """Without the texts in languages the city does not speak; None when none is left. The first left is then the original."""
    kept = [text for text in written.content.texts if text.language in city.languages]
    left_out += [f"{written.code}.{text.language}" for text in written.content.texts if text not in kept]
    if not kept:
        return None
    if not any(text.review is Review.ORIGINAL for text in kept):
        kept[0] = replace(kept[0], review=Review.ORIGINAL)
    return replace(written, content=replace(written.content, texts=tuple(kept)))


def _load_one(city: Jurisdiction, written: Written, people: _People, as_drafts: bool, by: Actor, at: datetime) -> str:
    content = replace(
        written.content,
        owner_team=people.teams.get(written.owner.team),
        owner_staff=people.staff.get(written.owner.email) if not written.owner.team else None,
    )
    held = Article.objects.filter(jurisdiction=city, code=written.code).select_related("published").first()
    said = "changed" if held else "added"
    if held is not None and _says_the_same(held, content) and not as_drafts:
        if _check_of(held) == _check_in(written, people):
            return "same"
    elif as_drafts and held is not None and _newest_says(held, content):
        return "same"
    else:
        version = draft(city, written.code, content, by=by, ready=True, at=at)
        if as_drafts:
            return said
        held = publish(version, by=by, at=at).article
    kind, ref, checked_at = _check_in(written, people)
    note_check(held, kind, ref, checked_at, content.expires_on, by=by)
    return said


def _says_the_same(article: Article, content: Content) -> bool:
    if not article.is_live or article.published is None:
        return False
    return _comparable(replace(article.published.content(), expires_on=article.expires_on)) == _comparable(content)


def _newest_says(article: Article, content: Content) -> bool:
    newest = article.versions.order_by("-number").first()
    return newest is not None and _comparable(newest.content()) == _comparable(content)


def _comparable(content: Content) -> Content:
    return replace(content, texts=tuple(sorted(content.texts, key=lambda text: text.language)))


def _check_of(article: Article) -> tuple[str, int, datetime | None]:
    return article.checked_by_kind, article.checked_by_ref, article.checked_at


def _check_in(written: Written, people: _People) -> tuple[str, int, datetime | None]:
    """Who checked it by the file; nobody when the file does not say when."""
    if written.checked_at is None:
        return "", 0, None
    ref = people.staff.get(written.checked_by)
    return (ActorKind.STAFF.value, ref, written.checked_at) if ref else (MACHINERY, 0, written.checked_at)


def exported(jurisdiction: Jurisdiction) -> list[Written]:
    """Every published article as files say it, by code; four statements."""
    rows = Article.objects.filter(jurisdiction=jurisdiction, retired_at=None, published__isnull=False)
    people = _People.of(jurisdiction)
    team_codes = {pk: code for code, pk in people.teams.items()}
    emails = {pk: email for email, pk in people.staff.items()}
    return [
        _written(article, team_codes, emails)
        for article in rows.select_related("published").prefetch_related("published__texts").order_by("code")
    ]


def _written(article: Article, teams: dict[int, str], emails: dict[int, str]) -> Written:
    version = article.published
    assert version is not None  # noqa: S101 - only published ones are asked for
    owner = (
        Owner(team=teams[version.owner_team_id])
        if version.owner_team_id
        else Owner(email=emails[version.owner_staff_id])
    )
    content = replace(version.content(), owner_team=0, owner_staff=None, expires_on=article.expires_on)
    by = emails.get(article.checked_by_ref, MACHINERY) if article.checked_by_kind == ActorKind.STAFF else MACHINERY
    return Written(
        code=article.code,
        owner=owner,
        content=_comparable(content),
        checked_at=article.checked_at,
        checked_by=by if article.checked_at else "",
    )
