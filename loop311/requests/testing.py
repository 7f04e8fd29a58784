"""A small city to test requests in: two services, three teams, a boundary, people with roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from loop311.accounts.models import Department, StaffMember, Team, TeamMembership, User
from loop311.accounts.policies import Role, permissions_of
from loop311.catalog import definitions as d
from loop311.catalog.services import publish
from loop311.jurisdictions.models import Jurisdiction
from loop311.jurisdictions.services import create
from loop311.kit.actor import Actor, ActorKind, system
from loop311.requests.models import Request
from loop311.requests.services import Filing, Proof, add_evidence, assign, file, resolve, start

MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""09:00 on a Monday in Chicago."""


def both(english: str) -> dict[str, str]:
    return {"en": english, "es": f"{english} (es)"}


def small_catalogue() -> d.Catalogue:
    """Potholes (photo needed; 3 business days; north and south crews) and an information service without proof."""
    pothole = d.Service(
        code="pothole",
        group="streets",
        department="public-works",
        owner="street-manager",
        names=both("Pothole"),
        questions=(
            d.Question(
                code="danger",
                datatype=d.Datatype.SINGLEVALUELIST,
                texts=both("Is somebody in danger now?"),
                safety=True,
                required=True,
                choices=(
                    d.Choice(code="yes", texts=both("Yes"), emergency=True, advice=both("Dial 911.")),
                    d.Choice(code="no", texts=both("No")),
                ),
            ),
            d.Question(
                code="depth", datatype=d.Datatype.NUMBER, texts=both("How deep, in inches?"), minimum=0, maximum=60
            ),
        ),
        promise="three-days",
        completion="photo",
        outcomes=("filled", "told", "not-ours"),
        routing=(
            d.RoutingRule(team="south", areas={"side": ("south",)}),
            d.RoutingRule(team="north", hand_over="state-roads", when=(d.Condition(question="depth", at_least=50),)),
            d.RoutingRule(team="north"),
        ),
        priority_rules=(
            d.PriorityRule(priority=d.Priority.EMERGENCY, when=(d.Condition(question="danger", equals="yes"),)),
        ),
        joining=d.Joining(radius_metres=50),
    )
    sign = d.Service(
        code="sign",
        group="streets",
        department="public-works",
        owner="sign-manager",
        names=both("Sign"),
        promise="thirty-days",
        completion="photo",
        outcomes=("filled", "not-ours"),
        routing=(d.RoutingRule(team="signs"),),
        place=d.PlaceNeed.OPTIONAL,
    )
    always = (d.Hours(start=datetime(2026, 1, 1, 8).time(), end=datetime(2026, 1, 1, 17).time()),)  # noqa: DTZ001 - a wall time
    return d.Catalogue(
        languages=("en", "es"),
        departments=(d.Department(code="public-works", names=both("Public works")),),
        teams=tuple(
            d.Team(code=code, department="public-works", names=both(code.title()))
            for code in ("north", "south", "signs")
        ),
        calendars=(d.Calendar(code="weekdays", weekdays=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), always)),),
        groups=(d.Group(code="streets", names=both("Streets")),),
        promises=(
            d.PromisePolicy(
                code="three-days",
                resolution=d.Duration(amount=3, unit=d.Unit.BUSINESS_DAYS, calendar="weekdays"),
                first_response=d.Duration(amount=4, unit=d.Unit.HOURS, calendar="weekdays"),
                urgent_resolution=d.Duration(amount=2, unit=d.Unit.HOURS),
                step=both("fill it"),
                stop_reasons=("rain",),
                escalations=(
                    d.Escalation(
                        level=d.EscalationLevel.AT_RISK, tell=(d.Tell.TEAM_LEAD,), before_due=timedelta(hours=4)
                    ),
                    d.Escalation(level=d.EscalationLevel.LATE, tell=(d.Tell.OWNER,), after_due=timedelta()),
                ),
            ),
            d.PromisePolicy(
                code="thirty-days",
                resolution=d.Duration(amount=30, unit=d.Unit.CALENDAR_DAYS),
                step=both("replace it"),
            ),
        ),
        stop_reasons=(d.StopReason(code="rain", texts=both("the rain has stopped"), longest=timedelta(days=10)),),
        completion_rules=(
            d.CompletionRule(
                code="photo", all_of=((d.EvidenceKind.PHOTO, d.EvidenceKind.INSPECTION),), texts=both("A photo")
            ),
        ),
        outcomes=(
            d.Outcome(code="filled", ending=d.Ending.DONE, texts=both("The work was done.")),
            d.Outcome(code="told", ending=d.Ending.DONE, texts=both("We told you how."), no_proof=True),
            d.Outcome(code="not-ours", ending=d.Ending.DECLINED, texts=both("It is not the city's.")),
        ),
        outside_owners=(
            d.OutsideOwner(
                code="state-roads",
                names=both("State roads"),
                phone="512-555-0100",
                tell=both("They fill it themselves."),
            ),
            d.OutsideOwner(
                code="neighbors",
                names=both("Oakville"),
                tell=both("Oakville has a 311 too."),
                outside_city=True,
                areas={"neighbor": ("oakville",)},
            ),
            d.OutsideOwner(
                code="county",
                names=both("The county"),
                phone="512-555-0199",
                url="https://county.example",
                outside_city=True,
                tell=both("The county looks after roads out there."),
            ),
        ),
        services=(pothole, sign),
    )


