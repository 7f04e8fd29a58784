"""A message's words, made when it is sent: the catalogue's texts, the facts of the event, and the rows as they stand now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.template.loader import render_to_string
from django.utils import formats, translation

from loop311.catalog.definitions import Template
from loop311.catalog.index import CatalogueIndex, text_in
from loop311.catalog.services import index_of
from loop311.jurisdictions.models import Jurisdiction
from loop311.knowledge.models import Text
from loop311.notifications import defaults
from loop311.notifications.models import Message
from loop311.notifications.policies import fill, one_line, tidy
from loop311.requests.models import Request
from loop311.requests.owners import owner_says

UNSUBSCRIBE_SALT = "loop311.unsubscribe"
LINK_SALT = "loop311.request"
ARTICLE_SALT = "loop311.article"
CLOCK_MATTERS_WITHIN = timedelta(hours=36)
"""A date that comes sooner than this is told with its hour."""


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    body: str
    """Plain text, with the line about unsubscribing."""
    html: str
    sms: str
    language: str


def rendered(message: Message) -> Rendered:
    """The words of one message."""
    template = template_of(message)
    values = placeholder_values(
        {**message.facts, **_typed(message)},
        jurisdiction=message.jurisdiction,
        language=message.language,
        at=message.event.at,
        link=link_of(message),
    )
    return render(
        template, values, message.language, unsubscribe_link(message.jurisdiction_id, message.contact_point_id)
    )


def _typed(message: Message) -> dict[str, str]:
    if message.article_id is not None:
        return article_words(message)
    return typed_words(message.request, message.facts) if message.request else {}


def article_words(message: Message) -> dict[str, str]:
    """What the version said that was published when it was sent; versions never change."""
    text = Text.objects.get(
        jurisdiction_id=message.jurisdiction_id, version_id=int(message.facts["version"]), language=message.language
    )
    return {"title": text.title, "answer": text.answer}


def typed_words(request: Request, facts: Mapping[str, Any]) -> dict[str, str]:
    """What people have typed, read from the rows as it is sent: it may hold anything, so it is kept nowhere else."""
    typed = {"address": request.address, "outcome_note": request.outcome_note}
    if request.handed_to == facts.get("owner"):
        typed["reference"] = request.handed_reference
    if facts.get("comment"):
        shown = request.comments.filter(pk=facts["comment"], is_public=True)
        typed["comment"] = shown.values_list("text", flat=True).first() or ""
    return typed


def template_of(message: Message) -> Template:
    if message.catalogue_version_id is not None:
        found = index_of(message.catalogue_version_id).template(message.event_kind, message.facts.get("service") or "")
        if found is not None:
            return found
    return defaults.TEMPLATES[message.event_kind]


def render(template: Template, values: Mapping[str, str], language: str, unsubscribe: str) -> Rendered:
    body = tidy(fill(text_in(template.body, (language,)), values))
    subject = one_line(fill(text_in(template.subject, (language,)), values))
    footer = fill(text_in(defaults.UNSUBSCRIBE, (language, language.split("-")[0], "en")), {"unsubscribe": unsubscribe})
    context = {"language": language, "subject": subject, "footer": _around(footer, unsubscribe)}
    paragraphs = [
        [_around(line, values.get("link", "")) for line in part.split("\n")] for part in body.strip().split("\n\n")
    ]
    return Rendered(
        subject=subject,
        body=f"{body}\n-- \n{footer}\n",
        html=render_to_string("notifications/message.html", {**context, "paragraphs": paragraphs}),
        sms=one_line(fill(text_in(template.sms, (language,)), values)),
        language=language,
    )


def _around(line: str, link: str) -> dict[str, str]:
    """What stands before, in and after our own link. No other address in a text becomes a link: people wrote parts of it."""
    before, found, after = line.partition(link) if link else (line, "", "")
    return {"before": before, "link": found, "after": after}


def placeholder_values(
    facts: Mapping[str, Any],
    *,
    jurisdiction: Jurisdiction,
    language: str,
    at: datetime,
    link: str = "",
) -> dict[str, str]:
    """Every placeholder of the catalogue's texts -> what stands there, in the language and the city's zone."""
    say = _Words(facts, jurisdiction, language, at)
    found = {
        "number": say.fact("number"),
        "service": say.name("services", "service"),
        "address": one_line(say.fact("address")),
        "team": say.name("teams", "team"),
        "department": say.department(),
        "step": say.step(),
        "due_on": say.date("due_on"),
        "outcome": say.name("outcomes", "outcome"),
        "outcome_note": one_line(say.fact("outcome_note")),
        "reason": say.reason(),
        "owner": say.name("owners", "owner"),
        "owner_says": say.about_owner(),
        "reference": one_line(say.fact("reference")),
        "leading_number": say.fact("leading_number"),
        "city": jurisdiction.name,
        "link": link,
        "dispute_until": say.date("dispute_until"),
        "title": one_line(say.fact("title")),
        "answer": say.fact("answer"),
        "callback_window": say.window(),
        "comment": say.fact("comment").strip(),
    }
    return {name: value or say.instead(name) for name, value in found.items()}


class _Words:
    """The codes of the facts as the city says them."""

    def __init__(self, facts: Mapping[str, Any], jurisdiction: Jurisdiction, language: str, at: datetime) -> None:
        self.facts, self.language, self.at, self.zone = facts, language, at, jurisdiction.zone
        self.languages = (language, language.split("-")[0], *jurisdiction.languages)
        version = facts.get("request_version")
        self.index: CatalogueIndex | None = index_of(int(version)) if version else None

    def fact(self, name: str) -> str:
        return str(self.facts.get(name) or "")

    def name(self, kind: str, fact: str) -> str:
        code = self.fact(fact)
        thing = getattr(self.index, kind).get(code) if self.index else None
        if thing is None:
            return code.replace("-", " ").replace("_", " ")
        return text_in(getattr(thing, "texts", None) or thing.names, self.languages)

    def about_owner(self) -> str:
        owner = self.index.owners.get(self.fact("owner")) if self.index else None
        return owner_says(owner, self.language) if owner else ""

    def department(self) -> str:
        service = self.index.services.get(self.fact("service")) if self.index else None
        department = self.index.departments.get(service.department) if self.index and service else None
        return text_in(department.names, self.languages) if department else ""

    def step(self) -> str:
        service = self.index.services.get(self.fact("service")) if self.index else None
        policy = self.index.promise_of(service) if self.index and service else None
        return text_in(policy.step, self.languages) if policy else ""

    def reason(self) -> str:
        """Of waiting, from the catalogue; of a changed promise, our own words."""
        code = self.fact("reason")
        if code in defaults.PROMISE_REASONS:
            return text_in(defaults.PROMISE_REASONS[code], self.languages)
        return self.name("stop_reasons", "reason")

    def date(self, name: str) -> str:
        """Due at midnight is due by the end of the day before, as the public sentence says it."""
        written = self.fact(name)
        if not written:
            return ""
        due = datetime.fromisoformat(written)
        if due.astimezone(self.zone).time() == time.min:
            due -= timedelta(minutes=1)
        return spoken(due, self.at, self.zone, self.language)

    def window(self) -> str:
        """'Thursday, March 5, 2:00 PM to 4:00 PM'."""
        start, end = self.fact("window_from"), self.fact("window_to")
        if not start or not end:
            return ""
        first, last = datetime.fromisoformat(start), datetime.fromisoformat(end)
        with _speaking(self.language):
            clock = formats.date_format(last.astimezone(self.zone), _clock_format(self.language))
        to = {"es": "a", "en": "to"}.get(self.language.split("-")[0], "-")
        return f"{spoken(first, self.at, self.zone, self.language, with_clock=True)} {to} {clock}"

    def instead(self, name: str) -> str:
        return text_in(defaults.MISSING.get(name, {}), self.languages)


_DAY = {"en": "l, F j", "es": r"l j \d\e F"}
_YEAR = {"en": ", Y", "es": r" \d\e Y"}


def spoken(at: datetime, told_at: datetime, zone: ZoneInfo, language: str, *, with_clock: bool = False) -> str:
    """'Thursday, March 5', 'jueves 5 de marzo': with the year when it is another one, with the hour when it is soon."""
    local, base = at.astimezone(zone), language.split("-")[0]
    other_year = local.year != told_at.astimezone(zone).year
    with _speaking(language):
        day = _DAY[base] + (_YEAR[base] if other_year else "") if base in _DAY else "DATE_FORMAT"
        said = formats.date_format(local, day)
        if with_clock or at - told_at <= CLOCK_MATTERS_WITHIN:
            said += f", {formats.date_format(local, _clock_format(language))}"
    return said


def _clock_format(language: str) -> str:
    return "g:i A" if language.split("-")[0] == "en" else "H:i"


def _speaking(language: str) -> Any:
    """Django's names of days and months; any language it ships, not only those of our own pages."""
    return translation.override(language)


