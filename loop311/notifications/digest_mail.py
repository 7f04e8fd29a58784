"""The words of the daily e-mail: counts and the longest late, with links; nothing of who asked."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage

from loop311.accounts.models import Team
from loop311.kit.clock import now
from loop311.notifications import services
from loop311.notifications.models import Digest
from loop311.notifications.policies import one_line
from loop311.requests.models import Request
from loop311.requests.policies import WORKABLE
from loop311.requests.sentences import say, spoken_date
from loop311.requests.workload import Load, workloads

SALT = "loop311 digest"
MOST_LATE = 10
"""Late requests named in one e-mail."""

_WORDS = {
    "en": {
        "subject": "{late} late, {soon} due within a day, {unassigned} nobody's yet",
        "team": "{name}: {open} open, {late} late, {soon} due within a day, {unassigned} nobody's yet",
        "late": "Longest late:",
        "one": "{number} {service}, promised by {due}",
        "stop": "You get this once a day as you lead or coordinate. Choose the hour or stop it: {link}",
    },
    "es": {
        "subject": "{late} atrasadas, {soon} vencen en un día, {unassigned} sin persona",
        "team": "{name}: {open} abiertas, {late} atrasadas, {soon} vencen en un día, {unassigned} sin persona",
        "late": "Las más atrasadas:",
        "one": "{number} {service}, prometida para el {due}",
        "stop": "Recibe esto una vez al día porque dirige o coordina. Elija la hora o deténgalo: {link}",
    },
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a person is told of today; nothing open means no e-mail."""

    teams: Sequence[tuple[Team, Load]]
    late: Sequence[Request]

    def total(self, figure: str) -> int:
        return sum(getattr(load, figure) for _, load in self.teams)


def send_digest(digest_id: int, at: datetime | None = None) -> None:
    """Send it unless it is sent; after a crash in between, the same Message-ID goes out again.

    Raises what the mail server says, for the job to be tried again.
    """
    digest = Digest.objects.select_related("jurisdiction", "staff__user").get(pk=digest_id)
    if digest.sent_at is not None:
        return
    report = report_for(digest, at or now())
    if report.total("open"):
        try:
            compose(digest, report).send()
        except (smtplib.SMTPException, OSError) as error:
            services.note_digest(digest_id, error=type(error).__name__)
            raise
    services.note_digest(digest_id)


def report_for(digest: Digest, at: datetime) -> Report:
    """Of one's own teams; who coordinates and belongs to none sees all that have something late. Three queries."""
    city, own = digest.jurisdiction_id, list(digest.staff.teams.filter(jurisdiction_id=digest.jurisdiction_id))
    teams = own or list(Team.objects.filter(jurisdiction_id=city).order_by("code"))
    loads = workloads(city, [team.pk for team in teams], at=at)
    told = [(team, loads[team.pk]) for team in teams if team.pk in loads and (own or loads[team.pk].late)]
    late = Request.objects.filter(
        jurisdiction_id=city, team__in=[team.pk for team, _ in told], state__in=sorted(WORKABLE), due_at__lt=at
    )
    return Report(told, list(late.select_related("service").order_by("due_at", "pk")[:MOST_LATE]))


def compose(digest: Digest, report: Report) -> EmailMessage:
    city = digest.jurisdiction
    language = city.languages[0].split("-")[0]
    words = _WORDS.get(language, _WORDS["en"])
    figures = {name: report.total(name) for name in ("late", "soon", "unassigned")}
    link = stop_link(digest)
    return EmailMessage(
        subject=one_line(f"{city.name}: {words['subject'].format_map(figures)}"),
        body="\n".join([*_teams(report, words, language), *_late(report, words, language, digest), "",
                        words["stop"].format(link=link), ""]),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[digest.staff.user.email],
        headers={
            "Message-ID": digest.message_id,
            "Auto-Submitted": "auto-generated",
            "Content-Language": language,
            "List-Unsubscribe": f"<{link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )  # fmt: skip


def _teams(report: Report, words: dict[str, str], language: str) -> list[str]:
    lines = []
    for team, load in report.teams:
        figures = {name: getattr(load, name) for name in ("open", "late", "soon", "unassigned")}
        lines.append(words["team"].format(name=say(team.names, language, team.code), **figures))
        lines.append(f"{settings.BASE_URL}/desk/queue/{team.code}/")
    return lines


def _late(report: Report, words: dict[str, str], language: str, digest: Digest) -> list[str]:
    if not report.late:
        return []
    lines = ["", words["late"]]
    for request in report.late:
        due = spoken_date(request.due_at, digest.jurisdiction.zone, language)
        service = say(request.service.names, language, request.service.code)
        lines.append(words["one"].format(number=request.number, service=service, due=due))
        lines.append(f"{settings.BASE_URL}/desk/requests/{request.number}/")
    return lines


def stop_link(digest: Digest) -> str:
    """Signed, so that nobody stops another's; it works as long as the secret key does."""
    return f"{settings.BASE_URL}/digest/{signing.dumps([digest.jurisdiction_id, digest.staff_id], salt=SALT)}"
