"""Taking a request down on plain pages: the service, its questions, the place and the resident, then one call of the service."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from loop311.catalog.definitions import Answers, PlaceNeed, Service
from loop311.catalog.index import CatalogueIndex
from loop311.catalog.services import current, finder_of
from loop311.desk import placing
from loop311.desk.access import Desk
from loop311.desk.forms import StyledForm
from loop311.desk.placing import Position
from loop311.interactions.policies import Channel
from loop311.kit.problems import Forbidden, Invalid, NotFound
from loop311.places.geocoding import Candidate, geocode
from loop311.requests import services
from loop311.requests.models import Request
from loop311.requests.sentences import say
from loop311.residents import services as residents
from loop311.residents.models import Resident
from loop311.residents.services import PointInput

CHANNELS = {
    Channel.PHONE: _("Phone"),
    Channel.COUNTER: _("Counter"),
    Channel.EMAIL: _("E-mail"),
    Channel.MESSAGE: _("Text message or social media"),
    Channel.LETTER: _("Letter"),
    Channel.STAFF: _("Found by the city's own people"),
}
NO_POSITION = "none"


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    services: Sequence[tuple[str, str, str]]
    """(code, name, description)"""


def picker(desk: Desk, words: str) -> list[Group]:
    """The services something can be filed under: by group, or those the words fit in one list, best first."""
    version, index = current(desk.city.pk)
    if not words.strip():
        groups: dict[str, list[Service]] = {}
        for service in index.offered():
            groups.setdefault(service.group, []).append(service)
        return [Group(_group(index, code, desk), _entries(desk, members)) for code, members in groups.items()]
    found = [index.services[each.code] for each in finder_of(version.pk).find(words)]
    return [Group(str(_("Best first")), _entries(desk, found))] if found else []


def _entries(desk: Desk, services: Sequence[Service]) -> list[tuple[str, str, str]]:
    return [(each.code, _name(each, desk), say(each.descriptions, desk.language)) for each in services]


def _name(service: Service, desk: Desk) -> str:
    return say(service.names, desk.language, service.code)


def _group(index: CatalogueIndex, code: str, desk: Desk) -> str:
    group = index.groups.get(code)
    return say(group.names, desk.language, code) if group else code


def offered(desk: Desk, code: str) -> Service:
    _version, index = current(desk.city.pk)
    service = index.services.get(code)
    if service is None or service.historical:
        raise NotFound(str(_("The city does not offer this service.")))
    return service


class DetailsForm(StyledForm):
    """Where, what else, how it came in, and who asks."""

    address = forms.CharField(label=_("Address or crossing"), required=False, max_length=300)
    place = forms.ChoiceField(label=_("Which of these is meant?"), required=False, widget=forms.RadioSelect)
    latitude = forms.CharField(label=_("Latitude"), required=False, max_length=30)
    longitude = forms.CharField(label=_("Longitude"), required=False, max_length=30)
    leading = forms.CharField(label=_("Joined to"), required=False, max_length=40)
    searched = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)
    location_note = forms.CharField(
        label=_("How to find it"),
        help_text=_("For the crew: behind the school, left lane."),
        required=False,
        max_length=1000,
    )
    description = forms.CharField(
        label=_("In the resident's words"), required=False, max_length=20_000, widget=forms.Textarea
    )
    channel = forms.ChoiceField(label=_("How it came in"), choices=[(c.value, name) for c, name in CHANNELS.items()])
    name = forms.CharField(
        label=_("Resident's name"), help_text=_("Leave name, phone and e-mail empty for an anonymous report."),
        required=False, max_length=200,
    )  # fmt: skip
    phone = forms.CharField(label=_("Mobile phone"), required=False, max_length=40)
    email = forms.CharField(label=_("E-mail"), required=False, max_length=254)
    language = forms.ChoiceField(label=_("Language"), required=False)
    resident = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    key = forms.RegexField(r"[0-9a-f-]{36}", widget=forms.HiddenInput)

    def __init__(self, desk: Desk, service: Service, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)  # noqa: S101 - declared above
        language.choices = [(code, LANGUAGES.get(code, code)) for code in desk.city.languages]
        self.needs_place = service.place is PlaceNeed.REQUIRED
        if service.place is PlaceNeed.NONE:
            for field in ("address", "place", "latitude", "longitude", "location_note"):
                del self.fields[field]

    def clean(self) -> dict[str, Any]:
        try:
            placing.position(self.cleaned_data.get("latitude"), self.cleaned_data.get("longitude"))
        except Invalid as problem:
            self.add_problem(problem)
        return self.cleaned_data

    def offer_places(self, candidates: Sequence[Candidate]) -> None:
        """Show what an address may mean; the choice carries the position and the text."""
        place = self.fields.get("place")
        if isinstance(place, forms.ChoiceField):
            found = [(written(candidate), candidate.text) for candidate in candidates]
            place.choices = [*found, (NO_POSITION, _("None of these: keep the address as it is written"))]


LANGUAGES = {"en": _("English"), "es": _("Spanish")}


def written(candidate: Candidate) -> str:
    return f"{candidate.latitude:.6f},{candidate.longitude:.6f},{candidate.text}"


def position_of(choice: str) -> tuple[float, float, str] | None:
    match = re.fullmatch(r"(-?\d{1,2}\.\d{6}),(-?\d{1,3}\.\d{6}),(.+)", choice)
    return (float(match[1]), float(match[2]), match[3]) if match else None


def position_in(data: QueryDict) -> Position | None:
    """Where the form as it stands points to: the place chosen from the list, else latitude and longitude. Raises Invalid."""
    chosen = position_of(data.get("place", ""))
    return chosen[:2] if chosen else placing.position(data.get("latitude"), data.get("longitude"))


def places(desk: Desk, address: str) -> list[Candidate]:
    return geocode(desk.city, address) if address.strip() else []


def file(desk: Desk, service: Service, answers: Answers, given: dict[str, Any]) -> Request:
    """One call: the resident recognised or written down, the request filed. Raises Invalid naming the fields."""
    if not desk.actor.may("requests.file"):
        raise Forbidden(str(_("Your role does not include filing.")))
    latitude, longitude, address = _place(given)
    filing = services.Filing(
        service_code=service.code,
        answers=answers,
        description=given["description"],
        address=address,
        latitude=latitude,
        longitude=longitude,
        location_note=given.get("location_note", ""),
        channel=Channel(given["channel"]),
        language=given["language"],
        resident=_resident(desk, given),
        leading=_leading(desk, given),
    )
    return services.file(desk.city, filing, by=desk.actor, key=given["key"])


def _place(given: dict[str, Any]) -> tuple[float | None, float | None, str]:
    """The place chosen from the list, else the point given with the address as it is written."""
    chosen = position_of(given.get("place") or "")
    if chosen:
        return chosen
    here = placing.position(given.get("latitude"), given.get("longitude"))
    return (*(here or (None, None)), given.get("address", ""))


def _leading(desk: Desk, given: dict[str, Any]) -> Request | None:
    """The open request it is the same as, by its number."""
    if not given["leading"]:
        return None
    found = Request.objects.filter(jurisdiction=desk.city, number=given["leading"]).first()
    if found is None:
        raise Invalid(str(_("There is no request with this number in this city.")))
    return found


def _resident(desk: Desk, given: dict[str, Any]) -> Resident | None:
    if given["resident"]:
        return residents.get(given["resident"], by=desk.actor)
    points = [
        PointInput(kind, given[field]) for kind, field in (("mobile", "phone"), ("email", "email")) if given[field]
    ]
    if not given["name"].strip() and not points:
        return None
    return residents.recognise(
        desk.city, by=desk.actor, name=given["name"], language=given["language"], contact_points=points
    )
