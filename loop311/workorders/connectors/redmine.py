"""Redmine 5: an order is an issue. Its tracker is the service there, its custom field or subject bears our mark, its journals are
what happened. Works with any Redmine from 3.3 on that has REST switched on, as a user of its own with a key of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from loop311.workorders.connectors.base import (
    Answer,
    CannotTell,
    Change,
    ChangeKind,
    Done,
    Kind,
    Options,
    Outgoing,
    Proven,
    Refused,
    Report,
    Setup,
    Tested,
    TheirState,
    TryLater,
    Unknown,
    Unreadable,
)
from loop311.workorders.connectors.redmine_api import (
    PAGE,
    Api,
    Attachment,
    Heard,
    Issue,
    IssueAnswer,
    Issues,
    Journal,
    Lost,
    NotTaken,
    UploadAnswer,
    payload,
    utc,
)
from loop311.workorders.connectors.redmine_words import custom_fields, description, mark, note, reference_in, subject

SEEN = timedelta(minutes=8)
"""Of the ten minutes by which polls overlap: what is older was there to be read when the poll before this one looked."""

PATIENCE = 3
"""Times the time-out: so long may one poll take."""

LOCAL = ("localhost", "127.0.0.1", "::1")


class RedmineOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`settings` of a link of kind redmine."""

    url: str
    """Where Redmine is: https://work.example.org, or with a path."""
    project: str
    """Identifier of the project new issues go to."""
    number_field: int = 0
    """Id of the issue custom field (text, used as a filter) for our number; 0: only the subject bears it."""
    cancelled: str = "Rejected"
    """The status of an order that is not theirs any more."""
    markup: Literal["textile", "common_mark", "none"] = "textile"
    """Text formatting in their administration's general settings."""
    time_zone: str = ""
    """In which their people read times; without it due dates are only written in words, in UTC."""
    plain_http: bool = False
    """Allow an address without TLS; the key then travels readable."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        plain = parts.scheme == "http" and (self.plain_http or parts.hostname in LOCAL)
        if not parts.hostname or not (parts.scheme == "https" or plain):
            raise ValueError("url: an https address is needed, or plain_http: true")
        self.zone  # noqa: B018 - a zone that is not known is said at once

    @property
    def zone(self) -> tzinfo:
        try:
            return ZoneInfo(self.time_zone) if self.time_zone else UTC
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"time_zone: there is no zone {self.time_zone!r}") from None


class Redmine:
    """The connector. Redmine knows no idempotency key: our mark is looked for before anything is said twice."""

    repeats_safely: ClassVar[bool] = False

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._options: RedmineOptions = setup.options
        self.newest: datetime | None = None

    def _talk(self) -> Api:
        return Api(self._options.url, self._setup.secret, timeout=self._setup.timeout, transport=self._setup.transport)

    def _answered(self, say: Callable[[Api], Answer]) -> Answer:
        try:
            with self._talk() as api:
                return say(api)
        except CannotTell as error:  # every look comes before the first thing said
            return TryLater(reason=str(error))
        except NotTaken as error:
            return TryLater(reason=error.reason, after=error.after)
        except Lost as error:
            return Unknown(reason=error.reason)

    # --- Saying ------------------------------------------------------------------------------------------------------

    def create(self, order: Outgoing) -> Answer:
        return self._answered(lambda api: self._create(api, order))

    def _create(self, api: Api, order: Outgoing) -> Answer:
        project = api.project(self._options.project)
        tracker = project and next((t.id for t in project.trackers if t.name == order.theirs), None)
        if project is None or tracker is None:
            return self._refusal(api, f"Project {self._options.project} has no tracker {order.theirs!r}.")
        try:
            fields = custom_fields(order.attributes, {field.name: field.id for field in project.issue_custom_fields})
        except KeyError as error:
            return Refused(reason=f"Project {self._options.project} has no custom field {error.args[0]!r}.")
        if self._options.number_field:
            fields.append({"id": self._options.number_field, "value": order.reference})
        if order.priority and order.priority not in api.priorities:
            return Refused(reason=f"Redmine has no priority {order.priority!r}.")
        heard = api.call(
            "POST",
            "/issues.json",
            body=payload(
                project_id=project.id,
                tracker_id=tracker,
                subject=subject(order),
                description=description(order, self._options.markup, self._options.zone),
                priority_id=api.priorities[order.priority] if order.priority else None,
                due_date=self._day(order.due_at),
                custom_fields=fields or None,
            ),
        )
        return self._created(api, heard)

    def _created(self, api: Api, heard: Heard) -> Answer:
        if not heard.is_good:
            return self._refusal(api, heard.errors, heard)
        try:
            key = str(api.decoded(heard, IssueAnswer, "create").issue.id)
        except CannotTell as error:
            return Unknown(reason=str(error))
        return Done(their_key=key, their_url=self._url(key))

    def update(self, order: Outgoing, change: Change) -> Answer:
        return self._answered(lambda api: self._update(api, order, change))

    def _update(self, api: Api, order: Outgoing, change: Change) -> Answer:
        wanted = self._wanted(api, change)
        if isinstance(wanted, Refused):
            return wanted
        if not (change.again and _said(api.issue(order.their_key), change)):
            fields = payload(
                notes=note(change, self._options.markup),
                **wanted,
                **self._erased(order, change),
                uploads=self._uploads(api, change) or None,
            )
            heard = api.call("PUT", f"/issues/{order.their_key}.json", body=fields)
            if not heard.is_good:
                return self._refusal(api, f"Issue {order.their_key}: {heard.errors}", heard)
        return self._took(api, order, change, wanted)

    def _wanted(self, api: Api, change: Change) -> dict[str, Any] | Refused:
        """Which fields the change sets there."""
        if change.status:
            named = next((s.id for s in api.statuses.values() if s.name == change.status), None)
            return {"status_id": named} if named else Refused(reason=f"Redmine has no status {change.status!r}.")
        if change.priority:
            known = api.priorities.get(change.priority)
            return {"priority_id": known} if known else Refused(reason=f"Redmine has no priority {change.priority!r}.")
        day = self._day(change.due_at)
        return {"due_date": day} if day else {}

    def _erased(self, order: Outgoing, change: Change) -> dict[str, str]:
        if change.kind is not ChangeKind.ERASED:
            return {}
        return {"subject": subject(order), "description": description(order, self._options.markup, self._options.zone)}

    def _uploads(self, api: Api, change: Change) -> list[dict[str, str]]:
        """Files of the evidence, put there first; Redmine itself forgets those that no issue takes."""
        uploads = []
        for file in filter(None, map(self._setup.fetch, change.evidence)):
            heard = api.call("POST", "/uploads.json", query={"filename": file.name}, body=file.data)
            if heard.is_good:  # what they refuse (too large, a kind not allowed) stays said in words
                token = api.decoded(heard, UploadAnswer, "upload").upload.token
                uploads.append({"token": token, "filename": file.name, "content_type": file.content_type})
        return uploads

    def _took(self, api: Api, order: Outgoing, change: Change, wanted: Mapping[str, Any]) -> Answer:
        """Redmine answers 'good' also when its workflow forbids the step and it leaves the status as it is: look."""
        done = Done(their_key=order.their_key, their_url=self._url(order.their_key))
        if "status_id" not in wanted:
            return done
        try:
            issue = api.issue(order.their_key)
        except CannotTell as error:
            return Unknown(reason=str(error))
        status, said = str(wanted["status_id"]), _said(issue, change)
        stepped = said and any(d.name == "status_id" and d.new_value == status for d in said.details)
        if stepped or (issue and str(issue.status.id) == status):
            return done
        stands = issue.status.name if issue else "gone"
        return Refused(reason=f"Their workflow does not let our user go from {stands} to {change.status}.")

    def cancel(self, order: Outgoing, why: str) -> Answer:
        return self._answered(lambda api: self._cancel(api, order, why))

    def _cancel(self, api: Api, order: Outgoing, why: str) -> Answer:
        api.knock()  # so that 'not found' is theirs to say
        issue = api.issue(order.their_key)
        if issue is None or api.statuses[issue.status.id].is_closed:
            return Done(their_key=order.their_key, their_url=self._url(order.their_key))
        change = Change(
            id=f"cancel:{order.reference}",
            kind=ChangeKind.STATE,
            at=issue.updated_on,
            text=why,
            status=self._options.cancelled,
        )
        return self._update(api, order, change)

    def _refusal(self, api: Api, reason: str, heard: Heard | None = None) -> Answer:
        """Whether it is this order they will not take, or everything: then it waits until the link is mended."""
        if heard is not None and heard.status == 422:
            return Refused(reason=reason[:400])
        wrong = self._wrong(api)
        return TryLater(reason=wrong) if wrong else Refused(reason=reason[:400])

    # --- Asking ------------------------------------------------------------------------------------------------------

    def lookup(self, order: Outgoing) -> Report | None:
        with self._talk() as api:
            found = self._marked(api, order.reference)
        if found is None:
            return None
        return Report(
            id=f"issue:{found.id}:{found.status.id}:{utc(found.updated_on)}",
            their_key=str(found.id),
            reference=order.reference,
            status=found.status.name,
            at=found.updated_on,
            their_url=self._url(found.id),
        )

    def _marked(self, api: Api, reference: str) -> Issue | None:
        """The first issue with our mark: by the field, and by the subject too, should the field not be kept there."""
        queries: list[dict[str, str | int]] = [{"project_id": self._options.project, "subject": f"~[311 {reference}]"}]
        if self._options.number_field:
            queries.insert(0, {f"cf_{self._options.number_field}": reference})
        for query in queries:
            api.knock()
            page = api.read("/issues.json", Issues, {**query, "status_id": "*", "sort": "id", "limit": PAGE})
            if page.total_count > PAGE:
                raise CannotTell("Redmine does not filter by our number: let the custom field be used as a filter.")
            for issue in page.issues:
                if self._reference(issue) == reference:
                    return issue
        return None

    def poll(self, since: datetime) -> Iterable[Report]:
        """In the order of their last change; when that takes too long, the next poll goes on where this one ended (`newest`)."""
        end = time.monotonic() + PATIENCE * self._setup.timeout
        with self._talk() as api:
            api.knock()
            start = since + min(api.skew, timedelta())  # a clock that is behind: what happens now is in our past there
            changed = api.issues({"updated_on": f">={utc(start)}"})
            unread = [row for row in changed if self._reference(row) and row.updated_on >= start + SEEN]
            self.newest = max((row.updated_on for row in changed), default=None)
            reports: list[Report] = []
            for row in sorted(unread, key=lambda row: row.updated_on):
                if time.monotonic() > end:
                    self.newest = row.updated_on
                    break
                reports += self._happened(api, row, start)
        return sorted(reports, key=lambda report: (report.at, int(report.id.partition(":")[2])))

    def _happened(self, api: Api, row: Issue, start: datetime) -> Iterator[Report]:
        issue = api.issue(str(row.id))
        for entry in issue.journals if issue else ():
            if entry.created_on < start or (entry.user and entry.user.id == api.me):
                continue
            report = self._report(api, issue or row, entry)
            if report.status or report.words or report.evidence:
                yield report

    def _report(self, api: Api, issue: Issue, entry: Journal) -> Report:
        changes = {(detail.property, detail.name): detail.new_value for detail in entry.details}
        status = changes.get(("attr", "status_id"))
        added = {name for (kind, name), value in changes.items() if kind == "attachment" and value}
        return Report(
            id=f"journal:{entry.id}",
            their_key=str(issue.id),
            reference=self._reference(issue),
            status=_status_name(api, status) if isinstance(status, str) else "",
            words=(entry.notes or "").strip()[:4000],
            at=entry.created_on,
            their_url=f"{self._url(issue.id)}#change-{entry.id}",
            evidence=tuple(_proof(file) for file in issue.attachments if str(file.id) in added),
        )

    def receive(self, headers: Mapping[str, str], body: bytes) -> Iterable[Report]:
        raise Unreadable("Redmine does not call; it is asked.")

    def reconcile(self, keys: Sequence[str]) -> Iterable[TheirState]:
        wanted = sorted({int(key) for key in keys if key.isdigit()})
        with self._talk() as api:
            found: dict[int, Issue] = {}
            for start in range(0, len(wanted), PAGE):
                some = ",".join(str(key) for key in wanted[start : start + PAGE])
                found |= {issue.id: issue for issue in api.issues({"issue_id": some}) if issue.id in wanted}
            for issue in api.issues({"status_id": "open", **self._ours()}):
                if self._reference(issue):
                    found.setdefault(issue.id, issue)
        return [self._state(issue) for issue in found.values()]

    def _ours(self) -> dict[str, str | int]:
        if self._options.number_field:
            return {f"cf_{self._options.number_field}": "*"}
        return {"project_id": self._options.project, "subject": "~[311 "}

    def _state(self, issue: Issue) -> TheirState:
        return TheirState(
            their_key=str(issue.id),
            reference=self._reference(issue),
            status=issue.status.name,
            at=issue.updated_on,
            their_url=self._url(issue.id),
        )

    def test(self) -> Tested:
        try:
            with self._talk() as api:
                wrong = self._wrong(api)
                statuses = tuple(status.name for status in api.statuses.values())
        except CannotTell as error:
            return Tested(ok=False, words=str(error))
        words = wrong or f"Redmine lets our user in; project {self._options.project} is there."
        return Tested(ok=not wrong, words=words, statuses=statuses)

    def _wrong(self, api: Api) -> str:
        """What keeps every order from arriving, in one sentence; empty when nothing does. Raises CannotTell."""
        options = self._options
        api.knock()
        project = api.project(options.project)
        if project is None:
            return f"Redmine shows our user no project {options.project}."
        if project.status != 1:
            return f"Project {options.project} is closed or archived."
        missing = sorted(set(self._setup.services) - {tracker.name for tracker in project.trackers})
        if missing:
            return f"Project {options.project} has no tracker {', '.join(missing)}."
        if options.number_field and options.number_field not in {field.id for field in project.issue_custom_fields}:
            return f"Project {options.project} has no custom field {options.number_field}."
        if options.cancelled not in {status.name for status in api.statuses.values()}:
            return f"Redmine has no status {options.cancelled!r} for what is cancelled."
        return ""

    def _reference(self, issue: Issue) -> str:
        field = next((f.value for f in issue.custom_fields if f.id == self._options.number_field), None)
        return field if isinstance(field, str) and field else reference_in(issue.subject)

    def _url(self, key: str | int) -> str:
        return f"{self._options.url.rstrip('/')}/issues/{key}"

    def _day(self, moment: datetime | None) -> str | None:
        return moment.astimezone(self._options.zone).date().isoformat() if moment and self._options.time_zone else None


def _said(issue: Issue | None, change: Change) -> Journal | None:
    """What we wrote there for this change."""
    words = mark(change)
    return next((entry for entry in issue.journals if words in (entry.notes or "")), None) if issue else None


def _status_name(api: Api, number: str) -> str:
    known = api.statuses.get(int(number)) if number.isdigit() else None
    return known.name if known else number


def _proof(file: Attachment) -> Proven:
    kind = "photo" if (file.content_type or "").startswith("image/") else "document"
    return Proven(kind=kind, reference=file.content_url, note=file.filename)


REDMINE = Kind(make=Redmine, options=RedmineOptions, summary="Redmine 5 over its REST API")
