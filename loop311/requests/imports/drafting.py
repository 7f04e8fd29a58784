"""From a row of the file to a draft of a request. Pure but for its caches: no table is read here."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

import msgspec

from loop311.catalog.definitions import Ending
from loop311.kit.clock import now
from loop311.requests.imports.drafts import Draft, Naming, Rejected, Row
from loop311.requests.imports.header import Header
from loop311.requests.imports.mapping import Areas, Columns, Mapping, Position, Text, Times, listed
from loop311.requests.imports.parsing import LocalTimes, Unreadable, coordinate, slug, whole_number

Pick = Callable[[Row], str]
"""The stripped text of a rule's columns; '' when blank."""

DONE, DECLINED = "imported_done", "imported_declined"
"""The outcomes every import has."""

_REMEMBERED = 100_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _nothing(_row: Row) -> str:
    return ""


_SLACK = timedelta(days=1)
"""So much may a city's clocks, and its idea of its zone, be ahead of ours."""


class Drafter:
    """One mapping made ready for one header. Use from one thread."""

    def __init__(self, mapping: Mapping, header: tuple[str, ...], zone: ZoneInfo) -> None:
        self.mapping = mapping
        self.header = Header(header)
        self.warnings: Counter[str] = Counter()
        self._width = len(header)
        self._nulls = frozenset(mapping.nulls)
        self._used: list[int] = []
        self._columns(zone)
        states = mapping.status.states
        self._statuses = states | {text.casefold(): state for text, state in states.items()}
        channels = {text: channel.value for text, channel in mapping.channel.channels.items()}
        self._channels = channels | {text.casefold(): channel for text, channel in channels.items()}
        self._endings = {outcome.code: outcome.ending for outcome in mapping.outcome.known} | {
            DONE: Ending.DONE,
            DECLINED: Ending.DECLINED,
        }
        self._matches = [(re.compile(m.pattern, re.IGNORECASE), m.outcome) for m in mapping.outcome.matches]
        self._outcomes: dict[str, str] = {}
        self._namings: dict[tuple[str, ...], Naming] = {}
        self._areas_of: dict[tuple[str, ...], tuple[dict[str, str], Counter[str]]] = {}
        self._soon = now() + _SLACK
        self._digest_prefix = hashlib.sha256(msgspec.json.encode(mapping, order="sorted"))
        used = sorted(set(self._used))
        self._key = itemgetter(*used, used[0])  # at least two, so that it always gives a tuple

    # --- what the first pass needs of every row -------------------------------------------------------------------------

    def source_id(self, row: Row) -> str:
        """The row's id at its source, swapped back where id and number have changed places."""
        found = self._id(row)
        if self._swap and not self._id_pattern.fullmatch(found) and self._other_pattern.fullmatch(found):
            other = self._other(row)
            if self._id_pattern.fullmatch(other):
                return other
        return found

    def digest(self, row: Row) -> bytes:
        """SHA-256 of the mapping and the columns it reads: a column that nobody maps may change unnoticed."""
        this = self._digest_prefix.copy()
        this.update("\x1f".join(self._key(row)).encode())
        return this.digest()

    def naming(self, row: Row) -> Naming:
        cells = self._name_cells(row)
        known = self._namings.get(cells)
        if known is None:
            if len(self._namings) > _REMEMBERED:
                self._namings.clear()
            known = self._namings[cells] = self._named(row)
        return known

    def _named(self, row: Row) -> Naming:
        m = self.mapping
        department = self._department(row) or m.department.default
        group = self._group(row) or (m.group.default if m.group else "") or department
        team = self._team(row) or (m.team.default if m.team else "") or department
        return Naming(self._service(row) or m.service.default, group, department, team)

    def updated(self, row: Row) -> datetime | None:
        """When the source last touched the row, as far as can be read: only to choose between rows with one id."""
        try:
            return self._time(self._updated, row)
        except Unreadable:
            return None

    # --- a whole row ------------------------------------------------------------------------------------------------------

    def draft(self, row: Row, digest: bytes) -> Draft:
        """`digest` is that of the row. Raises Rejected with the first reason found."""
        if len(row) != self._width and (len(row) < self._width or any(map(str.strip, row[self._width :]))):
            raise Rejected(f"the row has {len(row)} fields where the header has {self._width}")
        cells = list(map(str.strip, row))
        if self._nulls:
            cells = ["" if cell in self._nulls else cell for cell in cells]
        try:
            return self._drafted(cells, digest)
        except Unreadable as error:
            raise Rejected(str(error)) from error

    def _drafted(self, row: Row, digest: bytes) -> Draft:
        """Of the clean cells: stripped, and empty where the mapping says that they mean nothing."""
        source_id = self._checked_id(row)
        naming = self._checked_naming(row)
        received_at = self._time(self._opened, row)
        if received_at is None:
            raise Rejected("no time of opening")
        if received_at > self._soon:
            raise Rejected("opened in the future")
        state, ended_at = self._ending(row, received_at)
        note = self._note(row)
        state, outcome = self._outcome(state, note)
        return Draft(
            source_id=source_id,
            digest=digest,
            naming=naming,
            state=state,
            channel=self._channel(row),
            received_at=received_at,
            due_at=self._time(self._due, row),
            ended_at=ended_at,
            outcome=outcome,
            outcome_note=note if outcome else "",
            description=self._description(row),
            address=self._address(row),
            kept=self._kept(row),
            areas=self._areas(row),
            latitude=self._number(self._y, row),
            longitude=self._number(self._x, row),
        )

    def _checked_id(self, row: Row) -> str:
        source_id = self.source_id(row)
        if not source_id:
            raise Rejected("no id")
        if len(source_id) > 200 or (not source_id.isprintable() and _CONTROL.search(source_id)):
            raise Rejected("the id is no id: it is too long or holds control characters")
        return source_id

    def _checked_naming(self, row: Row) -> Naming:
        naming = self.naming(row)
        if not naming.service:
            raise Rejected("no service")
        if not naming.department:
            raise Rejected("no department")
        return naming

    def _ending(self, row: Row, received_at: datetime) -> tuple[str, datetime | None]:
        """The state and, for an ended one, its time. The status decides; a time of closing on an open row does not."""
        status = self._status(row)
        state = self._statuses.get(status) or self._statuses.get(status.casefold(), self.mapping.status.default)
        if state is None:
            raise Rejected(f"the status {status[:60]!r} is not in the mapping" if status else "no status")
        ended_at = self._time(self._closed, row)
        if state not in ("closed", "declined"):
            if ended_at is not None:
                self.warnings["open_with_closing_time"] += 1
            return state, None
        if ended_at is None:
            raise Rejected("closed, but without a time of closing")
        if ended_at > self._soon:
            raise Rejected("closed in the future")
        if ended_at < received_at:
            ended_at = self._later(received_at, ended_at)
        return state, ended_at

    def _later(self, received_at: datetime, ended_at: datetime) -> datetime:
        """Closed before opened: true only when it is not the hour that the clocks repeat in autumn."""
        times = self._closed[1] if self._closed else None
        second = times.second(ended_at) if times else ended_at
        if second >= received_at and second != ended_at:
            return second
        if self.mapping.closed_before_opened == "reject":
            raise Rejected("closed before it was opened")
        self.warnings["closed_before_opened"] += 1
        return received_at

    def _outcome(self, state: str, note: str) -> tuple[str, str]:
        if state == "declined":
            return state, DECLINED
        if state != "closed":
            return state, ""
        outcome = self._outcomes.get(note)
        if outcome is None:
            outcome = next((code for pattern, code in self._matches if pattern.search(note)), DONE)
            if len(self._outcomes) > _REMEMBERED:
                self._outcomes.clear()
            self._outcomes[note] = outcome
        return ("declined" if self._endings[outcome] is Ending.DECLINED else state), outcome

    def _channel(self, row: Row) -> str:
        text = self._channel_text(row)
        found = self._channels.get(text) or self._channels.get(text.casefold())
        if found:
            return found
        if self.mapping.channel.default:
            return self.mapping.channel.default.value
        raise Rejected(f"the channel {text[:60]!r} is not in the mapping" if text else "no channel")

    def _areas(self, row: Row) -> dict[str, str]:
        cells = tuple([pick(row) for pick in self._area_picks])
        known = self._areas_of.get(cells)
        if known is None:
            if len(self._areas_of) > _REMEMBERED:
                self._areas_of.clear()
            known = self._areas_of[cells] = self._keys(cells)
        if known[1]:
            self.warnings.update(known[1])
        return known[0]

    def _keys(self, cells: tuple[str, ...]) -> tuple[dict[str, str], Counter[str]]:
        found: dict[str, str] = {}
        warnings: Counter[str] = Counter()
        for (layer, rule), cell in zip(self.mapping.areas.items(), cells, strict=True):
            parts = [part.strip() for part in cell.split(rule.separator)] if rule.separator else [cell]
            read = [_area_key(rule, part) for part in parts]
            keys = list(filter(None, read))
            if keys:
                found[layer] = keys[0]
                warnings[f"several_areas_in_one_cell:{layer}"] += len(keys) > 1
            elif None in read:
                warnings[f"no_such_area:{layer}"] += 1
        return found, +warnings

    def _kept(self, row: Row) -> str:
        if not self._keeping:
            return "{}"
        kept = {code: text for code, pick in self._keeping if (text := pick(row))}
        return msgspec.json.encode(kept).decode()

    def _number(self, pick: Pick, row: Row) -> float | None:
        text = pick(row)
        return coordinate(text) if text else None

    def _time(self, column: tuple[Pick, LocalTimes] | None, row: Row) -> datetime | None:
        if column is None:
            return None
        text = column[0](row)
        return column[1](text) if text else None

    # --- making ready -----------------------------------------------------------------------------------------------------

    def _columns(self, zone: ZoneInfo) -> None:
        m = self.mapping
        self._id = self._pick(m.id)
        self._swap = m.swap is not None
        if m.swap:
            self._other = self._pick(m.swap.column)
            self._id_pattern, self._other_pattern = re.compile(m.swap.id_pattern), re.compile(m.swap.other_pattern)
        self._opened = self._times(m.opened, zone, self._clean)
        self._closed = self._times(m.closed, zone, self._clean) if m.closed else None
        self._due = self._times(m.due, zone, self._clean) if m.due else None
        self._updated = self._times(m.updated, zone, self._pick) if m.updated else None
        self._status = self._clean(m.status.columns)
        self._channel_text = self._clean(m.channel.columns)
        self._service = self._pick(m.service.columns)
        self._department = self._pick(m.department.columns)
        self._group = self._pick(m.group.columns) if m.group else _nothing
        self._team = self._pick(m.team.columns) if m.team else _nothing
        rules = filter(None, (m.service, m.department, m.group, m.team))
        places = [place for rule in rules for place in self.header.places(rule.columns)]
        self._name_cells = itemgetter(*places)  # of service and department at least, so that it gives a tuple
        self._note = self._clean(m.outcome.columns) if m.outcome.columns else _nothing
        self._description = self._text(m.description)
        self._address = self._text(m.address)
        self._keeping = [(code, self._clean(column)) for code, column in m.keep.items()]
        self._area_picks = [self._clean(rule.columns) for rule in m.areas.values()]
        self._y, self._x = self._position(m.position)

    def _position(self, rule: Position | None) -> tuple[Pick, Pick]:
        if rule is None:
            return _nothing, _nothing
        if rule.point:
            point = self._clean(rule.point)
            return lambda row: _of_pair(point(row))[0], lambda row: _of_pair(point(row))[1]
        return self._clean(rule.y or rule.latitude), self._clean(rule.x or rule.longitude)

    def _times(self, rule: Times, zone: ZoneInfo, pick: Callable[[Columns], Pick]) -> tuple[Pick, LocalTimes]:
        return pick(rule.columns), LocalTimes(zone, rule.formats, ends_day=rule.date_only == "end")

    def _text(self, rule: Text | None) -> Pick:
        if rule is None:
            return _nothing
        if not rule.join:
            return self._clean(rule.columns)
        picks = [self._clean(column) for column in listed(rule.columns)]
        joint = rule.join
        return lambda row: joint.join(filter(None, (pick(row) for pick in picks)))

    def _clean(self, columns: Columns) -> Pick:
        """As `_pick`, of cells that are clean already."""
        places = self.header.places(columns)
        self._used.extend(places)
        if len(places) == 1:
            return itemgetter(places[0])
        return lambda row: next(filter(None, map(row.__getitem__, places)), "")

    def _pick(self, columns: Columns) -> Pick:
        places = self.header.places(columns)
        self._used.extend(places)
        nulls = self._nulls
        if len(places) == 1 and not nulls:
            only = places[0]
            return lambda row: row[only].strip()

        def first(row: Row) -> str:
            for place in places:
                text = row[place].strip()
                if text and text not in nulls:
                    return text
            return ""

        return first


def _of_pair(cell: str) -> tuple[str, str]:
    """('32.78', '-96.80') of '(32.78,-96.80)'."""
    first, _, second = cell.strip("() ").partition(",")
    return first.strip(), second.strip()


def _area_key(rule: Areas, cell: str) -> str | None:
    """The key; '' when the cell says that there is no area, None when it says what is no area."""
    key = whole_number(cell) if rule.number else cell
    if not cell or key in rule.nothing:
        return ""
    return None if not key or (rule.keys and key not in rule.keys) else key


def team_code(naming: Naming) -> str:
    """Within its department, so that two departments' teams of one name stay two; not said twice when the name begins with it."""
    department, team = slug(naming.department), slug(naming.team)
    return team if team == department or team.startswith(f"{department}-") else slug(f"{department} {naming.team}")


__all__ = ["DECLINED", "DONE", "Draft", "Drafter", "Naming", "Rejected", "team_code"]
