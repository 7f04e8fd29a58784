"""What a link says in whose words: the shape of links.yaml, and translating there and back. Pure; nothing is ever guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from loop311.catalog.conditions import visible_questions
from loop311.catalog.definitions import Answer, Code, Definition, Priority, Question
from loop311.catalog.index import CatalogueIndex
from loop311.kit.structs import learn
from loop311.workorders.connectors.base import Contact, Outgoing

SecretPlace = Annotated[str, msgspec.Meta(pattern=r"^(|env:LOOP311_LINK_[A-Z0-9_]{1,99}|file:/.{1,400})$")]
"""Where a secret is, never the secret: 'env:LOOP311_LINK_...' or 'file:/path'."""


class Meaning(StrEnum):
    """What a status of theirs is here."""

    NOTHING = "nothing"  # they have it; nothing follows
    STARTED = "started"
    WAITING = "waiting"  # needs `reason`
    DONE = "done"  # only with the service's evidence
    DECLINED = "declined"  # a person decides
    CANCELLED = "cancelled"  # gone there: a person decides


class StatusMap(Definition, frozen=True, kw_only=True):
    means: Meaning
    outcome: Code = ""
    """With done or declined; else the service's own `outcome` is taken."""
    reason: Code = ""
    """With waiting: a stop reason of the catalogue."""


class AttributeMap(Definition, frozen=True, kw_only=True):
    """How an answer is said there. An answer with no value in `values` is held for a person, where there are `values`."""

    theirs: str
    values: dict[str, str] = {}
    """Our answer's code ('yes' and 'no' of a yes-or-no question) -> theirs; empty: as it is."""


class ServiceMap(Definition, frozen=True, kw_only=True):
    theirs: str
    attributes: dict[Code, AttributeMap] = {}
    """Our question -> their field. Answers to other questions go as text, private ones not at all."""
    constants: dict[str, str] = {}
    """Their field -> what is always said."""
    required: tuple[str, ...] = ()
    """Their fields that must have a value; an order without one is held for a person."""
    contact: bool = False
    """The department must reach who reported it: name, phone and e-mail are sent."""
    words: bool = True
    """The resident's description and address are sent."""
    outcome: Code = ""
    """The outcome of a done-meaning status that names none."""


class LinkMap(Definition, frozen=True, kw_only=True):
    """One department's system, whole: where it is, whose, and in which words."""

    code: Code
    name: str
    connector: str
    owner: str
    """The e-mail address of the member of staff who answers for it."""
    settings: dict[str, Any] = {}
    secret: SecretPlace = ""
    call_secret: SecretPlace = ""
    """What they sign their call-backs with."""
    teams: tuple[Code, ...] = ()
    """Requests of these teams go there ..."""
    outside_owners: tuple[Code, ...] = ()
    """... and those handed over to these owners outside the city."""
    services: dict[Code, ServiceMap] = {}
    priorities: dict[Priority, str] = {}
    states: dict[str, str] = {}
    """Our state -> the status to set there; a state that is missing is said in words."""
    statuses: dict[str, StatusMap] = {}
    their_statuses: tuple[str, ...] = ()
    """Every status they have, to be held against `statuses`; the test of the connection asks for them too, where it can."""


class LinksFile(Definition, frozen=True, kw_only=True):
    links: tuple[LinkMap, ...]


def meaning_of(link: LinkMap, status: str) -> StatusMap | None:
    """None: nobody has said what it means. Capitals and space at the ends make no difference."""
    wanted = status.strip().casefold()
    return next((each for name, each in link.statuses.items() if name.strip().casefold() == wanted), None)


