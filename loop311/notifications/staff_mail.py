"""The e-mail behind a notice to the city's own people."""

from __future__ import annotations

import json
import smtplib

from django.conf import settings
from django.core.mail import EmailMessage

from loop311.accounts.models import StaffMember
from loop311.notifications import services, sign_in_mail
from loop311.notifications.models import Notice
from loop311.notifications.policies import one_line
from loop311.requests.models import Request
from loop311.requests.sentences import say, spoken_date

_SUBJECT = {
    "en": {"at_risk": "At risk: {number}", "late": "Late: {number}", "later": "Still late: {number}"},
    "es": {"at_risk": "En riesgo: {number}", "late": "Atrasada: {number}", "later": "Sigue atrasada: {number}"},
}
_BODY = {
    "en": "{service}\n{team} promised it by {due}.\nIt is {state} now.\n\n{link}\n",
    "es": "{service}\n{team} lo prometió a más tardar el {due}.\nAhora está: {state}.\n\n{link}\n",
}


def send_notice(notice_id: int) -> None:
    """Send it unless it is sent; after a crash in between, the same Message-ID goes out again.

    Raises what the mail server says, for the job to be tried again.
    """
    notice = Notice.objects.select_related("jurisdiction", "event", "staff__user", "staff__jurisdiction", "team").get(
        pk=notice_id
    )
    if notice.sent_at is not None:
        return
    try:
        _compose(notice).send()
    except (smtplib.SMTPException, OSError) as error:
        services.note_notice(notice_id, error=type(error).__name__)
        raise
    services.note_notice(notice_id)


def _compose(notice: Notice) -> EmailMessage:
    about_request = notice.event.kind not in sign_in_mail.TEXTS
    subject, body = _of_request(notice) if about_request else sign_in_mail.words(notice.event.kind, _person(notice))
    to = notice.staff.user.email if notice.staff else (notice.team.email if notice.team else "")
    return EmailMessage(
        subject=one_line(subject),
        body=body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[to],
        headers={"Message-ID": notice.message_id, "Auto-Submitted": "auto-generated"},
    )


def _person(notice: Notice) -> StaffMember:
    person = notice.staff
    if not isinstance(person, StaffMember):
        raise TypeError("A notice about a sign-in has somebody whose it is.")
    return person


def _of_request(notice: Notice) -> tuple[str, str]:
    request = Request.objects.select_related("team", "service", "jurisdiction").get(
        jurisdiction_id=notice.jurisdiction_id, pk=notice.event.subject_id
    )
    language = notice.jurisdiction.languages[0].split("-")[0]
    body = json.loads(notice.event.body)
    words = {
        "number": request.number,
        "service": say(request.service.names, language, request.service.code),
        "team": say(request.team.names, language, request.team.code),
        "due": spoken_date(request.due_at, notice.jurisdiction.zone, language),
        "state": request.state.replace("_", " "),
        "link": f"{settings.BASE_URL}/desk/requests/{request.number}/",
    }
    return (
        _SUBJECT.get(language, _SUBJECT["en"])[body["level"]].format_map(words),
        _BODY.get(language, _BODY["en"]).format_map(words),
    )
