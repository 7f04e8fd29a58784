"""The window of a call-back in a resident's words and the city's time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format

from loop311.callbacks.models import Callback
from loop311.callbacks.policies import in_zone
from loop311.requests.models import Request
from loop311.requests.sentences import public_sentence, say

_PATTERNS = {"en": "{day}, {start} to {end} ({zone})", "es": "{day}, de {start} a {end} ({zone})"}


def window_in_words(start: datetime, end: datetime, zone: ZoneInfo, language: str) -> str:
    """'March 2, 2026, 9 a.m. to 11 a.m. (CST)'; a language without a pattern of its own gets the English one."""
    first, last = in_zone(start, end, zone)
    spoken = language.split("-")[0] if language.split("-")[0] in _PATTERNS else "en"
    with translation.override(spoken):
        begins = date_format(first, "TIME_FORMAT")
        ends = date_format(last, "TIME_FORMAT")
        if first.date() != last.date():
            ends = f"{date_format(last, 'DATE_FORMAT')}, {ends}"
        day = date_format(first, "DATE_FORMAT")
    return _PATTERNS[spoken].format(day=day, start=begins, end=ends, zone=first.tzname())


# --- What to say -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Script:
    """What to say on the telephone, and what to leave where nobody answers, in one language."""

    language: str
    opening: str
    news: str
    """How the request truly stands: its end, or its present state with the date; empty when it is about no request."""
    closing: str
    to_leave: str
    """For a voicemail, a text, a letter or a door hanger; names nothing but the number."""


_SCRIPT = {
    "en": {
        "opening": "Hello, this is {city} 311. We promised to call you back. Am I speaking with {name}?",
        "nameless": "Hello, this is {city} 311. You asked us to call you back.",
        "news": "Your request {number}, {service}: {sentence}",
        "closing": "Does that answer your question? Is there anything else I can do for you?",
        "leave": "{city} 311 tried to reach you about {what}. {sentence} Please call 311 when it suits you.",
        "request": "request {number}",
        "question": "your question",
    },
    "es": {
        "opening": "Hola, le llamamos del 311 de {city}. Le prometimos devolverle la llamada. ¿Hablo con {name}?",
        "nameless": "Hola, le llamamos del 311 de {city}. Usted pidió que le devolviéramos la llamada.",
        "news": "Su solicitud {number}, {service}: {sentence}",
        "closing": "¿Responde eso a su pregunta? ¿Puedo ayudarle en algo más?",
        "leave": "El 311 de {city} trató de comunicarse con usted sobre {what}. {sentence} Llame al 311 cuando le convenga.",
        "request": "la solicitud {number}",
        "question": "su pregunta",
    },
}


def speaks(language: str) -> bool:
    """Whether there are words of this language; otherwise an interpreter is needed."""
    return language.split("-")[0] in _SCRIPT


def script(callback: Callback, name: str, language: str) -> Script:
    """`name`: of the resident, empty when unknown. A language without words of its own gets the English ones."""
    spoken = language.split("-")[0] if speaks(language) else "en"
    words, request, city = _SCRIPT[spoken], callback.request, callback.jurisdiction.name
    news = _news(request, spoken) if request else ""
    number = request.number if request else ""
    what = words["request"].format(number=number) if request else words["question"]
    return Script(
        language=spoken,
        opening=words["opening" if name else "nameless"].format(city=city, name=name),
        news=_told(words["news"], request, news, spoken) if request else "",
        closing=words["closing"],
        to_leave=" ".join(words["leave"].format(city=city, what=what, sentence=news).split()),
    )


def _told(pattern: str, request: Request, news: str, language: str) -> str:
    service = say(request.service.names, language, request.service.code)
    return pattern.format(number=request.number, service=service, sentence=news)


def _news(request: Request, language: str) -> str:
    """The public sentence; of a joined report also how the leading one stands, for that is its true end."""
    sentence = public_sentence(request, language)
    leading = request.leading
    return f"{sentence} {public_sentence(leading, language)}" if leading is not None else sentence
