"""The city the bench measures in: the starter catalogue, three layers of areas, and as many past requests as are asked for."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import shapely
from django.db import connection

from bench.floor import Floor
from loop311.accounts.models import Team
from loop311.accounts.policies import PERMISSIONS
from loop311.accounts.services import create_token
from loop311.catalog.conditions import visible_questions
from loop311.catalog.definitions import Answer, Datatype, Question, Service
from loop311.catalog.files import STARTER, read
from loop311.catalog.services import publish
from loop311.interactions.policies import Channel
from loop311.jurisdictions import services as jurisdictions
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, system
from loop311.kit.clock import now
from loop311.kit.problems import Invalid
from loop311.places.services import load_boundaries
from loop311.requests.models import Request
from loop311.requests.services import Filing, file

SOUTH, WEST, SIDE = 30.20, -97.85, 0.2
"""A square of about 22 by 19 km."""

FIRST_ID = {
    "interactions_interaction": 110_000_000,
    "requests_request": 230_000_000,
    "requests_promise": 350_000_000,
    "ledger_event": 470_000_000,
}
"""Far apart, so that an id in a recorded statement is known for what it is."""

LIVE = 60_000_000
"""So far after the first of a table's copies the ids and numbers begin that the product gives while it is measured."""

OPEN_SHARE = 0.05
MINUTES_APART = 2.6
"""About 200,000 requests a year."""


@dataclass(slots=True)
class Town:
    jurisdiction: Jurisdiction
    by: Actor
    token: str
    services: list[Service]
    """Of which requests are filed: each with its required answers in `answers`."""
    answers: dict[str, dict[str, Answer]]
    templates: list[int]
    """Requests that were really filed; the past ones are made in their likeness."""
    size: int = 0

    def filing(self, number: int) -> Filing:
        """Something a resident could ask, a different one for each number."""
        return self.filing_of(self.services[number % len(self.services)], number)

    def filing_of(self, service: Service, number: int) -> Filing:
        latitude, longitude = position(number)
        return Filing(
            service_code=service.code,
            answers=self.answers[service.code],
            description=f"As seen from the pavement this morning, for the {number}th time.",
            address=f"{100 + number % 9800} Elm Street",
            latitude=latitude,
            longitude=longitude,
            channel=Channel.API,
        )

    def team_codes(self) -> list[str]:
        """Of the teams that have requests, in the order of their codes."""
        ids = Request.objects.filter(pk__in=self.templates).values_list("team_id", flat=True)
        return list(Team.objects.filter(pk__in=list(ids)).order_by("code").values_list("code", flat=True))


def position(number: int) -> tuple[float, float]:
    """Latitude and longitude somewhere in the city, the same for the same number."""
    chance = random.Random(number)  # noqa: S311 - places, no secrets
    return SOUTH + SIDE * (0.02 + 0.96 * chance.random()), WEST + SIDE * (0.02 + 0.96 * chance.random())


def build() -> Town:
    """Found the city, publish, load the areas, file one request of each service that can be filed by rote."""
    jurisdiction = jurisdictions.create("bench", name="Bench", time_zone="America/Chicago", languages=("en", "es"))
    by = system(jurisdiction.pk)
    publish(jurisdiction, read(STARTER).catalogue, by=by)
    load_boundaries(jurisdiction, "city", districts(1), by=by, key_property="key", is_boundary=True)
    load_boundaries(jurisdiction, "council_district", districts(14), by=by, key_property="key")
    load_boundaries(jurisdiction, "neighborhood", districts(50), by=by, key_property="key")
    token = create_token(jurisdiction, "bench", PERMISSIONS, by=by)[1]
    town = Town(jurisdiction, by, token, [], {}, [])
    for service in read(STARTER).catalogue.services:
        town.answers[service.code] = answers_for(service)
        try:
            request = file(jurisdiction, town.filing_of(service, len(town.services)), by=by)
        except Invalid:  # asks for more than a bench can say
            continue
        town.services.append(service)
        town.templates.append(request.pk)
    return town


def answers_for(service: Service) -> dict[str, Answer]:
    """The least that must be answered, with nobody in danger."""
    answers: dict[str, Answer] = {}
    for _ in service.questions:
        for question in visible_questions(service, answers):
            if question.required and question.code not in answers:
                answers[question.code] = _answer(question)
    return answers


def _answer(question: Question) -> Answer:
    by_datatype: dict[Datatype, Answer] = {
        Datatype.NUMBER: question.minimum or 1,
        Datatype.BOOLEAN: False,
        Datatype.DATETIME: now().isoformat(),
    }
    if question.choices:
        last = question.choices[-1].code
        return [last] if question.datatype is Datatype.MULTIVALUELIST else last
    return by_datatype.get(question.datatype, "said by the bench")


def districts(count: int) -> dict[str, object]:
    """GeoJSON of areas that fill the city, with curved borders of some hundred points each."""
    square = shapely.box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)
    chance = random.Random(count)  # noqa: S311
    seeds = shapely.MultiPoint([(WEST + SIDE * chance.random(), SOUTH + SIDE * chance.random()) for _ in range(count)])
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=square)) if count > 1 else [square]
    shapes = [shapely.transform(shapely.segmentize(cell.intersection(square), SIDE / 200), _bent) for cell in cells]
    features = [
        {"type": "Feature", "properties": {"key": str(number)}, "geometry": shapely.geometry.mapping(shape)}
        for number, shape in enumerate(shapes, 1)
    ]
    return {"type": "FeatureCollection", "features": features}


