"""The e-mail behind a notice to the city's own people."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage

from loop311.accounts.models import StaffMember, Team, Token
from loop311.knowledge.models import Gap
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
_GAP = {
    "en": (
        "Still nobody knows: a caller's question",
        "{team} was to find the answer by {due}.\nCallers who asked: {asked}.\n\n{link}\n",
    ),
    "es": (
        "Nadie sabe aún: una pregunta de un residente",
        "{team} debía encontrar la respuesta a más tardar el {due}.\nPersonas que preguntaron: {asked}.\n\n{link}\n",
    ),
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


_CALL_SUBJECT = {"en": "Call-back not made", "es": "Llamada no devuelta"}
_CALL_BODY = {
    "en": "A resident was promised a call by {due}. Nobody was rung.\n{team}\n\n{link}\n",
    "es": "Se prometió una llamada a más tardar el {due}. Nadie ha llamado.\n{team}\n\n{link}\n",
}


def _compose(notice: Notice) -> EmailMessage:
    subject, body = _words(notice)
    to = notice.staff.user.email if notice.staff else (notice.team.email if notice.team else "")
    return EmailMessage(
        subject=one_line(subject),
        body=body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[to],
        headers={"Message-ID": notice.message_id, "Auto-Submitted": "auto-generated"},
    )


def _words(notice: Notice) -> tuple[str, str]:
    """Subject and body."""
    event = notice.event
    if event.kind in sign_in_mail.TEXTS:
        return sign_in_mail.words(event.kind, _person(notice))
    return _OTHERS.get(event.subject_type, _of_request)(notice)


def _person(notice: Notice) -> StaffMember:
    person = notice.staff
    if not isinstance(person, StaffMember):
        raise TypeError("A notice about a sign-in has somebody whose it is.")
    return person


def _of_callback(notice: Notice) -> tuple[str, str]:
    """Names neither the resident nor a number: an e-mail lies about for long."""
    body = json.loads(notice.event.body)
    city, language = notice.jurisdiction, notice.jurisdiction.languages[0].split("-")[0]
    team = Team.objects.get(jurisdiction=city, pk=body["team"])
    due = datetime.fromisoformat(body["window_to"]).astimezone(city.zone)
    words = {
        "due": f"{due:%Y-%m-%d %H:%M} ({due.tzname()})",
        "team": say(team.names, language, team.code),
        "link": f"{settings.BASE_URL}/desk/callbacks/{notice.event.subject_id}/",
    }
    return _CALL_SUBJECT.get(language, _CALL_SUBJECT["en"]), _CALL_BODY.get(language, _CALL_BODY["en"]).format_map(
        words
    )


def _of_gap(notice: Notice) -> tuple[str, str]:
    """The caller's words stay at the desk, behind a sign-in."""
    gap = Gap.objects.select_related("team").get(jurisdiction_id=notice.jurisdiction_id, pk=notice.event.subject_id)
    language = notice.jurisdiction.languages[0].split("-")[0]
    subject, body = _GAP.get(language, _GAP["en"])
    words = {
        "team": say(gap.team.names, language, gap.team.code),
        "due": spoken_date(gap.due_at, notice.jurisdiction.zone, language),
        "asked": str(gap.asked),
        "link": f"{settings.BASE_URL}/desk/knowledge/gaps/",
    }
    return subject.format_map(words), body.format_map(words)


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


_LINK = {
    "link.down": {
        "en": (
            "No answer from: {code}",
            "The work-order link {code} has been silent for {seconds} seconds. What is to be sent waits here and is not lost.",
        ),
        "es": (
            "Sin respuesta de: {code}",
            "El enlace de órdenes de trabajo {code} lleva {seconds} segundos en silencio. Lo que falta enviar espera aquí.",
        ),
    },
    "link.up": {
        "en": ("Answers again: {code}", "The work-order link {code} works again. What has waited here is sent now."),
        "es": (
            "Responde de nuevo: {code}",
            "El enlace de órdenes de trabajo {code} funciona de nuevo. Lo que esperaba aquí se envía ahora.",
        ),
    },
    "link.compared": {
        "en": (
            "Records that do not agree: {code}",
            "Both sides of the work-order link {code} were compared. Since the last time, {new} records have come to need "
            "a person; {open} do in all.",
        ),
        "es": (
            "Registros que no coinciden: {code}",
            "Se compararon los dos lados del enlace de órdenes de trabajo {code}. Desde la última vez, {new} registros necesitan a "
            "una persona; en total son {open}.",
        ),
    },
}


def _of_link(notice: Notice) -> tuple[str, str]:
    body = json.loads(notice.event.body)
    texts = _LINK[notice.event.kind]
    subject, words = texts.get(notice.jurisdiction.languages[0].split("-")[0], texts["en"])
    facts = {
        "code": body["code"],
        "seconds": str(body.get("silent_for", "")),
        "new": str(body.get("new", "")),
        "open": str(body.get("open", "")),
    }
    link = f"{settings.BASE_URL}/desk/links/{body['code']}/"
    return subject.format_map(facts), f"{words.format_map(facts)}\n\n{link}\n"


_WEBHOOK = {
    "en": (
        "A webhook has ended: {key}",
        "The system with the key {key} is not told of updates any more: {why}. "
        "Tell whoever runs it; it can make the webhook again, and read servicerequestupdates for the time between.",
        {
            "gone": "it answered that its address is gone",
            "silent": "it took nothing for five days",
            "key": "its key was revoked or has expired",
            "secret": "its secret cannot be read any more, because the deployment's key was changed",
        },
    ),
    "es": (
        "Un webhook terminó: {key}",
        "El sistema con la clave {key} ya no recibe avisos: {why}. "
        "Avise a quien lo administra; puede crear el webhook de nuevo y leer servicerequestupdates por el tiempo intermedio.",
        {
            "gone": "respondió que su dirección ya no existe",
            "silent": "no aceptó nada durante cinco días",
            "key": "su clave fue revocada o venció",
            "secret": "su secreto ya no se puede leer, porque cambió la clave de la instalación",
        },
    ),
}


def _of_webhook(notice: Notice) -> tuple[str, str]:
    body = json.loads(notice.event.body)
    subject, words, why = _WEBHOOK.get(notice.jurisdiction.languages[0].split("-")[0], _WEBHOOK["en"])
    key = Token.objects.get(jurisdiction=notice.jurisdiction, pk=body["token"]).name
    return subject.format(key=key), words.format(key=key, why=why[body["why"]]) + "\n"


_OTHERS: dict[str, Callable[[Notice], tuple[str, str]]] = {
    "callback": _of_callback,
    "gap": _of_gap,
    "link": _of_link,
    "webhook": _of_webhook,
}
