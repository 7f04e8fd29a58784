"""Contacts: begun, ended, linked to what they were about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from loop311.accounts.models import StaffMember
from loop311.interactions.models import Interaction, InteractionLink
from loop311.interactions.policies import SUBJECTS, Channel, ContactOutcome, EndReason, may_end_as
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, ActorKind
from loop311.kit.clock import now
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from loop311.ledger import services as ledger
from loop311.ledger.models import Head
from loop311.residents import services as residents
from loop311.residents.models import Resident


@transaction.atomic
def begin(
    jurisdiction: Jurisdiction,
    channel: str,
    *,
    by: Actor,
    resident: Resident | None = None,
    staff: StaffMember | None = None,
    on_behalf_of: str = "",
    language: str = "",
    at: datetime | None = None,
    source: str = "",
    source_id: str = "",
    is_held: bool = False,
) -> Interaction:
    """A contact has begun. The row and its event, nothing read but that the resident is there (`is_held`: the caller has).

    `staff` defaults to the acting member.
    """
    _may_write(by, jurisdiction.pk)
    _same_city(jurisdiction.pk, resident, staff)
    if not is_held:
        _is_there(resident)
    at = at or now()
    interaction = Interaction.objects.create(
        jurisdiction=jurisdiction,
        channel=_channel(channel),
        resident=resident,
        staff_id=staff.pk if staff else (by.ref if by.kind is ActorKind.STAFF else None),
        on_behalf_of=on_behalf_of.strip(),
        language=language or (resident.language if resident else ""),
        started_at=at,
        source=source,
        source_id=source_id,
    )
    ledger.append("interaction.begun", "interaction", interaction.pk, _begun(interaction), by=by, at=at, first=True)
    return interaction


@transaction.atomic
def end(
    interaction: Interaction, *, outcome: str, by: Actor, topic: str = "", reason: str = "", at: datetime | None = None
) -> Interaction:
    """A contact is over. An information-only contact says what it was about; ending twice is a conflict.

    `reason` (a policies.EndReason): why it is wrapped up for somebody else.
    """
    interaction = _locked(interaction.pk, by)
    if interaction.ended_at is not None:
        raise Conflict("This contact has ended already.")
    at = at or now()
    if at < interaction.started_at:
        raise Invalid("A contact cannot end before it began.", fields=[FieldProblem("at", "Before the beginning.")])
    interaction.outcome, interaction.topic = _outcome(outcome, topic)
    interaction.ended_at = at
    interaction.save(update_fields=["outcome", "topic", "ended_at"])
    body = {
        "outcome": interaction.outcome,
        "topic": interaction.topic,
        **({"reason": _reason(reason)} if reason else {}),
    }
    ledger.append("interaction.ended", "interaction", interaction.pk, body, by=by, at=at)
    return interaction


@transaction.atomic
def record_information(
    jurisdiction: Jurisdiction,
    channel: str,
    *,
    topic: str,
    by: Actor,
    resident: Resident | None = None,
    language: str = "",
    articles: Sequence[int] = (),
    started_at: datetime | None = None,
    at: datetime | None = None,
) -> Interaction:
    """An information-only contact in one call: begun at `started_at`, answered at `at` out of `articles` (ids of knowledge).

    Two thirds of all contacts.
    """
    at = at or now()
    interaction = begin(jurisdiction, channel, by=by, resident=resident, language=language, at=started_at or at)
    for article in articles:
        link(interaction, "article", article, by=by, at=at)
    return end(interaction, outcome=ContactOutcome.INFORMATION, topic=topic, by=by, at=at)


@transaction.atomic
def identify(interaction: Interaction, resident: Resident | None, *, by: Actor) -> Interaction:
    """Who is at the other end has become known; None: it was somebody else after all."""
    interaction = _locked(interaction.pk, by)
    _same_city(interaction.jurisdiction_id, resident)
    _is_there(resident)
    interaction.resident = resident
    interaction.save(update_fields=["resident"])
    body = {"resident": resident.pk if resident else None}
    ledger.append("interaction.identified", "interaction", interaction.pk, body, by=by)
    return interaction


@transaction.atomic
def describe(
    interaction: Interaction, *, by: Actor, on_behalf_of: str | None = None, language: str | None = None
) -> Interaction:
    """For whom is asked, in which language: known only while people speak. What is None, or the same, stays."""
    interaction = _locked(interaction.pk, by)
    given = {"on_behalf_of": on_behalf_of, "language": language}
    wanted = {field: text.strip() for field, text in given.items() if text is not None}
    changed = sorted(field for field, text in wanted.items() if getattr(interaction, field) != text)
    for field in changed:
        setattr(interaction, field, wanted[field])
    if changed:
        interaction.save(update_fields=changed)
        ledger.append("interaction.described", "interaction", interaction.pk, {"fields": changed}, by=by)
    return interaction


@transaction.atomic
def answer(interaction: Interaction, topic: str, *, by: Actor, article: int | None = None) -> Interaction:
    """One question of this contact was answered at once. `topic` is a code; `article`: the knowledge it came from."""
    interaction = _locked(interaction.pk, by)
    _, topic = _outcome(ContactOutcome.INFORMATION, topic)
    body = {"topic": topic, "article": article}
    ledger.append("interaction.answered", "interaction", interaction.pk, body, by=by)
    if article is not None:
        link(interaction, "article", article, by=by)
    return interaction


@transaction.atomic
def report_danger(interaction: Interaction, topic: str, *, by: Actor) -> Interaction:
    """The safety question was answered with danger: the caller is kept on the line until 911 speaks."""
    interaction = _locked(interaction.pk, by)
    _, topic = _outcome(ContactOutcome.TRANSFERRED, topic)
    ledger.append("interaction.danger_reported", "interaction", interaction.pk, {"topic": topic}, by=by)
    return interaction


@transaction.atomic
def note_left_open(interaction: Interaction, staff_id: int, *, by: Actor) -> None:
    """Nobody has touched it for long. `staff_id`: who has it."""
    interaction = _locked(interaction.pk, by)
    ledger.append("interaction.left_open", "interaction", interaction.pk, {"staff": staff_id}, by=by)


@transaction.atomic
def take_over(interaction: Interaction, staff_id: int, *, by: Actor) -> None:
    """The acting member goes on with a contact that this one has; who took it first stays written down with it."""
    interaction = _locked(interaction.pk, by)
    if not by.may("interactions.take_over"):
        raise Forbidden("You may not take over a contact.")
    if interaction.ended_at is not None:
        raise Conflict("This contact has ended already.")
    body = {"from": staff_id, "to": by.ref}
    ledger.append("interaction.taken_over", "interaction", interaction.pk, body, by=by)


@transaction.atomic
def link(
    interaction: Interaction, subject_type: str, subject_id: int, *, by: Actor, at: datetime | None = None
) -> InteractionLink:
    """This contact was about a request, call-back, article or gap of the city: what has a history in its diary. Twice is once."""
    if interaction.jurisdiction_id != by.jurisdiction_id:
        raise NotFound("There is no such contact.")
    _may_write(by, interaction.jurisdiction_id)
    _known_subject(subject_type, subject_id, by)
    at = at or now()
    made, is_new = InteractionLink.objects.get_or_create(
        jurisdiction_id=interaction.jurisdiction_id,
        interaction=interaction,
        subject_type=subject_type,
        subject_id=subject_id,
        defaults={"at": at},
    )
    if is_new:
        body = {"subject": subject_type, "id": subject_id}
        ledger.append("interaction.linked", "interaction", interaction.pk, body, by=by, at=at)
    return made


@transaction.atomic
def store(rows: Sequence[Interaction], links: Sequence[InteractionLink], *, by: Actor) -> None:
    """Contacts of a demo city's past, as they ended, in bulk. Their events are the caller's to append."""
    cities = {row.jurisdiction_id for row in rows} | {row.jurisdiction_id for row in links}
    if cities - {by.jurisdiction_id}:
        raise NotFound("There is no such city here.")
    Interaction.objects.bulk_create(rows, batch_size=1000)
    InteractionLink.objects.bulk_create(links, batch_size=1000)


def get(interaction_id: int, *, by: Actor) -> Interaction:
    """A contact of the actor's city, or NotFound."""
    found = Interaction.objects.filter(jurisdiction_id=by.jurisdiction_id, pk=interaction_id).first()
    if found is None:
        raise NotFound("There is no such contact.")
    return found