def outcome_of(link: LinkMap, service: str, status: StatusMap) -> str:
    """'' when the mapping names none. A service's own outcome is of work that was done: it is no reason to decline."""
    mapped = link.services.get(service)
    return status.outcome or (mapped.outcome if mapped and status.means is Meaning.DONE else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it stands, to find out whether and where it goes."""

    service: str
    team: str
    outside_owner: str = ""
    """Where it is handed over."""


def wants(link: LinkMap, asked: Asked) -> ServiceMap | None:
    """How the link takes such a request; None when it does not."""
    routed = asked.outside_owner in link.outside_owners if asked.outside_owner else asked.team in link.teams
    return link.services.get(asked.service) if routed else None


def link_for(links: Iterable[LinkMap], asked: Asked) -> tuple[LinkMap, ServiceMap] | None:
    """The check makes sure that at most one takes it."""
    return next(((link, found) for link in links if (found := wants(link, asked)) is not None), None)


# --- There -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What there is to say of a request."""

    number: str
    reference: str
    service: str
    description: str
    address: str
    latitude: float | None
    longitude: float | None
    answers: Mapping[str, Answer]
    priority: str
    received_at: datetime
    due_at: datetime | None
    url: str
    contact: Contact | None
    their_key: str
    their_url: str
    token: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """It cannot be said without guessing; a person must mend the mapping or the request."""

    reason: str


def translate(link: LinkMap, index: CatalogueIndex, facts: Facts) -> Outgoing | Held:
    mapped = link.services.get(facts.service)
    if mapped is None:
        return Held(f"The link maps no service {facts.service}.")
    asked = visible_questions(index.services[facts.service], facts.answers)
    attributes = _attributes(mapped, asked, facts.answers)
    if isinstance(attributes, Held):
        return attributes
    missing = [field for field in mapped.required if not attributes.get(field)]
    if missing:
        return Held(f"They require {', '.join(missing)}, and nothing here says it.")
    name = index.text(index.services[facts.service].names, index.languages[0])
    return Outgoing(
        number=facts.number,
        reference=facts.reference,
        service=facts.service,
        theirs=mapped.theirs,
        title=f"{name} {facts.number}",
        description=_description(mapped, index, asked, facts),
        address=facts.address if mapped.words else "",
        latitude=facts.latitude,
        longitude=facts.longitude,
        attributes=attributes,
        priority=link.priorities.get(Priority(facts.priority), ""),
        received_at=facts.received_at,
        due_at=facts.due_at,
        url=facts.url,
        contact=facts.contact if mapped.contact else None,
        their_key=facts.their_key,
        their_url=facts.their_url,
        token=facts.token,
        opened_at=facts.opened_at,
    )


def _attributes(
    mapped: ServiceMap, asked: Sequence[Question], answers: Mapping[str, Answer]
) -> dict[str, str | Sequence[str]] | Held:
    said: dict[str, str | Sequence[str]] = dict(mapped.constants)
    for question in asked:
        attribute, answer = mapped.attributes.get(question.code), answers.get(question.code)
        if attribute is None or answer is None:
            continue
        values = _texts(answer)
        unknown = [each for each in values if attribute.values and each not in attribute.values]
        if unknown:
            return Held(f"Nobody has said what {question.code}: {', '.join(unknown)} is called there.")
        theirs = [attribute.values.get(each, each) for each in values]
        said[attribute.theirs] = theirs if isinstance(answer, list) else theirs[0]
    return said


def _texts(answer: Answer) -> list[str]:
    if isinstance(answer, list):
        return answer
    return [] if answer is None else [_text(answer)]


def _text(answer: str | int | float | bool) -> str:
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return str(int(answer)) if isinstance(answer, float) and answer.is_integer() else str(answer)


def _description(mapped: ServiceMap, index: CatalogueIndex, asked: Sequence[Question], facts: Facts) -> str:
    """The resident's words, and below them what was answered and has no field there: nothing is lost."""
    language = index.languages[0]
    others = [
        f"{index.text(question.texts, language)} {_spoken(question, facts.answers[question.code], index, language)}"
        for question in asked
        if question.code not in mapped.attributes
        and not question.private
        and facts.answers.get(question.code) is not None
    ]
    return "\n".join(filter(None, [facts.description if mapped.words else "", *others]))


def _spoken(question: Question, answer: Answer, index: CatalogueIndex, language: str) -> str:
    names = {choice.code: index.text(choice.texts, language) for choice in question.choices}
    return ", ".join(names.get(each, each) for each in _texts(answer))


learn(LinkMap, LinksFile)
