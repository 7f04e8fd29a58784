"""Nobody knows this yet: opened by a desk, owned by the content owner's team, due in minutes, answered by an article."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Count

from loop311.accounts.models import Team
from loop311.catalog.definitions import Calendar, Duration, Unit
from loop311.catalog.index import ALWAYS
from loop311.catalog.services import current
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, system
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from loop311.kit.sweeps import pass_over
from loop311.knowledge.models import Article, Gap, Rules
from loop311.knowledge.policies import GAP_MINUTES, LONGEST_GAP, Dismissal, GapState, gap_key, gap_refusal, one_line
from loop311.ledger import services as ledger
from loop311.promises.clock import Clocks
from loop311.promises.policies import due

SUBJECT = "gap"
_AT_ONCE = 500
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GapRules:
    """Which team finds answers, and in how many minutes of which calendar."""

    team: Team
    minutes: int
    calendar: str


@transaction.atomic
def report_gap(
    jurisdiction: Jurisdiction, words: str, *, by: Actor, language: str = "", at: datetime | None = None
) -> Gap:
    """Nobody knows the answer to this question yet. The same question asked again counts on the gap that is open."""
    _permit(by, jurisdiction.pk)
    words = one_line(words)
    refusal = gap_refusal(words)
    if refusal:
        raise Invalid(refusal, fields=[FieldProblem("words", refusal)])
    at = at or now()
    found = _same_open(jurisdiction.pk, words)
    if found is not None:
        return ask_again(found, by=by, at=at)
    try:
        with transaction.atomic():
            return _open(jurisdiction, words, language or jurisdiction.languages[0], by, at)
    except IntegrityError:  # another desk asked the same in this very moment
        found = _same_open(jurisdiction.pk, words)
        if found is None:
            raise
        return ask_again(found, by=by, at=at)


def _same_open(jurisdiction_id: int, words: str) -> Gap | None:
    return Gap.objects.of_city(jurisdiction_id).open().filter(key=gap_key(words)).first()


def _open(jurisdiction: Jurisdiction, words: str, language: str, by: Actor, at: datetime) -> Gap:
    if language not in jurisdiction.languages:
        detail = f"The city's languages are {', '.join(jurisdiction.languages)}."
        raise Invalid(detail, fields=[FieldProblem("language", detail)])
    rules = rules_of(jurisdiction)
    gap = Gap.objects.create(
        jurisdiction=jurisdiction,
        words=words,
        key=gap_key(words),
        language=language,
        team=rules.team,
        opened_at=at,
        opened_by_kind=by.kind.value,
        opened_by_ref=by.ref,
        due_at=_due(jurisdiction, rules, at),
    )
    body = {**_about(gap), "language": language}
    ledger.append("gap.opened", SUBJECT, gap.pk, body, by=by, at=at, first=True)
    return gap


def _due(jurisdiction: Jurisdiction, rules: GapRules, at: datetime) -> datetime:
    calendars = _calendars(jurisdiction.pk)
    calendar = calendars.get(
        rules.calendar, ALWAYS
    )  # a newer catalogue may have dropped it; then the clock never stops
    clocks = Clocks([calendar], jurisdiction.zone)
    return due(Duration(amount=rules.minutes, unit=Unit.MINUTES, calendar=calendar.code), at, clocks)


def _calendars(jurisdiction_id: int) -> Mapping[str, Calendar]:
    try:
        return current(jurisdiction_id)[1].calendars
    except NotFound:  # a city that has no catalogue yet
        return {ALWAYS.code: ALWAYS}


@transaction.atomic
def ask_again(gap: Gap, *, by: Actor, at: datetime | None = None) -> Gap:
    """Another caller wants to know the same."""
    gap = _held(gap, by, "knowledge.report")
    gap.asked += 1
    return _write(gap, "gap.asked_again", {}, ["asked"], by=by, at=at or now())


@transaction.atomic
def answer_gap(gap: Gap, article: Article, *, by: Actor, at: datetime | None = None) -> Gap:
    """A published article answers it."""
    gap = _held(gap, by, "knowledge.write")
    if article.jurisdiction_id != gap.jurisdiction_id:
        raise NotFound("There is no such article.")
    if not article.is_live:
        raise Conflict("The article must be published before it answers anybody.")
    gap.state, gap.article, gap.ended_at = GapState.ANSWERED, article, at or now()
    body = {"article": article.pk, "on_time": gap.ended_at <= gap.due_at}
    return _write(gap, "gap.answered", body, ["state", "article", "ended_at"], by=by, at=gap.ended_at)


@transaction.atomic
def dismiss_gap(gap: Gap, reason: str, *, by: Actor, at: datetime | None = None) -> Gap:
    """It needs no article, for a reason on the list."""
    gap = _held(gap, by, "knowledge.write")
    if reason not in {each.value for each in Dismissal}:
        detail = f"The reason is one of {', '.join(Dismissal)}."
        raise Invalid(detail, fields=[FieldProblem("reason", detail)])
    gap.state, gap.dismissal, gap.ended_at = GapState.DISMISSED, reason, at or now()
    return _write(gap, "gap.dismissed", {"reason": reason}, ["state", "dismissal", "ended_at"], by=by, at=gap.ended_at)


@transaction.atomic
def reassign_gap(gap: Gap, team: Team, *, by: Actor, at: datetime | None = None) -> Gap:
    """Another team knows where to look; the time that was promised stays."""
    gap = _held(gap, by, "knowledge.write")
    if team.jurisdiction_id != gap.jurisdiction_id:
        raise NotFound("There is no such team in this city.")
    gap.team = team
    return _write(gap, "gap.reassigned", {}, ["team"], by=by, at=at or now())


def mark_late(at: datetime | None = None) -> int:
    """Every open gap whose time is over is said to be late, once, in every city; returns how many.

    One that cannot be marked is logged and holds up no other.
    """
    at = at or now()
    tried, failed = 0, set[int]()
    while batch := _mark_batch(at, failed):
        tried += batch
    return tried - len(failed)


@transaction.atomic
def _mark_batch(at: datetime, failed: set[int]) -> int:
    rows = Gap.objects.late(at).filter(late_at__isnull=True).exclude(pk__in=failed)
    found = list(rows.select_for_update(skip_locked=True).order_by("due_at")[:_AT_ONCE])
    for gap in found:
        try:
            with transaction.atomic():
                _mark(gap, at)
        except Exception:
            failed.add(gap.pk)
            pass_over()
            pass_over()
            log.exception("gap not marked late", gap=gap.pk, jurisdiction=gap.jurisdiction_id)
    return len(found)


def _mark(gap: Gap, at: datetime) -> None:
    gap.late_at = at
    minutes = int(max(at - gap.due_at, timedelta()).total_seconds() // 60)
    _write(gap, "gap.late", {"minutes": minutes}, ["late_at"], by=system(gap.jurisdiction_id), at=at)


def get_gap(gap_id: int, *, by: Actor) -> Gap:
    """A gap of the actor's city, or NotFound."""
    found = Gap.objects.of_city(by.jurisdiction_id).filter(pk=gap_id).select_related("team", "article").first()
    if found is None:
        raise NotFound("There is no such gap.")
    return found


