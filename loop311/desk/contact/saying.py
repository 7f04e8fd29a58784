"""What the concierge says aloud, in the caller's language and, beside it, in the desk's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loop311.requests.models import Request
from loop311.requests.policies import State
from loop311.requests.receipts import receipt
from loop311.requests.sentences import public_sentence, say

PHRASES: dict[str, dict[str, str]] = {
    "who": {"en": "May I have your name and telephone number?", "es": "¿Me da su nombre y su número de teléfono?"},
    "want": {"en": "What can I do for you?", "es": "¿En qué le puedo ayudar?"},
    "where": {"en": "Where is it? The address or the nearest crossing.", "es": "¿Dónde es? La dirección o el cruce más cercano."},
    "danger": {
        "en": "Stay on the line. I am calling 911 and stay with you until they answer.",
        "es": "No cuelgue. Estoy llamando al 911 y me quedo con usted hasta que contesten.",
    },
    "known": {
        "en": "Somebody has told us about something there already. Is it this one?",
        "es": "Ya nos avisaron de algo en ese lugar. ¿Es lo mismo?",
    },
    "number": {"en": "Your number is {number}.", "es": "Su número es {number}."},
    "told": {"en": "We will tell you when it is done.", "es": "Le avisaremos cuando esté listo."},
    "yes": {"en": "Yes", "es": "Sí"},
    "no": {"en": "No", "es": "No"},
    "else": {"en": "Is there anything else I can do for you?", "es": "¿Puedo ayudarle en algo más?"},
}  # fmt: skip
"""Phrase -> language -> words. Placeholders in braces."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence twice. `desk_words` is empty when caller and desk speak the same language."""

    words: str
    language: str
    desk_words: str = ""
    desk_language: str = ""


@dataclass(frozen=True, slots=True)
class Tongues:
    """The language of the caller and that of the desk."""

    caller: str
    desk: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.caller, self.desk))

    @property
    def differ(self) -> bool:
        return self.caller.split("-")[0] != self.desk.split("-")[0]

    def both(self, texts: Mapping[str, str], fallback: str = "") -> Said:
        other = say(texts, self.desk, fallback) if self.differ else ""
        return Said(say(texts, self.caller, fallback), self.caller, other, self.desk)

    def phrase(self, name: str, **values: Mapping[str, str] | str) -> Said:
        """The phrase with its values, each of them in its own language where it has several."""
        return self.both({language: _filled(PHRASES[name][language], language, values) for language in PHRASES[name]})

    def joined(self, *parts: Said) -> Said:
        return Said(
            " ".join(part.words for part in parts),
            self.caller,
            " ".join(p.desk_words for p in parts).strip(),
            self.desk,
        )


def _filled(pattern: str, language: str, values: Mapping[str, Mapping[str, str] | str]) -> str:
    return pattern.format_map(
        {name: value if isinstance(value, str) else say(value, language) for name, value in values.items()}
    )


def state_of(request: Request, tongues: Tongues) -> Said:
    """What the caller hears about a request that is there already."""
    return tongues.both({language: public_sentence(request, language) for language in tongues})


def confirmation(request: Request, planned: Said | None, tongues: Tongues) -> Said:
    """Number, what happens by when, and that they will hear: the last sentence of a thing that was filed."""
    number = tongues.phrase("number", number=request.number)
    if planned is None or request.state in (State.JOINED, State.HANDED_OVER):
        return tongues.joined(number, taken_away(request, tongues))
    return tongues.joined(number, planned, tongues.phrase("told"))


def taken_away(request: Request, tongues: Tongues) -> Said:
    """How it stands, by the receipt, whose last sentence only repeats the number."""
    return tongues.both({language: " ".join(receipt(request, language).sentences[:-1]) for language in tongues})
