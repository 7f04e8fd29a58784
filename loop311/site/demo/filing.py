"""How an ask of the plan becomes a request: by which door, by whom, where, and whether somebody has reported it already."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from loop311.accounts.models import Team
from loop311.catalog.definitions import PlaceNeed, Service
from loop311.interactions.policies import Channel, ContactOutcome
from loop311.kit.actor import Actor
from loop311.requests.models import Request
from loop311.requests.services import Filing
from loop311.residents.models import Resident
from loop311.site.demo.answers import answers
from loop311.site.demo.crew import resident_actor
from loop311.site.demo.demand import Ask
from loop311.site.demo.founding import Founded
from loop311.site.demo.streets import Point

CHANNELS = {
    Channel.PHONE: 55,
    Channel.WEB: 20,
    Channel.APP: 12,
    Channel.EMAIL: 4,
    Channel.COUNTER: 3,
    Channel.MESSAGE: 2,
    Channel.STAFF: 4,
}
ANONYMOUS = 0.2
OWN_HOME = 0.3
SAME_THING = 0.14
SAME_THING_IN_STORM = 0.35
METRES_PER_DEGREE = 111_320


@dataclass(slots=True)
class Filed:
    """A request of the demo with what the next steps need. `request` is as last seen."""

    request: Request
    service: Service
    ask: Ask
    resident: Resident | None
    rng: Random
    round: int = 1
    right_team: Team | None = None
    """Where it belongs, after it was sent elsewhere by mistake."""


@dataclass(frozen=True, slots=True)
class _Place:
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None


def file(city: Founded, ask: Ask, rng: Random, twin: Filed | None) -> Filed:
    """One contact that leads to one request; a twin's place is taken over, a few metres off."""
    service = city.index.services[ask.service]
    (channel,) = rng.choices([*CHANNELS], [*CHANNELS.values()])
    who = None if channel is Channel.STAFF or rng.random() < ANONYMOUS else rng.randrange(len(city.residents))
    resident = None if who is None else city.residents[who]
    language = resident.language if resident else "en"
    place = _near(rng, twin) if twin else _place(rng, city, service, who)
    by = _door(city, channel, resident, rng)
    begun = ask.at - timedelta(seconds=rng.randint(40, 200))
    contact = city.hands.begin_contact(
        city.jurisdiction, channel, by=by, resident=resident, language=language, at=begun
    )
    filing = Filing(
        service_code=service.code,
        answers=dict(twin.request.answers) if twin else answers(rng, service, ask.at, language),
        description=f"{city.index.text(service.descriptions, language)} (demo)" if rng.random() < 0.7 else "",
        address=place.address,
        latitude=place.latitude,
        longitude=place.longitude,
        channel=channel,
        language=language,
        resident=resident,
        interaction=contact,
    )
    request = city.hands.file(city.jurisdiction, filing, by=by, at=ask.at)
    ended = ask.at + timedelta(seconds=rng.randint(10, 60))
    city.hands.end_contact(contact, outcome=ContactOutcome.REQUEST, topic=service.code, by=by, at=ended)
    return Filed(request, service, ask, resident, rng)


def _door(city: Founded, channel: Channel, resident: Resident | None, rng: Random) -> Actor:
    if channel in (Channel.WEB, Channel.APP):
        return resident_actor(resident) if resident else city.crew.system
    return city.crew.system if channel is Channel.STAFF else city.crew.concierge(rng)


def _place(rng: Random, city: Founded, service: Service, who: int | None) -> _Place:
    if service.place is PlaceNeed.NONE or (service.place is PlaceNeed.OPTIONAL and rng.random() < 0.5):
        return _Place()
    at_home = who is not None and rng.random() < OWN_HOME
    point = city.homes[who] if at_home and who is not None else _somewhere(rng, city)
    return _Place(point.text, point.latitude, point.longitude)


def _somewhere(rng: Random, city: Founded) -> Point:
    """Crossings for a fifth; the rest at addresses, more of them in the older half of the list."""
    if rng.random() < 0.2:
        return rng.choice(city.town.crossings)
    houses = city.town.addresses
    return houses[int(len(houses) * rng.random() ** 1.3)]


def _near(rng: Random, twin: Filed) -> _Place:
    """Within half the service's joining radius of the first report."""
    request = twin.request
    if request.latitude is None or request.longitude is None:
        return _Place(request.address)
    metres, turn = twin.service.joining.radius_metres * 0.5 * rng.random(), rng.uniform(0, math.tau)
    shrink = math.cos(math.radians(request.latitude))
    return _Place(
        request.address,
        round(request.latitude + metres * math.sin(turn) / METRES_PER_DEGREE, 6),
        round(request.longitude + metres * math.cos(turn) / METRES_PER_DEGREE / shrink, 6),
    )


def reports_a_known_thing(rng: Random, ask: Ask, service: Service) -> bool:
    """Whether this caller sees what somebody else has reported already."""
    share = SAME_THING_IN_STORM if ask.in_storm else SAME_THING
    return service.joining.radius_metres > 0 and rng.random() < share


def tell_something(city: Founded, ask: Ask, rng: Random) -> None:
    """A contact that ends with an answer: no request."""
    (channel,) = rng.choices([Channel.PHONE, Channel.COUNTER, Channel.MESSAGE], [90, 6, 4])
    who = rng.choice(city.residents) if rng.random() < 0.3 else None
    started: datetime = ask.at - timedelta(seconds=rng.randint(30, 150))
    by = city.crew.concierge(rng)
    language = who.language if who else "en"
    contact = city.hands.begin_contact(city.jurisdiction, channel, by=by, resident=who, language=language, at=started)
    city.hands.end_contact(contact, outcome=ContactOutcome.INFORMATION, topic=ask.service, by=by, at=ask.at)
