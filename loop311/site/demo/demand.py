"""When people of Port Alder ask, and for what: rush hours, week, season, storms. Pure; the seed decides.

Weights follow a large Texan city's volumes (fiscal year 2024: code cases, carts, parking, missed garbage, animals lead).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

WEIGHTS: dict[str, float] = {
    "missed_garbage": 90, "missed_recycling": 35, "missed_brush_bulky": 40, "missed_same_day": 12, "cart": 110,
    "assisted_collection": 4, "illegal_dumping_found": 45, "illegal_dumping_now": 6, "sanitation_damage": 5, "litter_can": 14,
    "dead_animal": 45, "dog_aggressive": 22, "animal_bite": 8, "animal_loose": 50, "animal_confined": 16, "animal_cruelty": 26,
    "animal_injured": 20, "animal_nuisance": 22, "wildlife": 16, "animal_surrender": 14, "pothole": 70, "pothole_hazard": 24,
    "street_repair": 22, "cave_in": 3, "steel_plate": 6, "sidewalk": 20, "ada_barrier": 4, "alley": 12, "street_debris": 20,
    "street_sweeping": 10, "snow_ice": 2, "guardrail": 3, "barricade": 10, "signal_out": 8, "signal_fault": 32,
    "signal_timing": 10, "school_flasher": 5, "stop_sign_down": 14, "sign_repair": 24, "new_sign": 5, "street_light": 55,
    "road_marking": 9, "speeding": 12, "parking_violation": 85, "abandoned_vehicle": 48, "fire_lane": 8, "scooter": 9,
    "high_weeds": 95, "junk_on_property": 75, "junk_vehicle": 30, "work_without_permit": 25, "dangerous_building": 14,
    "rental_no_utilities": 20, "house_noise": 14, "graffiti_public": 24, "graffiti_private": 14, "signs_right_of_way": 14,
    "food_complaint": 12, "mosquitoes": 12, "pollution": 5, "water_main_break": 26, "no_water": 14, "sewer_backup": 18,
    "storm_drain": 14, "flooded_road": 2, "creek": 4, "water_bill": 40, "line_locate": 30, "tree_hazard": 26,
    "park_maintenance": 20, "encampment": 36, "court_question": 22, "complaint_compliment": 26,
}  # fmt: skip
"""Service code -> relative weight; a service that is not here has the weight 5."""

SUMMER = (0.2, 0.3, 0.7, 1.2, 1.7, 1.9, 1.9, 1.6, 1.2, 0.8, 0.4, 0.2)
WINTER = (1.9, 1.7, 1.3, 0.9, 0.6, 0.4, 0.4, 0.4, 0.6, 1.0, 1.5, 1.8)
HARD_WINTER = (4.0, 3.0, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.8, 3.5)
SEASONS: dict[str, Sequence[float]] = {
    "high_weeds": SUMMER, "mosquitoes": SUMMER, "park_maintenance": SUMMER, "animal_cruelty": SUMMER, "house_noise": SUMMER,
    "missed_brush_bulky": SUMMER, "wildlife": SUMMER, "pothole": WINTER, "pothole_hazard": WINTER, "street_repair": WINTER,
    "street_light": WINTER, "storm_drain": WINTER, "flooded_road": WINTER, "creek": WINTER, "snow_ice": HARD_WINTER,
}  # fmt: skip
"""Service code -> factor for each month of the year; the others have none."""

STORM: dict[str, float] = {
    "tree_hazard": 22, "storm_drain": 18, "flooded_road": 40, "signal_out": 18, "signal_fault": 6, "street_debris": 9,
    "stop_sign_down": 6, "street_light": 3, "creek": 6, "cave_in": 6, "no_water": 2, "barricade": 5, "guardrail": 3,
}  # fmt: skip
"""Service code -> factor while a storm blows; the others lose half."""

WEEK = (1.25, 1.1, 1.05, 1.0, 0.95, 0.42, 0.34)
"""Monday to Sunday."""
DAY = (
    0.10, 0.07, 0.05, 0.05, 0.07, 0.15, 0.40, 1.00, 1.75, 1.90, 1.65, 1.40,
    1.15, 1.20, 1.25, 1.30, 1.45, 1.35, 0.95, 0.70, 0.55, 0.45, 0.30, 0.18,
)  # fmt: skip
"""Each hour of the local day: a morning rush and a smaller one in the afternoon."""
STORM_RUSH = 4.5
STORM_EVERY = 35
"""Days between storms, on average."""


@dataclass(frozen=True, slots=True)
class Storm:
    start: datetime
    end: datetime

    def blows(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody asks for a service at a moment."""

    at: datetime
    service: str
    in_storm: bool


def storms(seed: int, until: datetime, days: int) -> list[Storm]:
    rng = Random(f"storms {seed}")  # noqa: S311 - a repeatable plan, no secret
    found, at = [], until - timedelta(days=days)
    while (at := at + timedelta(days=rng.uniform(0.4, 1.6) * STORM_EVERY)) < until:
        start = at.replace(minute=0, second=0, microsecond=0)
        found.append(Storm(start, start + timedelta(hours=rng.randint(10, 30))))
    return found


def asks(seed: int, services: Sequence[str], *, count: int, until: datetime, days: int, zone: ZoneInfo) -> list[Ask]:
    """`count` asks in the `days` before `until`, in order of time, each at a second of its own."""
    rng = Random(f"asks {seed}")  # noqa: S311 - a repeatable plan, no secret
    weather = storms(seed, until, days)
    moments = _moments(rng, weather, count, until, days, zone)
    return [_ask(rng, services, weather, moment, zone) for moment in moments]


def _moments(
    rng: Random, weather: Sequence[Storm], count: int, until: datetime, days: int, zone: ZoneInfo
) -> list[datetime]:
    first = (until - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    hours = [first + timedelta(hours=i) for i in range(days * 24)]
    rates = list(accumulate(_rate(hour, weather, zone) for hour in hours))
    taken: set[datetime] = set()
    while len(taken) < count:
        (hour,) = rng.choices(hours, cum_weights=rates)
        moment = hour + timedelta(seconds=rng.randrange(3600))
        if moment < until:
            taken.add(moment)
    return sorted(taken)


def _rate(hour: datetime, weather: Sequence[Storm], zone: ZoneInfo) -> float:
    local = hour.astimezone(zone)
    rush = STORM_RUSH if any(storm.blows(hour) for storm in weather) else 1.0
    return WEEK[local.weekday()] * DAY[local.hour] * rush


def _ask(rng: Random, services: Sequence[str], weather: Sequence[Storm], moment: datetime, zone: ZoneInfo) -> Ask:
    in_storm = any(storm.blows(moment) for storm in weather)
    month = moment.astimezone(zone).month
    weights = [_weight(code, month, in_storm) for code in services]
    (service,) = rng.choices(services, weights)
    return Ask(moment, service, in_storm)


def _weight(code: str, month: int, in_storm: bool) -> float:
    season = SEASONS[code][month - 1] if code in SEASONS else 1.0
    return WEIGHTS.get(code, 5.0) * season * (STORM.get(code, 0.5) if in_storm else 1.0)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The beginning of a day in the city, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
