"""Finding the mistakes of links.yaml before a department does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

import msgspec

from loop311.catalog.checks.finding import Finding, error, warning
from loop311.catalog.definitions import Datatype, Ending, Question, Service
from loop311.catalog.index import CatalogueIndex
from loop311.workorders.connectors import KINDS, kind_of
from loop311.workorders.mapping import LinkMap, LinksFile, Meaning, ServiceMap, StatusMap

_STATES = frozenset(
    {"received", "assigned", "in_progress", "waiting", "handed_over", "done", "closed", "declined", "joined"}
)


def check(file: LinksFile, index: CatalogueIndex) -> list[Finding]:
    """Everything wrong with the links of a city whose catalogue this is; without an error they may be loaded."""
    return list(_findings(file, index))


def _findings(file: LinksFile, index: CatalogueIndex) -> Iterator[Finding]:
    yield from _repeated(file)
    for link in file.links:
        path = f"links.{link.code}"
        yield from _connection(path, link)
        yield from _routes(path, link, index)
        for code, mapped in link.services.items():
            yield from _service(f"{path}.services.{code}", code, mapped, link, index)
        for name, status in link.statuses.items():
            yield from _status(f"{path}.statuses.{name}", status, link, index)
        yield from _words(path, link)


def _repeated(file: LinksFile) -> Iterator[Finding]:
    for one, other in combinations(file.links, 2):
        if one.code == other.code:
            yield error(f"links.{one.code}", "This code stands here twice.")
        both = set(one.services) & set(other.services)
        routes = (set(one.teams) & set(other.teams)) or (set(one.outside_owners) & set(other.outside_owners))
        if both and routes:
            what = f"{', '.join(sorted(both))} of {', '.join(sorted(routes))}"
            yield error(f"links.{other.code}", f"{one.code} takes {what} already; a request goes to one system only.")


def _connection(path: str, link: LinkMap) -> Iterator[Finding]:
    if link.connector not in KINDS:
        yield error(f"{path}.connector", f"There is no connector {link.connector}; there are {', '.join(KINDS)}.")
        return
    kind = kind_of(link.connector)
    try:
        msgspec.convert(link.settings, kind.options)
    except msgspec.ValidationError as mistake:
        yield error(f"{path}.settings", f"{mistake}".replace("`", "") + ".")
    if kind.needs_secret and not link.secret:
        yield error(f"{path}.secret", "Say where the secret is: env:LOOP311_LINK_NAME or file:/path.")
    if kind.calls_back and not link.call_secret:
        yield warning(f"{path}.call_secret", "Without it their calls are refused; they are only asked.")


def _routes(path: str, link: LinkMap, index: CatalogueIndex) -> Iterator[Finding]:
    if not link.teams and not link.outside_owners:
        yield error(f"{path}.teams", "Nothing is ever sent there: name a team or an outside owner.")
    for team in link.teams:
        if team not in index.teams:
            yield error(f"{path}.teams", f"The catalogue has no team {team}.")
    for owner in link.outside_owners:
        if owner not in index.owners:
            yield error(f"{path}.outside_owners", f"The catalogue has no outside owner {owner}.")
    if not link.services:
        yield error(f"{path}.services", "No service is mapped.")


def _service(path: str, code: str, mapped: ServiceMap, link: LinkMap, index: CatalogueIndex) -> Iterator[Finding]:
    service = index.services.get(code)
    if service is None:
        yield error(path, f"The catalogue has no service {code}.")
        return
    questions = {question.code: question for question in service.questions}
    for asked, attribute in mapped.attributes.items():
        yield from _attribute(f"{path}.attributes.{asked}", questions.get(asked), attribute.values)
    yield from _required(f"{path}.required", mapped, questions)
    if mapped.outcome:
        yield from _outcome(f"{path}.outcome", mapped.outcome, Ending.DONE, [service], index)
    if _may_be_done(link):
        yield from _ending(path, mapped, service, link, index)


def _required(path: str, mapped: ServiceMap, questions: dict[str, Question]) -> Iterator[Finding]:
    given = {each.theirs: asked for asked, each in mapped.attributes.items()}
    for field in mapped.required:
        if field in mapped.constants:
            continue
        question = questions.get(given.get(field, ""))
        if question is None:
            yield error(path, f"They require {field}, and no answer or constant is mapped to it.")
        elif not question.required or question.when:
            yield warning(path, f"{question.code} may be unanswered; such orders wait for a person ({field}).")


def _attribute(path: str, question: Question | None, values: dict[str, str]) -> Iterator[Finding]:
    if question is None:
        yield error(path, "The service asks no such question.")
        return
    if question.datatype is Datatype.BOOLEAN:
        codes = {"yes", "no"}
    elif question.choices:
        codes = {choice.code for choice in question.choices}
    else:
        return
    if unknown := sorted(set(values) - codes):
        yield error(path, f"The question has no choice {', '.join(unknown)}.")
    if values and (missing := sorted(codes - set(values))):
        yield error(path, f"Nothing says what {', '.join(missing)} is called there.")


def _may_be_done(link: LinkMap) -> bool:
    return any(status.means is Meaning.DONE for status in link.statuses.values())


def _ending(path: str, mapped: ServiceMap, service: Service, link: LinkMap, index: CatalogueIndex) -> Iterator[Finding]:
    rule = index.completion_rules.get(service.completion)
    if rule is None or not any(rule.all_of):
        yield error(path, "A status of theirs means done, and the service has no rule of what proves it.")
    nameless = [name for name, each in link.statuses.items() if each.means is Meaning.DONE and not each.outcome]
    if nameless and not mapped.outcome:
        yield error(f"{path}.outcome", f"With which outcome does {', '.join(nameless)} end it?")


def _status(path: str, status: StatusMap, link: LinkMap, index: CatalogueIndex) -> Iterator[Finding]:
    mapped = [index.services[code] for code in link.services if code in index.services]
    if status.outcome and status.means is Meaning.DONE:
        yield from _outcome(path, status.outcome, Ending.DONE, mapped, index)
    elif status.outcome and status.means is Meaning.DECLINED:
        yield from _outcome(path, status.outcome, Ending.DECLINED, mapped, index)
    elif status.outcome:
        yield error(path, f"{status.means} has no outcome.")
    if (status.means is Meaning.WAITING) != bool(status.reason):
        yield error(path, "A reason belongs to waiting, and waiting needs one.")
    elif status.reason and status.reason not in index.stop_reasons:
        yield error(path, f"The catalogue has no stop reason {status.reason}.")


def _outcome(
    path: str, code: str, ending: Ending, services: Iterable[Service], index: CatalogueIndex
) -> Iterator[Finding]:
    outcome = index.outcomes.get(code)
    if outcome is None:
        yield error(path, f"The catalogue has no outcome {code}.")
        return
    if outcome.ending is not ending:
        yield error(path, f"The outcome {code} does not mean {ending}.")
    silent = [language for language in index.languages if not outcome.texts.get(language)]
    if silent:
        yield error(path, f"The outcome {code} has no sentence for the resident in {', '.join(silent)}.")
    for service in services:
        if code not in service.outcomes:
            yield error(path, f"The service {service.code} has no outcome {code}.")


def _words(path: str, link: LinkMap) -> Iterator[Finding]:
    known = {name.strip().casefold() for name in link.statuses}
    for status in link.their_statuses:
        if status.strip().casefold() not in known:
            yield error(f"{path}.their_statuses", f"Nobody has said what {status} means.")
    for state in link.states:
        if state not in _STATES:
            yield error(f"{path}.states.{state}", f"No request is ever {state}.")
    if len(known) < len(link.statuses):
        yield error(f"{path}.statuses", "Two statuses differ in capitals only.")
