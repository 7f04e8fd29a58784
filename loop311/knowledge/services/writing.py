"""Writing versions of articles. Each is added, none is edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from loop311.accounts.models import StaffMember, Team
from loop311.catalog.models import Service
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from loop311.knowledge.models import Article, Text, Version
from loop311.knowledge.policies import (
    CODE,
    Content,
    VersionState,
    Words,
    carried_over,
    clean_words,
    faults,
    is_writable,
)
from loop311.ledger import services as ledger

SUBJECT = "article"
MOST_NOTE = 1000
_WAITING = (VersionState.DRAFT, VersionState.REVIEW)


@transaction.atomic
def draft(
    jurisdiction: Jurisdiction,
    code: str,
    content: Content,
    *,
    by: Actor,
    base: int | None = None,
    ready: bool = False,
    note: str = "",
    at: datetime | None = None,
) -> Version:
    """Write the next version of the article, or the first of a new one.

    `base` is the number of the version the writer saw (0: a new article, None: whatever there is). `ready` asks for the
    second person at once.
    """
    _permit(by, jurisdiction.pk)
    at = at or now()
    article, is_new = _article(jurisdiction, code, at)
    _not_overtaken(article, is_new, base)
    newest = _newest(article)
    content = _sound(jurisdiction, content, newest, by)
    _replace_drafts(article)
    version = _write(article, content, ready, _note(note), by, at)
    article.latest = version.number
    article.save(update_fields=["latest"])
    ledger.append("article.drafted", SUBJECT, article.pk, _body(version, content), by=by, at=at, first=is_new)
    if ready:
        body = {"version": version.pk, "number": version.number}
        ledger.append("article.review_asked", SUBJECT, article.pk, body, by=by, at=at)
    return version


def get_article(code: str, *, by: Actor) -> Article:
    """An article of the actor's city with its published version and owner, or NotFound."""
    rows = Article.objects.filter(jurisdiction_id=by.jurisdiction_id, code=code)
    found = rows.select_related("jurisdiction", "published__owner_team", "published__owner_staff").first()
    if found is None:
        raise NotFound("There is no such article.")
    return found


def get_version(article: Article, number: int) -> Version:
    rows = Version.objects.filter(jurisdiction_id=article.jurisdiction_id, article=article, number=number)
    found = rows.select_related("article", "owner_team", "owner_staff").prefetch_related("texts").first()
    if found is None:
        raise NotFound("The article has no such version.")
    return found


def current_text(article: Article, language: str) -> Text:
    """What the city answers now, in this language or the nearest it has. NotFound when it answers nothing."""
    texts = list(Text.objects.filter(jurisdiction_id=article.jurisdiction_id, article=article, live=True))
    if not texts:
        raise NotFound("This article is not published.")
    base = language.split("-")[0]
    return min(texts, key=lambda text: (text.language != language, text.language != base, text.review != "original"))


def held_article(article: Article, by: Actor) -> Article:
    """The row, held; NotFound in another city."""
    rows = Article.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=article.pk)
    found = rows.select_for_update(of=("self",)).select_related("jurisdiction", "published").first()
    if found is None:
        raise NotFound("There is no such article.")
    return found


def _permit(by: Actor, jurisdiction_id: int) -> None:
    if by.jurisdiction_id != jurisdiction_id:
        raise NotFound("There is no such city here.")
    if not by.may("knowledge.write"):
        raise Forbidden("You may not write articles.")


def _article(jurisdiction: Jurisdiction, code: str, at: datetime) -> tuple[Article, bool]:
    if not CODE.fullmatch(code):
        detail = "The code has lower-case letters, digits, hyphens and underscores only."
        raise Invalid(detail, fields=[FieldProblem("code", detail)])
    rows = Article.objects.select_for_update()
    return rows.get_or_create(jurisdiction=jurisdiction, code=code, defaults={"created_at": at})


