"""What people read when something could not be: staff in English, residents in their own language."""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

RESIDENTS = ("/r/", "/a/", "/unsubscribe/", "/digest/")
"""Addresses that stand in messages."""
NO_LINK, EXPIRED = 0, 1
"""Beside the statuses: a message's address that leads nowhere, a form that waited too long."""

_TEXTS: dict[str, dict[int, tuple[str, str]]] = {
    "en": {
        NO_LINK: (
            "This link does not work",
            "Copy the whole address out of the message, or call 311 with your number.",
        ),
        EXPIRED: (
            "You may not do this",
            "The form had expired, or cookies are switched off: load the page again and send it once more.",
        ),
        400: ("The request could not be read", "Check the address and what was sent, then try again."),
        403: ("You may not do this", "Sign in with an account that may, or ask whoever manages your roles."),
        404: ("There is no such page", "Check the address, or start from the first page."),
        500: (
            "Something went wrong here",
            "It has been noted. Try again in a moment; what you had sent was not stored.",
        ),
        503: (
            "Back in a moment",
            "The database is restarting. What you sent was not stored: send it again in a few seconds.",
        ),
    },
    "es": {
        NO_LINK: ("Este enlace no funciona", "Copie la dirección completa del mensaje, o llame al 311 con su número."),
        EXPIRED: (
            "No se pudo enviar",
            "El formulario caducó o las cookies están desactivadas: cargue la página de nuevo y envíelo otra vez.",
        ),
        400: ("No se pudo leer la solicitud", "Revise la dirección y lo que envió, e inténtelo de nuevo."),
        403: ("Esto no está permitido", "Llame al 311 con su número."),
        404: ("Esa página no existe", "Revise la dirección."),
        500: ("Algo salió mal", "Quedó anotado. Inténtelo de nuevo en un momento; lo que envió no se guardó."),
        503: (
            "Volvemos en un momento",
            "La base de datos se está reiniciando. Lo que envió no se guardó: envíelo de nuevo en unos segundos.",
        ),
    },
}


class Apology(NamedTuple):
    language: str
    title: str
    sentence: str
    is_for_staff: bool
    """Who may go to the first page, which is the staff's door."""


def apology(request: HttpRequest, what: int) -> Apology:
    """`what`: the status, or one of those beside."""
    is_for_staff = not request.path.startswith(RESIDENTS)
    language = "en" if is_for_staff else _language(request)
    title, sentence = _TEXTS[language][NO_LINK if what == 404 and not is_for_staff else what]
    return Apology(language, title, sentence, is_for_staff)


def _language(request: HttpRequest) -> str:
    """The first that the browser asks for and we have words in."""
    asked = (code.split("-")[0] for code, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")))
    return next((code for code in asked if code in _TEXTS), "en")