# --- Links -------------------------------------------------------------------------------------------------------------------


def unsubscribe_link(jurisdiction_id: int, contact_point_id: int) -> str:
    """Signed, so that nobody unsubscribes another by counting; it works as long as the secret key does."""
    token = signing.dumps([jurisdiction_id, contact_point_id], salt=UNSUBSCRIBE_SALT)
    return f"{settings.BASE_URL}/unsubscribe/{token}"


def link_of(message: Message) -> str:
    """The page of the article that is sent, else of the request."""
    if message.article_id is not None:
        return article_link(message.article_id, message.language, message.jurisdiction_id)
    return request_link(message.request_id, message.resident_id, message.jurisdiction_id)


def article_link(article_id: int, language: str, jurisdiction_id: int) -> str:
    """The page of a public answer; signed, so that nobody counts through what the city has."""
    token = signing.dumps([jurisdiction_id, article_id, language], salt=ARTICLE_SALT)
    return f"{settings.BASE_URL}/a/{token}"


def request_link(request_id: int | None, resident_id: int, jurisdiction_id: int) -> str:
    """The resident's own page of a request; the city's front page when there is no request."""
    if request_id is None:
        return f"{settings.BASE_URL}/"
    token = signing.dumps([jurisdiction_id, request_id, resident_id], salt=LINK_SALT)
    return f"{settings.BASE_URL}/r/{token}"
