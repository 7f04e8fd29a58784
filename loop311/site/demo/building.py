"""Making the demo city: all of it or nothing, in one transaction, and never in a city or a deployment that is real."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count

from loop311.accounts.models import StaffMember
from loop311.interactions.models import Interaction
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import system
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid
from loop311.ledger import services as ledger
from loop311.requests.models import Request
from loop311.requests.services import count_usual_times
from loop311.site import wiring
from loop311.site.demo import demand, people
from loop311.site.demo.founding import ZONE, Founded, found
from loop311.site.demo.hands import learn
from loop311.site.demo.knowing import know
from loop311.site.demo.performing import Performance

MOST = 200_000
INFORMATION_SHARE = 2
"""Contacts without a request, for each request. Two thirds of all contacts are only questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to make. `until` is the day in the city before which everything happened."""

    slug: str
    seed: int
    requests: int
    until: date
    days: int
    in_memory: bool = True
    """Play it in memory and write it at once; False: each step through its service, for the same city, far slower."""

    def check(self) -> None:
        """Raises Invalid with the first thing to mend."""
        for name, value, most in (("requests", self.requests, MOST), ("days", self.days, 3650)):
            if not 1 <= value <= most:
                raise Invalid(f"The number of {name} must lie between 1 and {most:,}.", fields=[FieldProblem(name, "")])
        if self.requests > self.days * 24 * 3600 // 10:
            raise Invalid("So many requests do not fit into so few days.", fields=[FieldProblem("days", "Too few.")])


@dataclass(frozen=True, slots=True)
class Built:
    jurisdiction: Jurisdiction
    seconds: float
    requests: int
    contacts: int
    states: dict[str, int]
    acts: dict[str, int]


def refuse_real(slug: str) -> None:
    """Demo data and demo sign-ins belong neither in a real deployment nor in a real city."""
    if settings.PRODUCTION:
        raise Forbidden("This deployment is a real one (LOOP311_BASE_URL is set): no demo city is made here.")
    city = Jurisdiction.objects.filter(slug=slug).first()
    if city is not None and not city.is_demo:
        raise Conflict(f"{slug} is a real city: choose another slug for the demo city with --city.")


def is_built(slug: str) -> bool:
    return Request.objects.filter(jurisdiction__slug=slug, jurisdiction__is_demo=True).exists()


def build(plan: Plan, *, on_filed: Callable[[], None] = lambda: None) -> Built:
    """Found the city and play its history. Raises Conflict when it has requests already. `on_filed`: once for each request."""
    plan.check()
    refuse_real(plan.slug)
    started = time.monotonic()
    with _one_at_a_time(), _quietly():
        if is_built(plan.slug):
            raise Conflict(f"{plan.slug} has requests already; use another slug, or --if-empty to leave it as it is.")
        city, acts = _play(plan, on_filed)
    return _report(city.jurisdiction, time.monotonic() - started, acts)


def _play(plan: Plan, on_filed: Callable[[], None]) -> tuple[Founded, dict[str, int]]:
    zone = ZoneInfo(ZONE)
    until = demand.midnight(plan.until, zone)
    begins_at = until - timedelta(days=plan.days + 1)
    city = found(
        plan.slug,
        seed=plan.seed,
        residents_count=max(20, plan.requests // 3),
        begins_at=begins_at,
        in_memory=plan.in_memory,
    )
    codes = [service.code for service in city.index.offered()]
    asks = demand.asks(plan.seed, codes, count=plan.requests, until=until, days=plan.days, zone=zone)
    questions = demand.asks(
        plan.seed + 1, codes, count=int(plan.requests * INFORMATION_SHARE), until=until, days=plan.days, zone=zone
    )
    performance = Performance(city, plan.seed, until, on_filed)
    performance.play(asks, questions)
    know(city.jurisdiction, plan.seed, begins_at, until)
    by = system(city.jurisdiction.pk)
    body = {"seed": plan.seed, "requests": plan.requests, "until": str(plan.until)}
    ledger.append("demo.built", "jurisdiction", city.jurisdiction.pk, body, by=by)
    learn()
    count_usual_times(city.jurisdiction.pk, at=until)
    return city, dict(sorted(performance.done.items()))


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """All or nothing; a second `demo` waits for the first and then finds its city."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(311, 0)")
        yield


@contextmanager
def _quietly() -> Iterator[None]:
    """Nobody is written to about what happened months ago: while the history is played no event has handlers."""
    ledger.wire({})
    try:
        yield
    finally:
        ledger.wire(wiring.HANDLERS)


def _report(jurisdiction: Jurisdiction, seconds: float, acts: dict[str, int]) -> Built:
    mine = Request.objects.filter(jurisdiction=jurisdiction)
    states = dict(mine.values_list("state").annotate(count=Count("pk")).order_by("state"))
    contacts = Interaction.objects.filter(jurisdiction=jurisdiction).count()
    return Built(jurisdiction, seconds, sum(states.values()), contacts, states, acts)


def sign_ins(slug: str) -> list[dict[str, str]]:
    """Role, e-mail and password of the demo sign-ins, in the order of the roles."""
    rows = StaffMember.objects.filter(jurisdiction__slug=slug, jurisdiction__is_demo=True, is_active=True)
    emails = {
        staff.roles[0]: staff.user.email for staff in rows.select_related("user") if staff.user.has_usable_password()
    }
    return [{"role": role, "email": email, "password": people.PASSWORD} for role, email in sorted(emails.items())]
