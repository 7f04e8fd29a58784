"""An update from a partner: its words are kept, and its status becomes a verb where verb, evidence and the key's scopes allow it.

What they do not allow is not lost: the team finds it as an internal comment that says what to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.http import HttpRequest

from loop311.catalog.definitions import Ending, Outcome
from loop311.catalog.index import CatalogueIndex
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor, system
from loop311.kit.problems import Conflict, FieldProblem, Forbidden, Invalid
from loop311.kit.uploads import Upload
from loop311.ledger.policies import canonical
from loop311.open311 import finding, media, services
from loop311.open311.policies import line, moment, words
from loop311.requests import services as requests
from loop311.requests.models import Request
from loop311.requests.policies import OPEN_STATES, State, Verb, may_follow
from loop311.requests.sentences import say

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    update_id: str
    number: str
    status: str
    """In lower case with underscores."""
    said_at: str
    words: str
    code: str
    """Of an outcome of ours, where the partner knows them."""
    uploads: list[Upload] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def digest(self) -> bytes:
        said: dict[str, object] = {
            "number": self.number, "status": self.status, "at": self.said_at, "words": self.words,
        }  # fmt: skip
        more: dict[str, object] = {
            "code": self.code,
            "files": [hashlib.sha256(upload.data).hexdigest() for upload in self.uploads],
            "links": self.links,
        }
        said |= {name: value for name, value in more.items() if value}
        return hashlib.sha256(canonical(said).encode()).digest()


def read(request: HttpRequest) -> Update:
    """Raises Invalid with one problem for each argument that must be mended."""
    post = request.POST
    values = {name: line(post.get(name, "")) for name in ("update_id", "service_request_id", "status")}
    values["status"] = values["status"].lower().replace(" ", "_").replace("-", "_")
    faults = [FieldProblem(name, f"{name} is missing.") for name, value in values.items() if not value]
    if len(values["update_id"]) > _LONGEST_ID:
        faults.append(FieldProblem("update_id", f"update_id may have {_LONGEST_ID} characters."))
    if values["status"] and values["status"] not in STATUSES:
        detail = f"There is no status {values['status'][:40]!r}; they are {', '.join(STATUSES)}."
        faults.append(FieldProblem("status", detail))
    said_at = _when(post.get("updated_datetime", ""), faults)
    if faults:
        raise Invalid(" ".join(fault.detail for fault in faults), fields=faults)
    title, text = line(post.get("title", "")), words("description", post.get("description", ""))
    return Update(
        update_id=values["update_id"],
        number=values["service_request_id"],
        status=values["status"],
        said_at=said_at,
        words="\n".join(filter(None, (title, text))),
        code=line(post.get("external_status_code", "")).lower(),
        uploads=media.uploads_of(request),
        links=media.links_of(request),
    )


def _when(written: str, faults: list[FieldProblem]) -> str:
    """Their time is only checked: what happens here happens when it is told."""
    try:
        at = moment("updated_datetime", written)
    except Invalid as fault:
        faults += fault.fields
        return ""
    if at is None:
        faults.append(FieldProblem("updated_datetime", "updated_datetime is missing."))
        return ""
    return at.isoformat()


def take(city: Jurisdiction, index: CatalogueIndex, update: Update, *, by: Actor) -> None:
    """Once for each update_id of a sender: the same again changes nothing, another content under it is Invalid."""
    found = finding.one(city, index, update.number)
    request = Request.objects.get(jurisdiction=city, pk=found.pk)
    kept = requests.receive(city.pk, update.uploads)
    with transaction.atomic():
        if not services.take_update(request, update.update_id, update.digest(), by=by):
            return
        if kept:
            _attach(request, update, kept, by)
        services.remember_photos(request, update.links, by=by)
        left = _act(request, update, by)
        if update.words:
            requests.comment(request, text=update.words, by=by)
        if left:
            requests.comment(request, text=_for_the_team(update, left, city), by=system(city.pk))
    requests.settle(city.pk, kept)


def _attach(request: Request, update: Update, kept: list[requests.Kept], by: Actor) -> None:
    """With the end of the work, a photo is evidence of it, where the key may give evidence; else it only shows something."""
    may_prove = by.may("requests.add_evidence") and may_follow(Verb.ADD_EVIDENCE, State(request.state))
    proves = update.status in ENDS and may_prove
    giver = replace(by, permissions=by.permissions | {"requests.add_evidence"})
    requests.attach_received(request, kept, by=giver, proves=proves)


# --- From their words to our verbs ---------------------------------------------------------------------------------------

Step = Callable[[Request, Update, Actor], None]


def _act(request: Request, update: Update, by: Actor) -> str:
    """Do what the status means; why it could not be done, or nothing."""
    step = STATUSES[update.status]
    if step is None:
        return ""
    try:
        with transaction.atomic():
            step(request, update, by)
    except (Conflict, Forbidden, Invalid) as reason:
        return reason.detail
    return ""


def _start(request: Request, update: Update, by: Actor) -> None:
    if request.state == State.WAITING:
        requests.resume(request, by=by)
    elif request.state not in (State.IN_PROGRESS, State.JOINED):
        requests.start(request, by=by)


def _assign(request: Request, update: Update, by: Actor) -> None:
    """Somebody has it, as a whole team: only news where nobody had it."""
    if request.state in (State.RECEIVED, State.HANDED_OVER):
        requests.assign(request, by=by)


def _open(request: Request, update: Update, by: Actor) -> None:
    """News only where it had ended: then it is somebody's no."""
    if request.state not in OPEN_STATES:
        requests.dispute(request, by=by)