@transaction.atomic
def erase_words(resident_ids: list[int], *, by: Actor) -> int:
    """Empty the words that name the person somebody asked for, in every contact of these residents; returns how many."""
    rows = Interaction.objects.filter(jurisdiction_id=by.jurisdiction_id, resident_id__in=resident_ids)
    return rows.exclude(on_behalf_of="").update(on_behalf_of="")


def forget_resident(event_id: int) -> None:
    """Handler of `resident.erased`."""
    ids, by = residents.erased_in(event_id)
    erase_words(ids, by=by)


def _known_subject(subject_type: str, subject_id: int, by: Actor) -> None:
    if subject_type not in SUBJECTS:
        detail = f"A contact is linked to one of {', '.join(SUBJECTS)}."
        raise Invalid(detail, fields=[FieldProblem("subject_type", detail)])
    heads = Head.objects.filter(jurisdiction_id=by.jurisdiction_id, subject_type=subject_type, subject_id=subject_id)
    if not heads.exists():
        raise NotFound(f"There is no such {subject_type}.")


def _locked(interaction_id: int, by: Actor) -> Interaction:
    rows = Interaction.objects.select_for_update().filter(jurisdiction_id=by.jurisdiction_id, pk=interaction_id)
    found = rows.first()
    if found is None:
        raise NotFound("There is no such contact.")
    _may_write(by, found.jurisdiction_id)
    return found


