"""Playing the plan in the order of time through the services: every request files, works, waits and ends as a real one does."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random

from loop311.kit.problems import Conflict
from loop311.requests.policies import State, Verb, may_follow
from loop311.site.demo import acts, calling, filing, stories
from loop311.site.demo.calling import Wanted
from loop311.site.demo.demand import Ask
from loop311.site.demo.filing import Filed
from loop311.site.demo.founding import Founded
from loop311.site.demo.stories import Act, Step

LADDER = timedelta(hours=6)
"""How often the escalation ladder is looked at."""
REMEMBERED = 40
"""Reports of one service among which a caller may find the same thing."""


@dataclass(slots=True)
class Performance:
    city: Founded
    seed: int
    until: datetime
    on_filed: Callable[[], None] = lambda: None
    done: Counter[str] = field(default_factory=Counter)
    """How often each act was done; 'refused' counts what another act had made impossible."""
    _queue: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _order: int = 0
    _wanted: list[Wanted] = field(default_factory=list)
    """Call-backs; they change no request, so they are played at the end."""
    _recent: dict[str, deque[Filed]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=REMEMBERED)))

    def play(self, asks: Sequence[Ask], questions: Sequence[Ask]) -> None:
        """`questions` are contacts that ask only for information."""
        for number, ask in enumerate(asks):
            self._plan(ask.at, partial(self._file, number, ask))
        for number, ask in enumerate(questions):
            rng = self._generator("question", number)
            self._plan(ask.at, partial(filing.tell_something, self.city, ask, rng))
        if asks:
            self._climb(asks[0].at)
        while self._queue:
            heapq.heappop(self._queue)[2]()
        self.city.hands.save()
        for wanted in self._wanted:
            self.done[f"callback_{calling.ring(self.city, wanted, self.until)}"] += 1

    def _plan(self, at: datetime, act: Callable[[], None]) -> None:
        """What lies in the future has not happened."""
        if at < self.until:
            self._order += 1
            heapq.heappush(self._queue, (at, self._order, act))

    def _generator(self, what: str, number: int) -> Random:
        return Random(f"{what} {self.seed} {number}")  # noqa: S311 - a repeatable plan, no secret

    def _climb(self, at: datetime) -> None:
        self.done["escalated"] += self.city.hands.escalate_due(at)
        self._plan(at + LADDER, partial(self._climb, at + LADDER))

    # --- Beginning -----------------------------------------------------------------------------------------------------

    def _file(self, number: int, ask: Ask) -> None:
        rng = self._generator("request", number)
        service = self.city.index.services[ask.service]
        twin = self._known_thing(rng, ask) if filing.reports_a_known_thing(rng, ask, service) else None
        filed = filing.file(self.city, ask, rng, twin)
        self.done["filed"] += 1
        self.on_filed()
        self.city.hands.filed(self.done["filed"])
        if twin is None or not self._join(filed, twin):
            self._recent[ask.service].append(filed)
            if filed.resident in self.city.with_phone and rng.random() < calling.SHARE:
                self._wanted.append(Wanted(ask.at + timedelta(minutes=1), filed, rng.random()))
            self._tell(filed, ask.at)

    def _known_thing(self, rng: Random, ask: Ask) -> Filed | None:
        since = ask.at - timedelta(days=self.city.index.services[ask.service].joining.days)
        open_ones = [
            other
            for other in self._recent[ask.service]
            if other.ask.at > since
            and other.service.code == ask.service
            and may_follow(Verb.RESOLVE, State(other.request.state))
        ]
        return rng.choice(open_ones[-6:]) if open_ones else None

    def _join(self, filed: Filed, twin: Filed) -> bool:
        if not may_follow(Verb.JOIN, State(filed.request.state)):
            return False
        at = filed.ask.at + timedelta(minutes=1)
        by = self.city.crew.concierge(filed.rng)
        filed.request = self.city.hands.join(filed.request, leading=twin.request, by=by, at=at)
        self.done["join"] += 1
        if filed.rng.random() < 0.04:
            later = at + timedelta(hours=filed.rng.uniform(1, 20))
            self._plan(later, partial(self._separate, filed, twin, later))
        return True

    def _separate(self, filed: Filed, twin: Filed, at: datetime) -> None:
        """It was another thing after all; too late when the leading one is as good as done."""
        if not may_follow(Verb.RESOLVE, State(twin.request.state)):
            return
        self._perform(filed, Step(at, Act.SEPARATE))
        if filed.request.state == State.RECEIVED:
            self._tell(filed, at)

    def _tell(self, filed: Filed, at: datetime) -> None:
        """Plan what becomes of it from now on."""
        request, index = filed.request, self.city.index
        policy = index.promise_of(filed.service)
        if policy is None or request.due_at is None:
            return
        promised = request.due_at - request.received_at
        due_at = request.due_at if filed.round == 1 else at + max(promised / 2, timedelta(hours=2))
        facts = stories.Facts(
            begins_at=at,
            due_at=due_at,
            service=filed.service,
            policy=policy,
            rule=index.completion_rules[filed.service.completion],
            outcomes=index.outcomes_of(filed.service),
            outside=request.state == State.HANDED_OVER,
            reachable=filed.resident is not None,
            in_storm=filed.ask.in_storm,
            round=filed.round,
            zone=self.city.jurisdiction.zone,
        )
        for step in stories.tell(filed.rng, facts):
            self._plan(step.at, partial(self._perform, filed, step))

    def _perform(self, filed: Filed, step: Step) -> None:
        try:
            acts.perform(self.city, filed, step)
        except Conflict:
            self.done["refused"] += 1
            return
        self.done[step.act.value] += 1
        if step.act in (Act.DISPUTE, Act.CHANGE_SERVICE):
            filed.round = 2
            self._tell(filed, step.at)
        elif step.act is Act.RESOLVE and filed.request.dispute_until is not None:
            closing = filed.request.dispute_until + timedelta(minutes=1)
            self._plan(closing, partial(self._perform, filed, Step(closing, Act.CLOSE)))
