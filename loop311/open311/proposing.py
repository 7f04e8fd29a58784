"""Another server's services as a proposal for our catalogue: loads as it is, and leaves to people what only they can decide."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import nh3

from loop311.catalog.definitions import (
    Catalogue,
    Choice,
    CompletionRule,
    Datatype,
    Department,
    Duration,
    Ending,
    EvidenceKind,
    Group,
    Outcome,
    PromisePolicy,
    Question,
    RoutingRule,
    Service,
    Team,
    Texts,
    Unit,
)
from loop311.catalog.files.writing import write_file
from loop311.georeport.model import Attribute, ServiceDefinition, ServiceItem
from loop311.requests.imports.catalogue import merged
from loop311.requests.imports.parsing import slug

UNDECIDED = "undecided"
"""Code of the department, team, promise, completion rule and owner that people must replace."""
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|&[a-z]+;")
_BREAK = re.compile(r"<br\s*/?>|</p>|</li>", re.IGNORECASE)
_DAYS = 14
_DATATYPES = {each.value: each for each in Datatype}
_LISTS = (Datatype.SINGLEVALUELIST, Datatype.MULTIVALUELIST)
_NAMES = {"en": "To be decided", "es": "Por decidir"}
_STEP = {"en": "deal with it", "es": "atenderlo"}
_OUTCOMES = {
    Ending.DONE: {"en": "It has been dealt with.", "es": "Se ha resuelto."},
    Ending.DECLINED: {"en": "It could not be done.", "es": "No se pudo hacer."},
}
_HEAD = """\
# Proposed from {url}
# Before it is loaded, decide for each new service: department and team ("{undecided}" now), owner, promise, what proves the work,
# outcomes, where it may be shown. Then: loop311 catalog check FILE; loop311 catalog load CITY FILE
"""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The catalogue in force with what is new, and which of its services stands for each of theirs."""

    catalogue: Catalogue
    codes: dict[str, str]
    """Their service code -> ours."""
    added: tuple[str, ...]

    def text(self, url: str) -> str:
        """YAML, with what must be decided above it."""
        aliases = [f"#   {ours}: {theirs!r}" for theirs, ours in self.codes.items() if ours != theirs]
        known = ["# Their codes, for `code_aliases` in a profile:", *aliases] if aliases else []
        head = _HEAD.format(url=url, undecided=UNDECIDED) + "".join(f"{_plain(line)}\n" for line in known)
        return head + write_file(self.catalogue)


def propose(old: Catalogue, services: Sequence[ServiceItem], definitions: Mapping[str, ServiceDefinition]) -> Proposal:
    """A service that we have by its name stays as it is, unless it was only imported. Pure."""
    codes = {code: slug(name) for code, name in unique_names(services).items()}
    known = {service.code for service in old.services if not service.historical}
    fresh = [item for item in services if codes[item.service_code] not in known]
    new = {
        codes[item.service_code]: _service(item, codes[item.service_code], definitions, old.languages) for item in fresh
    }
    if not new:
        return Proposal(old, codes, ())
    groups = [Group(code=_group(item), names=_texts(old.languages, item.group, _group(item))) for item in fresh]
    wanted = msgspec.structs.replace(
        old,
        departments=merged(old.departments, [Department(code=UNDECIDED, names=_said(_NAMES, old.languages))]),
        teams=merged(old.teams, [Team(code=UNDECIDED, department=UNDECIDED, names=_said(_NAMES, old.languages))]),
        groups=merged(old.groups, groups),
        promises=merged(old.promises, [_promise(old.languages)]),
        completion_rules=merged(old.completion_rules, [_proof()]),
        outcomes=merged(old.outcomes, _outcomes(old.languages)),
        services=(*(service for service in old.services if service.code not in new), *new.values()),
    )
    return Proposal(wanted, codes, tuple(new))


