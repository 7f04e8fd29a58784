"""The request page: everything about one request, put together with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from loop311.accounts.models import TeamMembership
from loop311.callbacks.models import Callback
from loop311.desk import verbs
from loop311.desk.access import Desk
from loop311.desk.asking import read
from loop311.desk.forms import VerbForm
from loop311.desk.history import Entry, history
from loop311.desk.reading import named_areas, staff_names
from loop311.kit.actor import ActorKind
from loop311.kit.clock import now
from loop311.notifications.models import Message
from loop311.places.policies import distance_metres
from loop311.requests import attachments
from loop311.requests.models import Attachment, Comment, Evidence, Promise, Request
from loop311.requests.policies import WORKABLE, State, Verb, missing_evidence
from loop311.requests.queries import Near, comments_of, joinable_codes, open_near
from loop311.requests.sentences import public_sentence, say
from loop311.requests.services import Terms, terms_of
from loop311.workorders.models import Order


@dataclass(frozen=True, slots=True)
class Offer:
    """A thing to do and its form, empty or as it was sent."""

    act: verbs.Act
    form: VerbForm
    is_open: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo or document, and how far from the request's place its camera says it was taken."""

    attachment: Attachment
    metres: float | None


@dataclass(frozen=True, slots=True)
class RequestPage:
    request: Request
    service: str
    team: str
    areas: Sequence[tuple[str, str]]
    """Layer and area, as people call them."""
    sentence: str
    answers: Sequence[tuple[str, str]]
    promises: Sequence[Promise]
    evidence: Sequence[tuple[Evidence, str]]
    missing: Sequence[Sequence[str]]
    pictures: Sequence[Picture]
    comments: Sequence[tuple[Comment, str]]
    followers: Sequence[Request]
    near: Sequence[Near]
    callbacks: Sequence[Callback]
    work_order: Order | None
    """The newest hand-off to a department's own system."""
    told: Sequence[Message]
    """What the resident was told, newest last."""
    entries: Sequence[Entry]
    offers: Sequence[Offer]
    may_change_service: bool
    priority_is_high: bool


def request_page(desk: Desk, request: Request, sent: Mapping[str, VerbForm] | None = None) -> RequestPage:
    """`sent`: forms by the name of their act, as they came back with something to mend."""
    under = terms_of(request)
    evidence = list(Evidence.objects.filter(jurisdiction=desk.city, request=request).order_by("pk"))
    comments = comments_of(request)
    hands = [(row.actor_kind, row.actor_ref) for row in evidence] + [
        (row.actor_kind, row.actor_ref) for row in comments
    ]
    names = staff_names(desk, [ref for kind, ref in hands if kind == ActorKind.STAFF])
    near = nearby(request, under)
    fresh = [row.kind for row in evidence if row.pk > request.evidence_after]
    return RequestPage(
        request=request,
        service=say(request.service.names, desk.language, request.service.code),
        team=say(request.team.names, desk.language, request.team.code),
        areas=named_areas(desk, [request.areas])[0],
        sentence=public_sentence(request, desk.language),
        answers=read(under.service, request.answers, desk.language),
        promises=list(request.promises.order_by("step", "sequence")),
        evidence=[(row, names.get(row.actor_ref, row.actor_kind)) for row in evidence],
        missing=missing_evidence(request.completion, fresh) if request.state in WORKABLE else (),
        pictures=pictures(request),
        comments=[(row, names.get(row.actor_ref, row.actor_kind)) for row in comments],
        followers=list(request.followers.order_by("pk")[:100]),
        near=near,
        callbacks=list(Callback.objects.of_city(desk.city.pk).filter(request=request).order_by("pk")),
        work_order=Order.objects.of_city(desk.city.pk).filter(request=request).select_related("link").last(),
        told=list(Message.objects.filter(jurisdiction=desk.city, request=request).order_by("pk")),
        entries=history(desk, request, under.index),
        offers=_offers(desk, request, under, near, sent or {}),
        may_change_service=verbs.may_change_service(desk, request),
        priority_is_high=request.priority in ("emergency", "urgent"),
    )


def pictures(request: Request) -> list[Picture]:
    """Oldest first; one query."""
    rows = attachments.of_request(request.jurisdiction_id, request.pk).select_related("evidence")
    return [Picture(row, _metres(request, row)) for row in rows]


def _metres(request: Request, row: Attachment) -> float | None:
    if None in (request.latitude, request.longitude, row.latitude, row.longitude):
        return None
    here, there = (request.latitude or 0.0, request.longitude or 0.0), (row.latitude or 0.0, row.longitude or 0.0)
    return distance_metres(*here, *there)


def nearby(request: Request, under: Terms) -> list[Near]:
    """Open requests that may be the same thing in the world, where the service joins at all."""
    joining = under.service.joining
    if not joining.radius_metres or request.latitude is None or request.longitude is None:
        return []
    if State(request.state) not in WORKABLE:
        return []
    found = open_near(
        request.jurisdiction_id,
        request.latitude,
        request.longitude,
        joining.radius_metres,
        service_codes=joinable_codes(request.service.code, joining),
        since=now() - timedelta(days=joining.days),
        limit=6,
    )
    return [each for each in found if each.request.pk != request.pk][:5]


def _offers(
    desk: Desk, request: Request, under: Terms, near: Sequence[Near], sent: Mapping[str, VerbForm]
) -> list[Offer]:
    own_team = TeamMembership.objects.filter(staff=desk.staff, team_id=request.team_id).exists()
    acts = [each for each in verbs.possible(desk, request, own_team) if _has_choices(each, under)]
    acts += [verbs.act(name) for name in sent if name not in {each.name for each in acts}]
    return [
        Offer(each, sent.get(each.name) or form_of(each, desk, request, near=near), each.name in sent) for each in acts
    ]


def _has_choices(each: verbs.Act, under: Terms) -> bool:
    """Waiting needs a reason on the list, handing over an owner in the catalogue."""
    if each.verb is Verb.WAIT:
        return under.policy is not None and bool(under.policy.stop_reasons)
    return each.verb is not Verb.HAND_OVER or bool(under.index.owners)


def form_of(
    each: verbs.Act,
    desk: Desk,
    request: Request,
    data: Mapping[str, object] | None = None,
    near: Sequence[Near] = (),
    files: Mapping[str, object] | None = None,
) -> VerbForm:
    return each.form(desk, request, terms_of(request), near, data, files, auto_id=f"{each.name}-%s")
