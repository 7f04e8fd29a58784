"""A small whole catalogue for tests of any room: English and Spanish, three services, two departments."""

from __future__ import annotations

from datetime import time, timedelta
from typing import cast

import msgspec

from loop311.catalog.definitions import (
    Calendar,
    Catalogue,
    Choice,
    CompletionRule,
    Condition,
    Datatype,
    Definition,
    Department,
    Duration,
    Ending,
    Escalation,
    EscalationLevel,
    EvidenceKind,
    Group,
    Hours,
    Joining,
    Outcome,
    OutsideOwner,
    Priority,
    PriorityRule,
    PromisePolicy,
    Publicity,
    Question,
    RoutingRule,
    Service,
    StopReason,
    Team,
    Tell,
    Template,
    Texts,
    Unit,
)


def both(english: str, spanish: str = "") -> Texts:
    return {"en": english, "es": spanish or f"{english} (es)"}


def edited(catalogue: Catalogue, path: str, **changes: object) -> Catalogue:
    """The catalogue with one thing in it changed: `edited(c, "services.pothole.questions.size", required=False)`."""
    return cast("Catalogue", _edited(catalogue, path.split(".") if path else [], changes))


def _edited(thing: Definition, path: list[str], changes: dict[str, object]) -> Definition:
    if not path:
        return msgspec.structs.replace(thing, **changes)
    noun, code, *rest = path
    members = tuple(
        _edited(one, rest, changes) if code in (getattr(one, "code", None), str(position)) else one
        for position, one in enumerate(getattr(thing, noun), start=1)
    )
    return msgspec.structs.replace(thing, **{noun: members})


def small_catalogue() -> Catalogue:
    """Services pothole (areas, answers, hand-over, joining), dog_loose (safety question), bulk_pickup (nothing special)."""
    return Catalogue(
        languages=("en", "es"),
        departments=(
            Department(code="public_works", names=both("Public Works", "Obras Públicas")),
            Department(code="animal_care", names=both("Animal Care", "Cuidado de Animales")),
        ),
        teams=(
            Team(code="streets_north", department="public_works", names=both("Streets North"), calendar="office"),
            Team(code="streets_south", department="public_works", names=both("Streets South"), calendar="office"),
            Team(code="animal_field", department="animal_care", names=both("Animal Field Crew")),
        ),
        calendars=(_office(),),
        groups=(Group(code="streets", names=both("Streets")), Group(code="animals", names=both("Animals"))),
        promises=_promises(),
        stop_reasons=(StopReason(code="weather", texts=both("the weather allows it"), longest=timedelta(days=5)),),
        completion_rules=(
            CompletionRule(
                code="photo_and_position",
                all_of=((EvidenceKind.PHOTO, EvidenceKind.INSPECTION), (EvidenceKind.POSITION,)),
            ),
            CompletionRule(code="statement", all_of=((EvidenceKind.STATEMENT,),)),
        ),
        outcomes=(
            Outcome(code="repaired", ending=Ending.DONE, texts=both("We repaired it.")),
            Outcome(code="picked_up", ending=Ending.DONE, texts=both("We picked it up.")),
            Outcome(code="informed", ending=Ending.DONE, texts=both("We gave you the information."), no_proof=True),
            Outcome(code="not_ours", ending=Ending.DECLINED, texts=both("This is not the city's.")),
        ),
        outside_owners=(
            OutsideOwner(
                code="state_road", names=both("State Road Office"), phone="+15125550100", tell=both("They mend it.")
            ),
        ),
        services=(_pothole(), _dog_loose(), _bulk_pickup()),
        templates=(_template("request.filed"), _template("request.done")),
    )


def _office() -> Calendar:
    day = (Hours(start=time(8), end=time(17)),)
    return Calendar(code="office", weekdays=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), day), holidays="US-TX")