def _not_overtaken(article: Article, is_new: bool, base: int | None) -> None:
    if base is None:
        return
    if base == 0 and not is_new:
        detail = "There is an article with this code already: choose another code, or change that article."
        raise Conflict(detail, fields=[FieldProblem("code", detail)])
    if base != article.latest:
        raise Conflict(
            "Somebody has written a newer version meanwhile; read it first.", extra={"latest": article.latest}
        )


def _newest(article: Article) -> Version | None:
    """What the draft is built upon: the newest version that was not sent back to nothing."""
    rows = Version.objects.filter(jurisdiction_id=article.jurisdiction_id, article=article)
    return rows.order_by("-number").prefetch_related("texts").first()


def _sound(jurisdiction: Jurisdiction, content: Content, newest: Version | None, by: Actor) -> Content:
    """As it is kept. Raises Invalid with everything that must be mended."""
    texts: Sequence[Words] = [clean_words(text) for text in content.texts]
    if by.kind is not ActorKind.SYSTEM:  # what is loaded says itself which translations were checked
        before = {text.language: text.words() for text in newest.texts.all()} if newest else {}
        texts = carried_over(texts, before)
    content = replace(content, texts=tuple(texts), services=tuple(dict.fromkeys(content.services)))
    found = faults(content, jurisdiction.languages) or _unknown(jurisdiction.pk, content, by)
    if found:
        raise Invalid(found[0].detail, fields=found)
    return content


def _unknown(jurisdiction_id: int, content: Content, by: Actor) -> list[FieldProblem]:
    """What it points to and the city does not have."""
    city = {"jurisdiction_id": jurisdiction_id}
    if content.owner_team is not None and not Team.objects.filter(**city, pk=content.owner_team).exists():
        raise NotFound("There is no such team in this city.")
    staff = StaffMember.objects.filter(**city, is_active=True)
    if content.owner_staff is not None and not staff.filter(pk=content.owner_staff).exists():
        raise NotFound("There is no such member of staff in this city.")
    if by.kind is ActorKind.SYSTEM:  # a folder may be loaded before the catalogue it goes with
        return []
    known = Service.objects.filter(**city, code__in=content.services).values_list("code", flat=True)
    missing = [code for code in content.services if code not in set(known)]
    return [FieldProblem("services", f"There is no service {', '.join(missing)}.")] if missing else []


def _note(note: str) -> str:
    note = note.strip()
    if len(note) > MOST_NOTE or not is_writable(note):
        detail = f"The note has at most {MOST_NOTE} characters that can be shown."
        raise Invalid(detail, fields=[FieldProblem("note", detail)])
    return note


def _replace_drafts(article: Article) -> None:
    """One version at a time waits: the newest."""
    waiting = Version.objects.filter(jurisdiction_id=article.jurisdiction_id, article=article, state__in=_WAITING)
    waiting.update(state=VersionState.REPLACED)


def _write(article: Article, content: Content, ready: bool, note: str, by: Actor, at: datetime) -> Version:
    city = article.jurisdiction_id
    version = Version.objects.create(
        jurisdiction_id=city,
        article=article,
        number=article.latest + 1,
        state=VersionState.REVIEW if ready else VersionState.DRAFT,
        topic=content.topic,
        audience=content.audience,
        owner_team_id=content.owner_team,
        owner_staff_id=content.owner_staff,
        services=list(content.services),
        expires_on=content.expires_on,
        note=note,
        written_at=at,
        written_by_kind=by.kind.value,
        written_by_ref=by.ref,
    )
    Text.objects.bulk_create(
        Text(
            jurisdiction_id=city,
            article=article,
            version=version,
            language=text.language,
            title=text.title,
            answer=text.answer,
            body=text.body,
            keywords=list(text.keywords),
            review=text.review,
        )
        for text in content.texts
    )
    return version


def _body(version: Version, content: Content) -> dict[str, object]:
    return {
        "version": version.pk,
        "number": version.number,
        "topic": version.topic,
        "audience": version.audience,
        "languages": [text.language for text in content.texts],
        "team": version.owner_team_id,
        "staff": version.owner_staff_id,
    }
