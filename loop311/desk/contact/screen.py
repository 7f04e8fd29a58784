"""The contact as its screen shows it: every section is worked out when it is shown, out of the draft and the city's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from django.urls import reverse

from loop311.callbacks.models import Callback
from loop311.catalog.definitions import PlaceNeed, Service
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.services import current
from loop311.desk import answers, callers, filing, placing
from loop311.desk.access import Desk
from loop311.desk.asking import advice, raw_answers
from loop311.desk.callers import Caller
from loop311.desk.contact import content as contents
from loop311.desk.contact import knowing, saying
from loop311.desk.contact.content import PREFIX
from loop311.desk.contact.drafts import WrittenElsewhere
from loop311.desk.contact.forms import ContactForm, Questions, as_sent
from loop311.desk.contact.knowing import Answer
from loop311.desk.contact.saying import Said, Tongues
from loop311.desk.contact.wording import Wording
from loop311.desk.known import Known, already_known
from loop311.desk.models import Draft
from loop311.desk.people.page import zone_of
from loop311.desk.people.words import spelled
from loop311.desk.reading import topic_names
from loop311.desk.suggesting import Proposal, propose
from loop311.desk.whereabouts import Preview, Whereabouts, preview, whereabouts
from loop311.interactions.models import InteractionLink
from loop311.interactions.queries import LastContact
from loop311.kit.problems import Problem
from loop311.knowledge.models import Gap
from loop311.notifications.models import Message
from loop311.places.geocoding import Candidate
from loop311.requests.models import Enclosure, Request
from loop311.requests.sentences import say
from loop311.requests.services import enclosed
from loop311.residents.models import Resident

MOST_PROPOSALS = 6
MOST_NEAR = 4
MOST_UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Place:
    """What was chosen for the address: a position, or the words alone (`position` None)."""

    text: str
    position: tuple[float, float] | None


def nobody_knows(desk: Desk) -> list[Gap]:
    """The first of what must be found out; one query."""
    return answers.nobody_knows(desk)[:MOST_UNKNOWN] if desk.actor.may("knowledge.read") else []


def key_of(draft: Draft, content: contents.Content) -> str:
    """Under which the thing in hand is filed once, and its photos wait."""
    return f"contact:{draft.interaction_id}:{content.part}"


class Screen:
    """One contact at one moment. `problem`: what the last step was refused for."""

    def __init__(self, desk: Desk, draft: Draft, *, tab: str, problem: Problem | None = None) -> None:
        self.desk, self.draft, self.tab, self.problem = desk, draft, tab, problem
        self.content = contents.read(draft.content)
        self.interaction = draft.interaction

    @cached_property
    def form(self) -> ContactForm:
        form = ContactForm(self.desk, self.content, self.topics)
        form.is_valid()
        form.errors.clear()  # half a date is no fault while it is typed; what a step refuses is put at its field
        for fault in self.problem.fields if self.problem else ():
            if fault.field in form.fields:
                form.add_error(fault.field, fault.detail)
        return form

    @cached_property
    def unplaced(self) -> list[str]:
        """Sentences of the last refusal that belong to no field of the screen."""
        if self.problem is None:
            return []
        here = {"photos", *self.form.fields, *(self.questions.fields if self.questions else ())}
        loose = [fault.detail for fault in self.problem.fields if fault.field not in here]
        return loose if self.problem.fields else [self.problem.detail]

    @property
    def differences(self) -> list[tuple[str, str, str]] | None:
        """(field, words here, words in the other window) when two windows have written."""
        if not isinstance(self.problem, WrittenElsewhere):
            return None
        named = self.wording
        return [
            (named.field(f), named.value(f, here), named.value(f, there)) for f, here, there in self.problem.differences
        ]

    @cached_property
    def wording(self) -> Wording:
        return Wording(self.service, self.desk.language)

    # --- The caller ----------------------------------------------------------------------------------------------------

    @cached_property
    def resident(self) -> Resident | None:
        found: Resident | None = self.interaction.resident
        return found

    @property
    def zone(self) -> ZoneInfo:
        """Where the caller's clocks are."""
        return zone_of(self.resident, self.desk) if self.resident else self.desk.city.zone

    @property
    def zone_differs(self) -> bool:
        return self.zone != self.desk.city.zone

    @cached_property
    def caller(self) -> Caller | None:
        """Who is chosen, with everything that is open."""
        return callers.caller(self.desk, self.resident.pk) if self.resident else None

    @property
    def last_contacts(self) -> list[tuple[LastContact, str]]:
        """The two before this one, with what they were about."""
        before = self.caller.contacts[1:3] if self.caller else ()
        names = topic_names(self.desk, [each.topic for each in before])
        return [(each, names.get(each.topic, "")) for each in before]

    @cached_property
    def found(self) -> list[Caller]:
        """Who may be meant by the words, as long as nobody is chosen."""
        return [] if self.resident else callers.callers(self.desk, self.content.word("who"))

    @cached_property
    def tongues(self) -> Tongues:
        return Tongues(self.language, self.desk.language)

    @property
    def language(self) -> str:
        """Chosen here, else the caller's own, as far as the city speaks it."""
        known = (
            self.content.word("language"),
            self.resident.language if self.resident else "",
            self.interaction.language,
        )
        return next((each for each in known if each in self.desk.city.languages), self.desk.language)

    # --- What they want ------------------------------------------------------------------------------------------------

    @cached_property
    def _catalogue(self) -> tuple[int, CatalogueIndex]:
        version, index = current(self.desk.city.pk)
        return version.pk, index

    @cached_property
    def service(self) -> Service | None:
        service = self._catalogue[1].services.get(self.content.service)
        return None if service is None or service.historical else service

    @property
    def service_name(self) -> Said:
        return self.tongues.both(self.service.names if self.service else {})

    @property
    def described(self) -> Said:
        return self.tongues.both(self.service.descriptions if self.service else {})

    @cached_property
    def proposals(self) -> list[Proposal]:
        words = self.content.word("want")
        return [] if self.service or not words else propose(self.desk, words, MOST_PROPOSALS)

    @cached_property
    def answers(self) -> list[Answer]:
        return knowing.answers(self.desk, self.content.word("want"), self.content.service, self.tongues)

    @cached_property
    def questions(self) -> Questions | None:
        if self.service is None:
            return None
        form = Questions(self.service, self.tongues, self.content)
        form.is_valid()
        for fault in self.problem.fields if self.problem else ():
            if fault.field in form.fields and fault.field not in form.errors:
                form.add_error(fault.field, fault.detail)
        return form

    @property
    def raw(self) -> Mapping[str, object]:
        """As typed, for the questions that are asked: what is wrong is refused when it is filed."""
        if self.service is None or self.questions is None:
            return {}
        asked = {question.code for question in self.questions.questions}
        given = raw_answers(self.service, as_sent(self.content))
        return {code: answer for code, answer in given.items() if code in asked}

    @property
    def is_danger(self) -> bool:
        return self.questions is not None and self.questions.danger and not self.content.number

    @property
    def for_911(self) -> str:
        """What and where, in the desk's own language, and who is on the line."""
        word, note = self.content.word, self.content.word("location_note")
        where = " ".join(part for part in (word("address"), f"({note})" if note else "") if part)
        what = say(self.service.names, self.desk.language) if self.service else ""
        name = (self.resident.name if self.resident else "") or word("name")
        phones = [each.address for each in self.caller.points if "@" not in each.address] if self.caller else []
        who = ", ".join(part for part in (name, spelled(next(iter(phones), word("phone")))) if part)
        return " ".join(f"{part}." for part in (", ".join(part for part in (what, where) if part), who) if part)

    @property
    def advice(self) -> list[Said]:
        """What to tell the caller because of an answer, but that of danger."""
        if self.service is None or self.questions is None:
            return []
        said = [advice(self.service, self.questions.answers, language) for language in self.tongues]
        pairs = [(each.text, here.text) for each, here in zip(*said, strict=True) if not each.is_emergency]
        return [self.tongues.both({self.desk.language: here, self.language: text}) for text, here in pairs]

    @property
    def shown_questions(self) -> list[str]:
        return [PREFIX + question.code for question in self.questions.questions] if self.questions else []

    # --- Where ---------------------------------------------------------------------------------------------------------

    @property
    def needs_place(self) -> bool:
        return self.service is None or self.service.place is not PlaceNeed.NONE

    @property
    def place(self) -> Place | None:
        if self.content.place == filing.NO_POSITION:
            return Place(self.content.word("address"), None)
        found = filing.position_of(self.content.place)
        return Place(found[2], (found[0], found[1])) if found else None

    @cached_property
    def places(self) -> list[tuple[str, Candidate]]:
        """What the address may mean, with the value that chooses it; nothing once one is chosen."""
        if self.content.place:
            return []
        return [(filing.written(each), each) for each in filing.places(self.desk, self.content.word("address"))[:6]]

    @cached_property
    def here(self) -> Whereabouts | None:
        """Areas and owner of the chosen place."""
        if self.place is None or self.place.position is None:
            return None
        return whereabouts(self.desk, self.content.service, *self.place.position, answers=self.raw)

    @cached_property
    def near(self) -> Sequence[Known]:
        """Open requests that may be the same thing in the world."""
        if self.service is None or self.place is None or self.place.position is None:
            return []
        return already_known(self.desk, self.service.code, *self.place.position, limit=MOST_NEAR)

    @property
    def key(self) -> str:
        return key_of(self.draft, self.content)

    @cached_property
    def photos(self) -> list[Enclosure]:
        """Of the thing in hand, as long as it is not filed."""
        return enclosed(self.interaction, key=self.key)

    @property
    def photo_problem(self) -> str:
        return (
            next((fault.detail for fault in self.problem.fields if fault.field == "photos"), "") if self.problem else ""
        )

    # --- What is promised, and what came of it ---------------------------------------------------------------------------

    @cached_property
    def promise(self) -> Preview | None:
        """As it would be made now; None outside the city, and before a service is chosen."""
        if self.service is None:
            return None
        latitude, longitude = (self.place and self.place.position) or (None, None)
        return preview(self.desk, self.service.code, answers=self.raw, latitude=latitude, longitude=longitude)

    @property
    def planned(self) -> Said | None:
        """What to say before it is saved: whose it is, where it is not the city's, else who does what by when."""
        tell = self.here.tell if self.here else {}
        sentences = tell or (self.promise.sentences if self.promise else {})
        return self.tongues.both(sentences) if sentences else None

    @cached_property
    def usual(self) -> Said | None:
        """How long these usually take there."""
        if self.service is None:
            return None
        return self.tongues.both(placing.usual(self.desk, self.service.code, self.here))

    @cached_property
    def filed(self) -> Request | None:
        """What came of the thing in hand."""
        return next((each for each in self.requests if each.number == self.content.number), None)

    @property
    def confirmation(self) -> Said | None:
        return saying.confirmation(self.filed, self.planned, self.tongues) if self.filed else None

    @cached_property
    def requests(self) -> list[Request]:
        rows = Request.objects.filter(jurisdiction=self.desk.city, interaction=self.interaction)
        return list(rows.select_related("service", "team", "leading", "jurisdiction").order_by("pk"))

    @cached_property
    def callbacks(self) -> list[Callback]:
        return list(Callback.objects.of_city(self.desk.city.pk).filter(interaction=self.interaction).order_by("pk"))

    @cached_property
    def about(self) -> list[Request]:
        """Existing requests the caller asked about."""
        links = InteractionLink.objects.filter(
            jurisdiction=self.desk.city, interaction=self.interaction, subject_type="request"
        )
        rows = Request.objects.filter(jurisdiction=self.desk.city, pk__in=links.values("subject_id"))
        return list(rows.select_related("service", "team", "jurisdiction").order_by("pk"))

    @property
    def about_said(self) -> list[tuple[Request, Said]]:
        return [(each, saying.state_of(each, self.tongues)) for each in self.about]

    @cached_property
    def gaps(self) -> list[Gap]:
        return knowing.gaps(self.desk, self.content.gaps)

    @cached_property
    def messages(self) -> list[Message]:
        """Answers that were sent in this contact."""
        rows = Message.objects.filter(jurisdiction=self.desk.city, interaction=self.interaction)
        return list(rows.select_related("article", "contact_point").order_by("pk"))

    @cached_property
    def unknown(self) -> list[Gap]:
        """What nobody at any desk can answer just now."""
        return nobody_knows(self.desk)

    @property
    def is_empty(self) -> bool:
        content = self.content
        rows = self.requests or self.callbacks or self.about or self.messages
        return not (rows or content.given or content.gaps or content.danger)

    @cached_property
    def topics(self) -> dict[str, str]:
        """What the contact may have been about, by code."""
        found = {each.topic: each.title for each in self.content.given}
        if self.service is not None:
            found.setdefault(self.service.code, say(self.service.names, self.desk.language))
        for request in self.requests:
            found.setdefault(request.service.code, say(request.service.names, self.desk.language))
        return found

    @property
    def go(self) -> str:
        """The address that keeps the words."""
        return self.address("go")

    def address(self, step: str) -> str:
        return reverse("desk:step", args=[self.draft.interaction_id, step])

    # --- Words to say ----------------------------------------------------------------------------------------------------

    @property
    def say(self) -> dict[str, Said]:
        return {name: self.tongues.phrase(name) for name in ("who", "want", "where", "danger", "known", "else")}