def _promises() -> tuple[PromisePolicy, ...]:
    escalations = (
        Escalation(level=EscalationLevel.AT_RISK, tell=(Tell.TEAM_LEAD,), before_due=timedelta(hours=1)),
        Escalation(level=EscalationLevel.LATE, tell=(Tell.OWNER,), after_due=timedelta()),
        Escalation(level=EscalationLevel.LATER, tell=(Tell.DIRECTOR,), after_due=timedelta(days=2)),
    )
    return (
        PromisePolicy(
            code="three_days",
            resolution=Duration(amount=3, unit=Unit.BUSINESS_DAYS, calendar="office"),
            first_response=Duration(amount=8, unit=Unit.HOURS, calendar="office"),
            urgent_resolution=Duration(amount=24, unit=Unit.HOURS),
            step=both("repair it", "repararlo"),
            stop_reasons=("weather",),
            escalations=escalations,
        ),
        PromisePolicy(
            code="four_hours",
            resolution=Duration(amount=4, unit=Unit.HOURS),
            step=both("come", "venir"),
            escalations=escalations,
        ),
    )


def _pothole() -> Service:
    size = Question(
        code="size",
        datatype=Datatype.SINGLEVALUELIST,
        texts=both("How large is it?"),
        required=True,
        choices=(Choice(code="small", texts=both("A plate")), Choice(code="large", texts=both("A tire or more"))),
    )
    depth = Question(
        code="depth",
        datatype=Datatype.NUMBER,
        texts=both("How deep, in inches?"),
        when=(Condition(question="size", equals="large"),),
        minimum=0.0,
        maximum=120.0,
    )
    return Service(
        code="pothole",
        group="streets",
        department="public_works",
        owner="streets_manager",
        names=both("Pothole", "Bache"),
        descriptions=both("A hole in a city street."),
        keywords={"en": ("hole", "street"), "es": ("bache",)},
        questions=(size, depth),
        promise="three_days",
        completion="photo_and_position",
        outcomes=("repaired", "not_ours"),
        routing=(
            RoutingRule(team="streets_north", areas={"road_owner": ("state",)}, hand_over="state_road"),
            RoutingRule(team="streets_south", areas={"service_area": ("south", "east")}),
            RoutingRule(team="streets_north"),
        ),
        priority_rules=(PriorityRule(priority=Priority.URGENT, when=(Condition(question="depth", at_least=6.0),)),),
        joining=Joining(radius_metres=25.0),
    )


def _dog_loose() -> Service:
    danger = Question(
        code="danger",
        datatype=Datatype.SINGLEVALUELIST,
        texts=both("Is anybody hurt or in danger now?"),
        required=True,
        safety=True,
        choices=(
            Choice(code="now", texts=both("Yes"), advice=both("Please call 911 now."), emergency=True),
            Choice(code="nobody", texts=both("No")),
        ),
    )
    return Service(
        code="dog_loose",
        group="animals",
        department="animal_care",
        owner="animal_manager",
        names=both("Loose dog", "Perro suelto"),
        questions=(
            danger,
            Question(code="look", datatype=Datatype.TEXT, texts=both("What does it look like?"), private=True),
        ),
        promise="four_hours",
        completion="statement",
        outcomes=("picked_up", "informed", "not_ours"),
        routing=(RoutingRule(team="animal_field"),),
        priority_rules=(PriorityRule(priority=Priority.EMERGENCY, when=(Condition(question="danger", equals="now"),)),),
        publicity=Publicity.BLOCK,
    )


def _bulk_pickup() -> Service:
    return Service(
        code="bulk_pickup",
        group="streets",
        department="public_works",
        owner="streets_manager",
        names=both("Bulk pickup", "Recogida de voluminosos"),
        promise="three_days",
        completion="photo_and_position",
        outcomes=("picked_up", "not_ours"),
        routing=(RoutingRule(team="streets_north"),),
        priority=Priority.LOW,
    )


def _template(event: str) -> Template:
    return Template(
        event=event,
        subject=both("Your request {number}", "Su solicitud {number}"),
        body=both("{service}: {link}"),
        sms=both("{number}: {link}"),
    )