# --- The city's rules --------------------------------------------------------------------------------------------------


def rules_of(jurisdiction: Jurisdiction) -> GapRules:
    """The city's own; without them thirty minutes, round the clock, of the team that answers for most articles."""
    row = Rules.objects.filter(jurisdiction=jurisdiction).select_related("team").first()
    if row is not None:
        return GapRules(row.team, row.minutes, row.calendar)
    owned = Article.objects.filter(jurisdiction=jurisdiction, published__owner_team__isnull=False)
    counted = owned.values_list("published__owner_team").annotate(articles=Count("pk"))
    busiest = counted.order_by("-articles", "published__owner_team").first()
    teams = Team.objects.filter(jurisdiction=jurisdiction)
    team = (teams.filter(pk=busiest[0]) if busiest else teams.order_by("pk")).first()
    if team is None:
        raise Conflict("The city has no team yet that could look for an answer: load a catalogue first.")
    return GapRules(team, GAP_MINUTES, ALWAYS.code)


@transaction.atomic
def set_rules(
    jurisdiction: Jurisdiction, *, by: Actor, team: Team, minutes: int = GAP_MINUTES, calendar: str = ALWAYS.code
) -> GapRules:
    """Say who answers gaps from now on, and how soon."""
    if jurisdiction.pk != by.jurisdiction_id or team.jurisdiction_id != jurisdiction.pk:
        raise NotFound("There is no such team in this city.")
    if not by.may("knowledge.publish"):
        raise Forbidden("You may not change who answers gaps.")
    if not 1 <= minutes <= LONGEST_GAP:
        detail = f"Between 1 and {LONGEST_GAP} minutes."
        raise Invalid(detail, fields=[FieldProblem("minutes", detail)])
    if calendar not in _calendars(jurisdiction.pk):
        detail = f"The catalogue has no calendar {calendar}."
        raise Invalid(detail, fields=[FieldProblem("calendar", detail)])
    wanted = {"team": team, "minutes": minutes, "calendar": calendar}
    Rules.objects.update_or_create(jurisdiction=jurisdiction, defaults=wanted)
    body = {"team": team.pk, "minutes": minutes, "calendar": calendar}
    ledger.append("knowledge.rules_set", "knowledge", jurisdiction.pk, body, by=by)
    return GapRules(team, minutes, calendar)


# --- Shared by the verbs -----------------------------------------------------------------------------------------------


def _permit(by: Actor, jurisdiction_id: int, permission: str = "knowledge.report") -> None:
    if by.jurisdiction_id != jurisdiction_id:
        raise NotFound("There is no such city here.")
    if not by.may(permission):
        raise Forbidden("You may not do this with what nobody knows yet.")


def _held(gap: Gap, by: Actor, permission: str) -> Gap:
    rows = Gap.objects.of_city(by.jurisdiction_id).select_for_update(of=("self",)).filter(pk=gap.pk)
    found = rows.select_related("team").first()
    if found is None:
        raise NotFound("There is no such gap.")
    _permit(by, found.jurisdiction_id, permission)
    if found.state != GapState.OPEN:
        raise Conflict(f"This gap was {found.state} already.", extra={"state": found.state})
    return found


def _write(gap: Gap, kind: str, body: Mapping[str, object], fields: list[str], *, by: Actor, at: datetime) -> Gap:
    gap.save(update_fields=fields)
    ledger.append(kind, SUBJECT, gap.pk, {**body, **_about(gap)}, by=by, at=at)
    return gap


def _about(gap: Gap) -> dict[str, object]:
    return {"team": gap.team_id, "due_at": gap.due_at.isoformat(), "asked": gap.asked}