def _end(request: Request, update: Update, by: Actor) -> None:
    """Done, with the outcome that is meant and the evidence that the service wants."""
    if request.state not in (State.DONE, State.CLOSED):
        requests.resolve(request, outcome=_outcome(request, update, Ending.DONE).code, by=by)


def _decline(request: Request, update: Update, by: Actor) -> None:
    if request.state != State.DECLINED:
        requests.decline(request, outcome=_outcome(request, update, Ending.DECLINED).code, by=by)


def _ask(request: Request, update: Update, by: Actor) -> None:
    raise Conflict("Somebody of the city must decide what this means here.")


def _outcome(request: Request, update: Update, ending: Ending) -> Outcome:
    """The one they name, else the only one there is. One that needs no proof is never meant unless it is named."""
    under = requests.terms_of(request)
    possible = [under.index.outcomes[code] for code in under.service.outcomes]
    possible = [each for each in possible if each.ending is ending]
    named = [each for each in possible if each.code == update.code]
    found = named or [each for each in possible if not each.no_proof]
    if len(found) != 1:
        names = ", ".join(each.code for each in possible)
        raise Conflict(f"It is not said which outcome is meant; possible are: {names}.")
    return found[0]


STATUSES: dict[str, Step | None] = {
    "unchanged": None,
    "open": _open,
    "reopen": _open,
    "for_triage": None,
    "investigating": _assign,
    "planned": _assign,
    "action_scheduled": _assign,
    "in_progress": _start,
    "fixed": _end,
    "closed": _end,
    "duplicate": _ask,
    "internal_referral": _ask,
    "not_councils_responsibility": _decline,
    "no_further_action": _decline,
    "cancelled": _decline,
}
"""Every status of the extension: what it does here, None for words only."""

ENDS = frozenset({"fixed", "closed"})

_TEXT = {
    "en": "Another system reports this as '{status}'. It was left as it is: {why}",
    "es": "Otro sistema informa que está '{status}'. Se dejó como está: {why}",
}


def _for_the_team(update: Update, why: str, city: Jurisdiction) -> str:
    return say(_TEXT, city.languages[0]).format(status=update.status, why=why)
