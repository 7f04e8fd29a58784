"""What a caller is told when somebody outside the city is responsible, in the city's languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loop311.catalog.definitions import OutsideOwner, Texts
from loop311.catalog.index import text_in
from loop311.jurisdictions.models import Jurisdiction

_HANDED: Texts = {
    "en": "{owner} is responsible for this. We pass it on and keep watching it.",
    "es": "{owner} es responsable de esto. Nosotros se lo comunicamos y seguimos pendientes.",
}
_OUTSIDE: Texts = {
    "en": "This place is outside {city}. {owner} is responsible there.",
    "es": "Este lugar está fuera de {city}. Ahí el responsable es: {owner}.",
}
_NOBODY: Texts = {
    "en": "This place is outside {city}, so the city can't send anybody there.",
    "es": "Este lugar está fuera de {city}, así que la ciudad no puede enviar a nadie.",
}
_PHONE: Texts = {"en": "Their phone: {phone}.", "es": "Su teléfono: {phone}."}


@dataclass(frozen=True, slots=True)
class Responsible:
    """An owner outside the city as it is shown: the name in the reader's language."""

    code: str
    name: str
    phone: str
    url: str


def shown(owner: OutsideOwner, language: str) -> Responsible:
    return Responsible(owner.code, text_in(owner.names, (language, "en")), owner.phone, owner.url)


def owner_says(owner: OutsideOwner, language: str) -> str:
    """The catalogue's sentence to tell, the phone and the address, as far as there are any."""
    phone = _in(_PHONE, language).format(phone=owner.phone) if owner.phone else ""
    told = text_in(owner.tell, (language, language.split("-")[0])) if owner.tell else ""
    return " ".join(filter(None, (told, phone, owner.url)))


def hand_over_sentences(owner: OutsideOwner, jurisdiction: Jurisdiction) -> Mapping[str, str]:
    """Language -> what to say when a request is handed to this owner."""
    return _sentences(_HANDED, owner, jurisdiction)


def outside_sentences(owner: OutsideOwner | None, jurisdiction: Jurisdiction) -> Mapping[str, str]:
    """Language -> what to say of a place outside the city; None when nobody is known to look after it."""
    return _sentences(_OUTSIDE if owner else _NOBODY, owner, jurisdiction)


def _sentences(patterns: Texts, owner: OutsideOwner | None, jurisdiction: Jurisdiction) -> Mapping[str, str]:
    return {language: _sentence(patterns, owner, jurisdiction.name, language) for language in jurisdiction.languages}


def _sentence(patterns: Texts, owner: OutsideOwner | None, city: str, language: str) -> str:
    name = text_in(owner.names, (language, language.split("-")[0])) if owner else ""
    first = _in(patterns, language).format(owner=name, city=city)
    return " ".join(filter(None, (first, owner_says(owner, language) if owner else "")))


def _in(texts: Texts, language: str) -> str:
    return text_in(texts, (language.split("-")[0], "en"))
