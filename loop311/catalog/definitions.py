"""The shape of a city's catalogue, as plain frozen values: what YAML is read into and what every decision is made from.

No Django here. `Catalogue` is the whole of one version. Codes (of services, teams, outcomes, layers ...) are lower-case
slugs and are the stable identity of a thing across versions; texts may change from version to version.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from loop311.kit.structs import learn

Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,79}$")]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Texts = dict[Language, str]
"""One text in several languages: {"en": "Pothole", "es": "Bache"}."""

Answer = str | int | float | bool | list[str] | None
Answers = dict[str, Answer]
"""Question code -> answer. Lists are multi-value choices (codes)."""


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A catalogue value: frozen, compared by value, unknown YAML keys refused with their path."""


# --- Conditions --------------------------------------------------------------------------------------------------------


class Condition(Definition, frozen=True, kw_only=True):
    """True when the answer to `question` fulfils every test given here. An unanswered question fulfils only `answered: false`.

    `equals`/`any_of` compare choice codes, booleans and strings; for a multi-value answer they look for membership.
    """

    question: Code
    equals: str | int | float | bool | None = None
    any_of: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    answered: bool | None = None


# --- Questions ---------------------------------------------------------------------------------------------------------


class Datatype(StrEnum):
    """Open311's attribute datatypes (GeoReport v2), plus `boolean`."""

    STRING = "string"
    NUMBER = "number"
    DATETIME = "datetime"
    TEXT = "text"
    SINGLEVALUELIST = "singlevaluelist"
    MULTIVALUELIST = "multivaluelist"
    BOOLEAN = "boolean"


class Choice(Definition, frozen=True, kw_only=True):
    code: Code
    texts: Texts
    advice: Texts = {}
    """What to tell the resident when this is chosen (for instance 'Please hang up and dial 911')."""
    emergency: bool = False
    """Choosing this means somebody is in danger now: the answer to a safety question that ends with 911."""


class Question(Definition, frozen=True, kw_only=True):
    code: Code
    datatype: Datatype
    texts: Texts
    help: Texts = {}
    required: bool = False
    safety: bool = False
    """Asked before everything else. At most one per service, and always first."""
    choices: tuple[Choice, ...] = ()
    when: tuple[Condition, ...] = ()
    """Asked only when all of these hold; they may only look at questions that stand earlier."""
    private: bool = False
    """The answer never appears on a public page (it may identify someone)."""
    max_length: int = 2000
    minimum: float | None = None
    maximum: float | None = None


# --- Time --------------------------------------------------------------------------------------------------------------


class Hours(Definition, frozen=True, kw_only=True):
    """Open from `start` to `end` local time; `end` 00:00 means midnight at the end of the day."""

    start: time
    end: time


class SpecialDay(Definition, frozen=True, kw_only=True):
    """A date whose hours differ: empty `hours` is a closed day, one short interval a half day."""

    on: date
    hours: tuple[Hours, ...] = ()
    name: str = ""


OF_CITY = "city"
"""As a calendar's `holidays`: the public holidays of the country the city is in."""


class Calendar(Definition, frozen=True, kw_only=True):
    """When a team works, in the city's zone."""

    code: Code
    weekdays: dict[Annotated[str, msgspec.Meta(pattern="^(mon|tue|wed|thu|fri|sat|sun)$")], tuple[Hours, ...]] = {}
    """Missing weekdays are closed."""
    always: bool = False
    """24 hours, 7 days; `weekdays`, holidays and special days are then ignored."""
    holidays: str = ""
    """Country and subdivision for the `holidays` package, for instance "US-TX"; "city" for the city's country; empty for none."""
    special_days: tuple[SpecialDay, ...] = ()


class Unit(StrEnum):
    MINUTES = "minutes"  # of the calendar's open time
    HOURS = "hours"  # of the calendar's open time; with a calendar that is always open, clock hours
    BUSINESS_DAYS = "business_days"  # end of the n-th open day after the day of filing
    CALENDAR_DAYS = "calendar_days"  # same local wall time n days later