@dataclass
class City:
    jurisdiction: Jurisdiction
    system: Actor
    concierge: Actor
    member: Actor
    auditor: Actor
    crew: StaffMember
    """A member of the team 'north'."""

    def file(self, *, at: datetime = MONDAY, key: str | None = None, **changes: object) -> Request:
        """A pothole on the north side, unless changed."""
        asked: dict[str, object] = {
            "service_code": "pothole",
            "answers": {"danger": "no"},
            "address": "1 Elm St",
            **changes,
        }
        return file(self.jurisdiction, Filing(**asked), by=self.concierge, key=key, at=at)  # type: ignore[arg-type]

    def done(self, request: Request, *, at: datetime = MONDAY + timedelta(hours=5)) -> Request:
        """Assigned, started, photographed, resolved."""
        request = assign(request, by=self.system, at=at)
        request = start(request, by=self.system, at=at)
        request = add_evidence(request, Proof(kind=d.EvidenceKind.PHOTO, reference="p1"), by=self.system, at=at)
        return resolve(request, outcome="filled", by=self.system, at=at)


def make_city(slug: str = "elmville", catalogue: d.Catalogue | None = None) -> City:
    """Found it, publish its catalogue, employ people. Everything is in the database of the test."""
    jurisdiction = create(slug, name=slug.title(), time_zone="America/Chicago", languages=("en", "es"))
    by = system(jurisdiction.pk)
    publish(jurisdiction, catalogue or small_catalogue(), by=by, effective_at=MONDAY - timedelta(days=400))
    north = Team.objects.get(jurisdiction=jurisdiction, code="north")
    crew = employ(jurisdiction, "crew", Role.TEAM_MEMBER, north)
    return City(
        jurisdiction=jurisdiction,
        system=by,
        concierge=acting(employ(jurisdiction, "concierge", Role.CONCIERGE)),
        member=acting(crew),
        auditor=acting(employ(jurisdiction, "auditor", Role.AUDITOR)),
        crew=crew,
    )


def acting(staff: StaffMember) -> Actor:
    permissions = permissions_of(frozenset(Role(role) for role in staff.roles))
    return Actor(kind=ActorKind.STAFF, jurisdiction_id=staff.jurisdiction_id, ref=staff.pk, permissions=permissions)


def employ(jurisdiction: Jurisdiction, name: str, role: Role, team: Team | None = None) -> StaffMember:
    user = User.objects.create(
        username=f"{name}@{jurisdiction.slug}.example", email=f"{name}@{jurisdiction.slug}.example"
    )
    department = Department.objects.filter(jurisdiction=jurisdiction).first()
    staff = StaffMember.objects.create(
        jurisdiction=jurisdiction, user=user, name=name, roles=[role.value], department=department
    )
    if team is not None:
        TeamMembership.objects.create(jurisdiction=jurisdiction, staff=staff, team=team)
    return staff