def unique_names(services: Iterable[ServiceItem]) -> dict[str, str]:
    """Their code -> the name whose slug is our code, as an import makes it; where two share one, the later bears its code too."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for item in services:
        if item.service_code in names:
            continue
        is_taken = slug(item.service_name) in taken
        name = f"{item.service_name} {item.service_code}" if is_taken else item.service_name
        names[item.service_code] = name
        taken.add(slug(name))
    return names


_OTHER = "Other"


def _group(item: ServiceItem) -> str:
    return slug(item.group or _OTHER)


def _service(
    item: ServiceItem, code: str, definitions: Mapping[str, ServiceDefinition], languages: Sequence[str]
) -> Service:
    definition = definitions.get(item.service_code)
    words = tuple(dict.fromkeys(word for part in (item.keywords or "").split(",") if (word := _plain(part))))
    return Service(
        code=code,
        group=_group(item),
        department=UNDECIDED,
        owner=UNDECIDED,
        names=_texts(languages, item.service_name, code),
        descriptions=_texts(languages, item.description) if _plain(item.description or "") else {},
        keywords={languages[0]: words} if words else {},
        questions=_questions(definition.attributes, languages) if definition else (),
        promise=UNDECIDED,
        completion=UNDECIDED,
        outcomes=tuple(outcome.code for outcome in _outcomes(languages)),
        routing=(RoutingRule(team=UNDECIDED),),
    )


def _questions(attributes: Iterable[Attribute], languages: Sequence[str]) -> tuple[Question, ...]:
    """Those that can be answered; what is only shown asks nothing."""
    asked = [each for each in attributes if each.variable and each.datatype != "informational"]
    codes = _unique(each.code for each in asked)
    return tuple(_question(each, code, languages) for each, code in zip(asked, codes, strict=True))


def _question(attribute: Attribute, code: str, languages: Sequence[str]) -> Question:
    datatype = _datatype(attribute)
    values = attribute.values if datatype in _LISTS else ()
    keys = _unique(value.key for value in values)
    help_ = _plain(attribute.datatype_description or "")
    return Question(
        code=code,
        datatype=datatype,
        texts=_texts(languages, attribute.description, attribute.code, code),
        help=_texts(languages, help_) if help_ else {},
        required=attribute.required,
        choices=tuple(
            Choice(code=key, texts=_texts(languages, value.name, value.key, key))
            for key, value in zip(keys, values, strict=True)
        ),
    )


def _datatype(attribute: Attribute) -> Datatype:
    """Boston has 'boolean (checkbox)' and 'date'; what nobody knows, and a list of nothing, is a line of text."""
    found = _DATATYPES.get(attribute.datatype.partition(" ")[0], Datatype.STRING)
    return Datatype.STRING if found in _LISTS and not attribute.values else found


def _unique(names: Iterable[str]) -> list[str]:
    """A code for each, in order; a number behind those that would be the same."""
    found: list[str] = []
    for name in names:
        code, number = slug(name), 2
        while code in found:
            code, number = slug(f"{name} {number}"), number + 1
        found.append(code)
    return found


def _promise(languages: Sequence[str]) -> PromisePolicy:
    resolution = Duration(amount=_DAYS, unit=Unit.CALENDAR_DAYS)
    return PromisePolicy(code=UNDECIDED, resolution=resolution, step=_said(_STEP, languages))


def _proof() -> CompletionRule:
    kinds = (EvidenceKind.PHOTO, EvidenceKind.INSPECTION, EvidenceKind.DOCUMENT, EvidenceKind.RECORD)
    return CompletionRule(code=UNDECIDED, all_of=(kinds,))


def _outcomes(languages: Sequence[str]) -> list[Outcome]:
    return [
        Outcome(code=f"{UNDECIDED}_{ending.value}", ending=ending, texts=_said(texts, languages))
        for ending, texts in _OUTCOMES.items()
    ]


def _said(texts: Texts, languages: Sequence[str]) -> Texts:
    return {language: texts.get(language, texts["en"]) for language in languages}


def _texts(languages: Sequence[str], *words: str | None) -> Texts:
    """The first of their words that says anything, whatever the language: people translate it."""
    return dict.fromkeys(languages, next(filter(None, (_plain(each or "") for each in words)), ""))


def _plain(words: str) -> str:
    """One line without markup: DC and Cologne put HTML into their texts."""
    return " ".join(without_markup(words).split())


def without_markup(words: str) -> str:
    if not _TAG.search(words):
        return words
    return html.unescape(nh3.clean(_BREAK.sub("\n", words), tags=set())).strip()
