"""Every sentence is there in every language."""

from __future__ import annotations

from collections.abc import Iterator

from loop311.catalog.checks.finding import Finding, error, warning
from loop311.catalog.definitions import Catalogue, Question, Service, Template, Texts

Named = tuple[str, Texts, bool]
"""Path, text, and whether it must be there at all."""


def check_texts(catalogue: Catalogue) -> Iterator[Finding]:
    if not catalogue.languages:
        yield error("languages", "Name at least one language.")
    for path, texts, needed in _all_texts(catalogue):
        yield from _in_every_language(path, texts, catalogue.languages, needed)
    for outcome in catalogue.outcomes:
        if not any(text.strip() for text in outcome.texts.values()):
            yield error(f"outcomes.{outcome.code}.texts", "This outcome has no sentence to tell the resident.")
        else:
            yield from _in_every_language(f"outcomes.{outcome.code}.texts", outcome.texts, catalogue.languages, True)
    for service in catalogue.services:
        missing = [language for language in catalogue.languages if language not in service.keywords]
        if service.keywords and missing:
            yield warning(f"services.{service.code}.keywords", f"There are no keywords in {', '.join(missing)}.")


def _in_every_language(path: str, texts: Texts, languages: tuple[str, ...], needed: bool) -> Iterator[Finding]:
    if not texts and not needed:
        return
    missing = [language for language in languages if not texts.get(language, "").strip()]
    if missing:
        yield error(path, f"The text is missing in {', '.join(missing)}.")
    unknown = [language for language in texts if language not in languages]
    if unknown:
        yield warning(path, f"The catalogue does not declare the language {', '.join(unknown)}.")


_ONE_TEXT = (
    *((noun, "names", True) for noun in ("departments", "teams", "groups", "outside_owners")),
    ("outside_owners", "tell", False),
    ("stop_reasons", "texts", True),
    ("promises", "step", True),
    ("completion_rules", "texts", False),
)
"""List, field, and whether it must be there at all."""


def _all_texts(catalogue: Catalogue) -> Iterator[Named]:
    for noun, field, needed in _ONE_TEXT:
        for thing in getattr(catalogue, noun):
            yield f"{noun}.{thing.code}.{field}", getattr(thing, field), needed
    for number, template in enumerate(catalogue.templates, start=1):
        yield from _of_template(f"templates[{number}]", template)
    for service in catalogue.services:
        yield from _of_service(service)


def _of_template(path: str, template: Template) -> Iterator[Named]:
    yield f"{path}.subject", template.subject, True
    yield f"{path}.body", template.body, True
    yield f"{path}.sms", template.sms, True


def _of_service(service: Service) -> Iterator[Named]:
    path = f"services.{service.code}"
    yield f"{path}.names", service.names, True
    yield f"{path}.descriptions", service.descriptions, False
    for question in service.questions:
        yield from _of_question(f"{path}.questions.{question.code}", question)


def _of_question(path: str, question: Question) -> Iterator[Named]:
    yield f"{path}.texts", question.texts, True
    yield f"{path}.help", question.help, False
    for choice in question.choices:
        yield f"{path}.choices.{choice.code}.texts", choice.texts, True
        yield f"{path}.choices.{choice.code}.advice", choice.advice, False