def _bent(points: shapely.Geometry) -> object:
    """A gentle wave that leaves the city's edge where it is; shared borders stay shared."""
    x, y = points[:, 0] - WEST, points[:, 1] - SOUTH
    bent = points.copy()
    for row in range(len(points)):
        inside = math.sin(math.pi * x[row] / SIDE) * math.sin(math.pi * y[row] / SIDE)
        bent[row, 0] += SIDE * 0.02 * inside * math.sin(40 * y[row] / SIDE)
        bent[row, 1] += SIDE * 0.02 * inside * math.sin(40 * x[row] / SIDE)
    return bent


# --- The past ----------------------------------------------------------------------------------------------------------

_COPIED: dict[str, dict[str, str]] = {
    "interactions_interaction": {
        "id": "{interactions_interaction} + p.n",
        "started_at": "p.at",
        "resident_id": "p.resident",
    },
    "requests_request": {
        "id": "{requests_request} + p.n",
        "number": "to_char(p.at, 'YY-') || lpad((10000000 + p.n)::text, 8, '0')",
        "interaction_id": "{interactions_interaction} + p.n",
        "resident_id": "p.resident",
        "address": "coalesce(p.address, t.address)",
        "latitude": "p.latitude",
        "longitude": "p.longitude",
        "received_at": "p.at",
        "updated_at": "p.at",
        "due_at": "p.at + (t.due_at - t.received_at)",
        "first_response_due_at": "p.at + (t.first_response_due_at - t.received_at)",
        "state": "CASE WHEN p.is_open THEN 'assigned' ELSE 'closed' END",
        "outcome": "CASE WHEN p.is_open THEN '' ELSE 'withdrawn' END",
        "done_at": "CASE WHEN NOT p.is_open THEN p.at + interval '2 days' END",
        "ended_at": "CASE WHEN NOT p.is_open THEN p.at + interval '9 days' END",
        "escalate_at": "CASE WHEN p.is_open THEN now() + interval '30 days' END",
    },
    "requests_promise": {
        "id": "{requests_promise} + 2 * p.n + (t.step = 'resolution')::int",
        "request_id": "{requests_request} + p.n",
        "due_at": "p.at + (t.due_at - t.made_at)",
        "made_at": "p.at",
    },
    "ledger_event": {
        "id": "{ledger_event} + 2 * p.n + (t.subject_type = 'request')::int",
        "subject_id": "CASE t.subject_type WHEN 'request' THEN {requests_request} ELSE {interactions_interaction} END + p.n",
        "at": "p.at",
        "recorded_at": "p.at",
    },
    "ledger_head": {
        "subject_id": "CASE t.subject_type WHEN 'request' THEN {requests_request} ELSE {interactions_interaction} END + p.n",
    },
}
"""What is different in each copy; every other column is the template's. `t` is the template's row, `p` the past request."""

_OF_SUBJECT = (
    "t.jurisdiction_id = r.jurisdiction_id AND t.sequence = 1 AND ((t.subject_type = 'request' AND t.subject_id = r.id)"
    " OR (t.subject_type = 'interaction' AND t.subject_id = r.interaction_id))"
)
_BELONGS = {
    "interactions_interaction": "t.id = r.interaction_id",
    "requests_request": "t.id = r.id",
    "requests_promise": "t.request_id = r.id AND t.sequence = 1",
    "ledger_event": _OF_SUBJECT,
    "ledger_head": _OF_SUBJECT.replace("t.sequence = 1 AND ", ""),
}


@dataclass(frozen=True, slots=True)
class Askers:
    """SQL by which past request number `n` has a resident and an address. `functions` are made first."""

    resident: str = "NULL::bigint"
    address: str = "NULL::text"
    functions: str = ""


NOBODY = Askers()


def grow(town: Town, size: int, floor: Floor, askers: Askers = NOBODY) -> None:
    """Add past requests until there are `size`: random places, a steady stream in time, a steady share of them open."""
    if size > town.size:
        past = askers.functions + _past(town, size, askers)
        floor.sql(past + "".join(_copies(table) for table in _COPIED) + _afterwards(town))
        town.size = size
    connection.close()


def _past(town: Town, size: int, askers: Askers) -> str:
    templates = ", ".join(map(str, town.templates))
    return f"""
SET session_replication_role = replica;
SET synchronous_commit = off;
SELECT setseed(0.311);
CREATE TEMP TABLE past AS
SELECT n, (ARRAY[{templates}])[1 + n % {len(town.templates)}] AS template,
       now() - (random() + {size} - n) * interval '{MINUTES_APART} minutes' AS at,
       {SOUTH} + {SIDE} * random() AS latitude, {WEST} + {SIDE} * random() AS longitude,
       random() < {OPEN_SHARE} AS is_open, {askers.resident} AS resident, {askers.address} AS address
FROM generate_series({town.size + 1}, {size}) AS n;
CREATE TEMP TABLE template AS SELECT * FROM requests_request WHERE id IN ({templates});
"""


def _copies(table: str) -> str:
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    special = {name: text.format(**FIRST_ID) for name, text in _COPIED[table].items()}
    values = ", ".join(special.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    return f"""
INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE
SELECT {values} FROM past p JOIN template r ON r.id = p.template JOIN {table} t ON {_BELONGS[table]};
"""


def _afterwards(town: Town) -> str:
    """New rows get ids beyond the copies, new requests numbers beyond theirs; statistics as after a night."""
    sequences = "".join(
        f"SELECT setval(name, greatest(nextval(name), {first + LIVE}))"
        f" FROM pg_get_serial_sequence('{table}', 'id') AS name;\n"
        for table, first in FIRST_ID.items()
    )
    return f"""
{sequences}
UPDATE jurisdictions_numberseries SET last = {LIVE} + last % {LIVE}
WHERE jurisdiction_id = {town.jurisdiction.pk};
DROP TABLE past, template;
VACUUM (ANALYZE);
CHECKPOINT;
"""