class Duration(Definition, frozen=True, kw_only=True):
    amount: Annotated[int, msgspec.Meta(ge=0, le=100_000)]
    unit: Unit
    calendar: Code = "always"


class Step(StrEnum):
    FIRST_RESPONSE = "first_response"  # kept when the team has started, or has told the resident what it found
    RESOLUTION = "resolution"  # kept when the request is done


class EscalationLevel(StrEnum):
    AT_RISK = "at_risk"
    LATE = "late"
    LATER = "later"


class Tell(StrEnum):
    """Who is told of an escalation."""

    OWNER = "owner"  # the service's named owner
    TEAM_LEAD = "team_lead"
    DEPARTMENT_MANAGER = "department_manager"
    DIRECTOR = "director"
    DUTY_OFFICER = "duty_officer"


class Escalation(Definition, frozen=True, kw_only=True):
    level: EscalationLevel
    tell: tuple[Tell, ...]
    before_due: timedelta | None = None
    """at_risk: this long (clock time) before the due time."""
    after_due: timedelta | None = None
    """late (usually zero) and later: this long (clock time) after the due time."""


class StopReason(Definition, frozen=True, kw_only=True):
    """A reason for which the clock stops; the closed list of the service. `texts` completes 'We can go on when ...'."""

    code: Code
    texts: Texts
    longest: timedelta | None = None
    """The clock runs again by itself after this long."""


