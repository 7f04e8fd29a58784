"""Who of the city's own people is told that a promise is at risk or broken."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from procrastinate.contrib.django import app

from loop311.accounts.models import StaffMember, Team
from loop311.accounts.policies import Role
from loop311.catalog.definitions import Tell
from loop311.catalog.services import index_of
from loop311.kit.clock import now
from loop311.knowledge.models import Gap
from loop311.ledger.models import Event
from loop311.notifications.models import Notice
from loop311.notifications.policies import is_news, message_id
from loop311.requests.models import Request

_TEAM = 1 << 62
"""Added to a team's id, so that its Message-ID is never that of a member of staff."""


def notify_escalation(event_id: int) -> None:
    """Handler of request.escalated: one notice for each member of staff the ladder names, else for the team's address.

    Without either it goes up to the city's administrators: that a promise slips is never told to nobody.
    """
    event = Event.objects.get(pk=event_id)
    if not is_news(event.at, event.recorded_at):
        return
    request = Request.objects.select_related("team__department", "service").get(
        jurisdiction_id=event.jurisdiction_id, pk=event.subject_id
    )
    staff = recipients(request, [Tell(tell) for tell in json.loads(event.body)["tell"]])
    if not staff and not request.team.email:
        staff = recipients(request, [Tell.DIRECTOR])
    _queue_all(event, staff, request.team)


def notify_late_callback(event_id: int) -> None:
    """Handler of callback.late: a promise to ring was broken. Whoever was to ring, the team's leads and the supervisors hear of
    it; where there are none, the team's address, then the city's administrators.
    """
    event = Event.objects.get(pk=event_id)
    if not is_news(event.at, event.recorded_at):
        return
    body = json.loads(event.body)
    team = Team.objects.get(jurisdiction_id=event.jurisdiction_id, pk=body["team"])
    leads = Q(roles__contains=[Role.TEAM_LEAD], teams=team.pk) | Q(roles__contains=[Role.SUPERVISOR])
    staff = _active(event.jurisdiction_id, leads | Q(pk=body.get("owner")))
    if not staff and not team.email:
        staff = _active(event.jurisdiction_id, Q(roles__contains=[Role.ADMINISTRATOR]))
    _queue_all(event, staff, team)


def _active(jurisdiction_id: int, wanted: Q) -> list[StaffMember]:
    people = StaffMember.objects.filter(wanted, jurisdiction_id=jurisdiction_id, is_active=True)
    return list(people.select_related("user").distinct().order_by("pk"))


def _queue_all(event: Event, staff: list[StaffMember], team: Team) -> None:
    """A notice for each, else one for the team's address."""
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    for member in staff:
        _queue(event, message_id(event.pk, member.pk, host), staff=member)
    if not staff and team.email:
        _queue(event, message_id(event.pk, _TEAM + team.pk, host), team=team)


def notify_own_sign_in(event_id: int) -> None:
    """Handler of what happens to somebody's sign-in: that person is told, with the link where one was asked for."""
    event = Event.objects.get(pk=event_id)
    person = StaffMember.objects.filter(
        jurisdiction_id=event.jurisdiction_id, pk=event.subject_id, is_active=True
    ).first()
    if person is not None and is_news(event.at, event.recorded_at):
        host = urlsplit(settings.BASE_URL).hostname or "localhost"
        _queue(event, message_id(event.pk, person.pk, host), staff=person)


def notify_gap_late(event_id: int) -> None:
    """Handler of gap.late: whoever leads the team, else its address, else the supervisors and administrators."""
    event = Event.objects.get(pk=event_id)
    if not is_news(event.at, event.recorded_at):
        return
    gap = Gap.objects.of_city(event.jurisdiction_id).select_related("team").get(pk=event.subject_id)
    staff = _active(gap.jurisdiction_id, Q(roles__contains=[Role.TEAM_LEAD], teams=gap.team_id))
    if not staff and not gap.team.email:
        wanted = Q(roles__contains=[Role.SUPERVISOR]) | Q(roles__contains=[Role.ADMINISTRATOR])
        staff = _active(gap.jurisdiction_id, wanted)
    _queue_all(event, staff, gap.team)


def notify_link(event_id: int) -> None:
    """Handler of link.down, link.up and link.compared: a department's system is silent, or answers again, or records have come not
    to agree. The link's owner hears of it, else the city's administrators.
    """
    event = Event.objects.get(pk=event_id)
    body = json.loads(event.body)
    is_told = {"link.up": body.get("was") == "down", "link.compared": bool(body.get("new"))}
    if is_told.get(event.kind, True) and is_news(event.at, event.recorded_at):
        _queue_each(event, _active(event.jurisdiction_id, Q(pk=body["owner"])) or _administrators(event))


def notify_webhook_ended(event_id: int) -> None:
    """Handler of webhook.ended: the administrators hear of one that nobody ended on purpose; its system hears of nothing."""
    event = Event.objects.get(pk=event_id)
    if json.loads(event.body)["why"] in WEBHOOK_ENDS and is_news(event.at, event.recorded_at):
        _queue_each(event, _administrators(event))


WEBHOOK_ENDS = frozenset({"gone", "silent", "key", "secret"})
"""Why a webhook ends without anybody here or there wanting it."""


def _administrators(event: Event) -> list[StaffMember]:
    return _active(event.jurisdiction_id, Q(roles__contains=[Role.ADMINISTRATOR]))


def _queue_each(event: Event, staff: list[StaffMember]) -> None:
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    for member in staff:
        _queue(event, message_id(event.pk, member.pk, host), staff=member)


def _queue(event: Event, name: str, *, staff: StaffMember | None = None, team: Team | None = None) -> None:
    notice = Notice.objects.create(
        jurisdiction_id=event.jurisdiction_id, event=event, staff=staff, team=team, message_id=name, created_at=now()
    )
    app.configure_task("notifications.notice", queue="messages").defer(notice=notice.pk)


def recipients(request: Request, ladder: list[Tell]) -> list[StaffMember]:
    """Everybody active whom a step names. A named owner who is nobody's sign-in is read as the department's manager."""
    named = [_WHO[tell](request) for tell in ladder]
    if not named:
        return []
    wanted = named[0]
    for condition in named[1:]:
        wanted |= condition
    return _active(request.jurisdiction_id, wanted)


def _lead(request: Request) -> Q:
    return Q(roles__contains=[Role.TEAM_LEAD], teams=request.team_id)


def _manager(request: Request) -> Q:
    return Q(roles__contains=[Role.DEPARTMENT_MANAGER], department=request.team.department_id)


def _owner(request: Request) -> Q:
    owner = index_of(request.catalogue_version_id).services[request.service.code].owner
    return Q(user__username=owner) | Q(user__email=owner) | _manager(request)


def _director(request: Request) -> Q:
    return Q(roles__contains=[Role.ADMINISTRATOR])


def _duty(request: Request) -> Q:
    return Q(roles__contains=[Role.SUPERVISOR])


_WHO = {
    Tell.TEAM_LEAD: _lead,
    Tell.DEPARTMENT_MANAGER: _manager,
    Tell.OWNER: _owner,
    Tell.DIRECTOR: _director,
    Tell.DUTY_OFFICER: _duty,
}


def note_notice(notice_id: int, *, error: str = "") -> None:
    """The mail server has taken it, or (error: a code) has not."""
    if error:
        Notice.objects.filter(pk=notice_id, sent_at__isnull=True).update(error=error)
    else:
        Notice.objects.filter(pk=notice_id).update(sent_at=now(), error="")
