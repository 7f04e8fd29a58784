"""What Port Alder knows: the starter's articles, most of them checked by its own people, some of them long ago."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from loop311.accounts.models import StaffMember, Team
from loop311.accounts.policies import Role
from loop311.accounts.services import actor_for_staff
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, system
from loop311.knowledge import services
from loop311.knowledge.files import STARTER, read_folder
from loop311.knowledge.models import Article
from loop311.knowledge.services.loading import load

UNCHECKED = 6
EXPIRED = 3
TEAM = "concierge_desk"


def know(jurisdiction: Jurisdiction, seed: int, begins_at: datetime, until: datetime) -> int:
    """Articles checked in the weeks before `until`; a few have expired since, a few nobody has looked at. How many there are."""
    by = system(jurisdiction.pk)
    load(jurisdiction, read_folder(STARTER), by=by, at=begins_at)
    articles = list(Article.objects.filter(jurisdiction=jurisdiction).order_by("code"))
    rng = Random(f"knowing {seed}")  # noqa: S311 - a repeatable plan, no secret
    rng.shuffle(articles)
    supervisor, concierge = _one(jurisdiction, Role.SUPERVISOR), _one(jurisdiction, Role.CONCIERGE)
    for place, article in enumerate(articles[UNCHECKED:]):
        _check(article, place, rng, until, supervisor)
    for article in articles[-2:]:
        services.rate(article, "helpful", by=concierge, at=until - timedelta(days=2))
    said = "Callers say that the new hours are not in it."
    services.rate(articles[-3], "outdated", words=said, by=concierge, at=until - timedelta(days=1))
    team = Team.objects.get(jurisdiction=jurisdiction, code=TEAM)
    services.set_rules(jurisdiction, team=team, by=by)
    return len(articles)


def _check(article: Article, place: int, rng: Random, until: datetime, by: Actor) -> None:
    is_expired = place < EXPIRED
    days = rng.randint(100, 150) if is_expired else rng.randint(2, 60)
    at = until - timedelta(days=days)
    holds = timedelta(days=rng.randint(30, 80) if is_expired else rng.randint(180, 365))
    services.confirm(article, expires_on=_day(at + holds, article), by=by, at=at)


def _day(at: datetime, article: Article) -> date:
    return at.astimezone(article.jurisdiction.zone).date()


def _one(jurisdiction: Jurisdiction, role: Role) -> Actor:
    rows = StaffMember.objects.filter(jurisdiction=jurisdiction, roles__contains=[role])
    return actor_for_staff(rows.order_by("pk")[0])