class PromisePolicy(Definition, frozen=True, kw_only=True):
    """What the city promises, by which clock, and who hears when it slips."""

    code: Code
    resolution: Duration
    first_response: Duration | None = None
    step: Texts = {}
    """What the date is for, completing '{team} plans to ... by {date}' ('inspect', 'fill the pothole')."""
    stop_reasons: tuple[Code, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    urgent_resolution: Duration | None = None
    """Replaces `resolution` when the priority is urgent or emergency."""


# --- Endings -----------------------------------------------------------------------------------------------------------


class EvidenceKind(StrEnum):
    PHOTO = "photo"
    INSPECTION = "inspection"
    POSITION = "position"  # time and place of a crew or vehicle
    METER = "meter"  # a reading, a scan, a lab result
    DOCUMENT = "document"
    RESIDENT_YES = "resident_yes"  # the resident's own confirmation, after it is reported done
    STATEMENT = "statement"  # a named staff member's signed statement; the weakest
    RECORD = "record"  # another system's record (imports, work orders)


class CompletionRule(Definition, frozen=True, kw_only=True):
    """What proves the work: of every group in `all_of`, at least one kind must be present ((photo or inspection) and position)."""

    code: Code
    all_of: tuple[tuple[EvidenceKind, ...], ...]
    texts: Texts = {}


class Ending(StrEnum):
    DONE = "done"
    DECLINED = "declined"


class Outcome(Definition, frozen=True, kw_only=True):
    """Why a request ended, one sentence for the resident in every language."""

    code: Code
    ending: Ending
    texts: Texts
    no_proof: bool = False
    """Only for `done` outcomes that are information by nature; the statement of the member of staff is then enough."""


# --- Routing and priority ----------------------------------------------------------------------------------------------


class RoutingRule(Definition, frozen=True, kw_only=True):
    """First match wins. A rule without `when` and `areas` always matches, and every service ends with one."""

    team: Code
    areas: dict[Code, tuple[str, ...]] = {}
    """Layer code -> area keys, any of which must contain the place; several layers must all match."""
    when: tuple[Condition, ...] = ()
    hand_over: Code | None = None
    """Code of an outside owner (state road, utility) to whom it is handed; `team` stays accountable and watches."""


class Priority(StrEnum):
    EMERGENCY = "emergency"
    URGENT = "urgent"
    STANDARD = "standard"
    LOW = "low"


class PriorityRule(Definition, frozen=True, kw_only=True):
    """First match wins; a service without a match has its `priority`."""

    priority: Priority
    when: tuple[Condition, ...] = ()
    areas: dict[Code, tuple[str, ...]] = {}


class PlaceNeed(StrEnum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class Publicity(StrEnum):
    """What a public map may show."""

    EXACT = "exact"
    BLOCK = "block"  # position rounded to the block
    HIDDEN = "hidden"  # never public: it would identify a complainant or a victim


class Open311Type(StrEnum):
    """What other systems are answered that file under this service by Open311."""

    REALTIME = "realtime"  # the number at once
    BATCH = "batch"  # a token; it gives the number when somebody of the city has looked at the request
    BLACKBOX = "blackbox"  # nothing but that it was taken; never shown over Open311


class Joining(Definition, frozen=True, kw_only=True):
    """When two requests are likely the same thing in the world."""

    radius_metres: Annotated[float, msgspec.Meta(ge=0, le=5000)] = 0.0
    """0: never proposed."""
    also: tuple[Code, ...] = ()
    """Other services people confuse with this one."""
    days: int = 60
    """Only requests received this recently are proposed."""


class Service(Definition, frozen=True, kw_only=True):
    code: Code
    group: Code
    department: Code
    owner: str
    """The named owner: the username or position accountable for this service's promises."""
    names: Texts
    descriptions: Texts = {}
    keywords: dict[Language, tuple[str, ...]] = {}
    questions: tuple[Question, ...] = ()
    promise: Code | None
    """Code of a promise policy. Only an imported historical service has none."""
    completion: Code
    outcomes: tuple[Code, ...]
    routing: tuple[RoutingRule, ...]
    priority: Priority = Priority.STANDARD
    priority_rules: tuple[PriorityRule, ...] = ()
    joining: Joining = Joining()
    publicity: Publicity = Publicity.EXACT
    place: PlaceNeed = PlaceNeed.REQUIRED
    open311: Open311Type = Open311Type.REALTIME
    dispute_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 7
    physical: bool = True
    """A physical problem: a failed call-back can never close it."""
    historical: bool = False
    """Only for imported requests; nothing new can be filed under it."""


# --- The rest of the city's words ----------------------------------------------------------------------------------------


class Group(Definition, frozen=True, kw_only=True):
    code: Code
    names: Texts


class Department(Definition, frozen=True, kw_only=True):
    code: Code
    names: Texts


class Team(Definition, frozen=True, kw_only=True):
    code: Code
    department: Code
    names: Texts
    calendar: Code = "always"
    email: str = ""


class OutsideOwner(Definition, frozen=True, kw_only=True):
    """Somebody outside the city who owns a problem: the state's road office, the power company."""

    code: Code
    names: Texts
    phone: str = ""
    url: str = ""
    tell: Texts = {}
    """What the caller is told when it is theirs: one or two sentences ('They mend it within three days.')."""
    outside_city: bool = False
    """Looks after places outside the city; the first of the list whose `areas` contain the place is named to the caller."""
    areas: dict[Code, tuple[str, ...]] = {}
    """Only with `outside_city`: layer code -> area keys, any of which must contain the place; none means everywhere outside."""


class Template(Definition, frozen=True, kw_only=True):
    """The message for one event, per language. Placeholders in braces are checked against the list in the docs."""

    event: str
    """An event kind of the requests or callbacks room, for instance "request.filed"."""
    subject: Texts
    body: Texts
    sms: Texts
    services: tuple[Code, ...] = ()
    """Only for these services; the template that names the service wins over the general one."""


class Catalogue(Definition, frozen=True, kw_only=True):
    """One immutable version of all a city does and says."""

    languages: tuple[Language, ...]
    """The first is the language a text must always have; `check` asks for all of them."""
    departments: tuple[Department, ...]
    teams: tuple[Team, ...]
    calendars: tuple[Calendar, ...] = ()
    groups: tuple[Group, ...] = ()
    promises: tuple[PromisePolicy, ...] = ()
    stop_reasons: tuple[StopReason, ...] = ()
    completion_rules: tuple[CompletionRule, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    outside_owners: tuple[OutsideOwner, ...] = ()
    services: tuple[Service, ...] = ()
    templates: tuple[Template, ...] = ()

    def service(self, code: str) -> Service | None:
        return next((s for s in self.services if s.code == code), None)


learn(Catalogue)