def _begun(interaction: Interaction) -> dict[str, object]:
    return {"channel": interaction.channel, "resident": interaction.resident_id, "staff": interaction.staff_id}


def _may_write(by: Actor, jurisdiction_id: int) -> None:
    """Whoever may file may be in contact; residents themselves always are."""
    if by.jurisdiction_id != jurisdiction_id:
        raise NotFound("There is no such city here.")
    if not (by.kind is ActorKind.RESIDENT or by.may("interactions.write") or by.may("requests.file")):
        raise Forbidden("You may not write down contacts.")


def _is_there(resident: Resident | None) -> None:
    """And stays so until the transaction ends: what is written of somebody who was erased would never be erased."""
    if resident is not None and not residents.hold(resident.jurisdiction_id, resident.pk):
        raise Conflict("This resident was erased.")


def _same_city(jurisdiction_id: int, *rows: Resident | StaffMember | None) -> None:
    if any(row is not None and row.jurisdiction_id != jurisdiction_id for row in rows):
        raise NotFound("There is no such person in this city.")


def _channel(channel: str) -> str:
    try:
        return Channel(channel).value
    except ValueError as error:
        detail = f"There is no channel {channel!r}; the channels are {', '.join(Channel)}."
        raise Invalid(detail, fields=[FieldProblem("channel", detail)]) from error


def _reason(reason: str) -> str:
    try:
        return EndReason(reason).value
    except ValueError as error:
        detail = "Say why it is wrapped up for somebody else."
        raise Invalid(detail, fields=[FieldProblem("reason", detail)]) from error


def _outcome(outcome: str, topic: str) -> tuple[str, str]:
    refusal = may_end_as(outcome, topic.strip())
    if refusal:
        raise Invalid(refusal.detail, fields=[refusal])
    return ContactOutcome(outcome).value, topic.strip()
