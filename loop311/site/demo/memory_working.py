"""The team's and the resident's verbs in memory. A test plays one city here and one through the services and compares them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from loop311.accounts.models import StaffMember, Team
from loop311.catalog.conditions import validate_answers
from loop311.catalog.definitions import Answers, EscalationLevel, EvidenceKind, Step
from loop311.kit.actor import Actor, system
from loop311.kit.problems import Conflict
from loop311.promises import policies as promise_policies
from loop311.requests.models import Escalated, Request
from loop311.requests.policies import OPEN_STATES, WORKABLE, PromiseReason, State, Verb, missing_evidence
from loop311.requests.services import Proof
from loop311.requests.services.filing import words_digest
from loop311.requests.services.promising import first_escalation
from loop311.routing.policies import decide
from loop311.site.demo.memory import Life
from loop311.site.demo.memory_filing import Doors

_MIRRORED = ("outcome", "outcome_note", "done_at", "ended_at", "dispute_until")


class InMemory(Doors):
    # --- The team ------------------------------------------------------------------------------------------------------

    def assign(self, request: Request, *, by: Actor, assignee: StaffMember, at: datetime) -> Request:
        life = self.life(request, Verb.ASSIGN)
        life.request.assignee = assignee
        life.request.state = State.ASSIGNED
        body = {"assignee": assignee.pk, "team": life.request.team_id}
        self.write(life, "request.assigned", body, by=by, at=at)
        return life.request

    def start(self, request: Request, *, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.START)
        life.request.state = State.IN_PROGRESS
        _respond(life, at)
        self.write(life, "request.started", {}, by=by, at=at)
        return life.request

    def wait(self, request: Request, *, reason: str, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.WAIT)
        longest = self.index.stop_reasons[reason].longest
        self.stop_clock(life, reason, at=at, ends_by=at + longest if longest else None)
        life.request.state = State.WAITING
        life.request.waiting_reason = reason
        life.request.escalate_at = None
        _respond(life, at)
        self.write(life, "request.waiting", {"reason": reason}, by=by, at=at)
        return life.request

    def resume(self, request: Request, *, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.RESUME)
        life.request.state = State.IN_PROGRESS
        self.run_clock(life, by=by, at=at)
        self.write(life, "request.resumed", {}, by=by, at=at)
        return life.request

    def hand_over(self, request: Request, *, owner: str, reference: str, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.HAND_OVER)
        _respond(life, at)
        self.hand_to(life, owner, reference, by=by, at=at)
        return life.request

    def reroute(self, request: Request, *, team: Team, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.REROUTE)
        self.run_clock(life, by=by, at=at)
        before = life.request.team_id
        life.request.team_id, life.request.assignee, life.request.state = team.pk, None, State.RECEIVED
        self.write(life, "request.rerouted", {"from_team": before, "to_team": team.pk}, by=by, at=at)
        return life.request

    def comment(self, request: Request, *, text: str, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.COMMENT)
        words = self.words(life, text, by=by, at=at)
        self.write(life, "request.commented", {"comment": words, "public": False}, by=by, at=at)
        return life.request

    def change_service(
        self, request: Request, *, service_code: str, answers: Mapping[str, object], by: Actor, at: datetime
    ) -> Request:
        life, under = self.life(request, Verb.CHANGE_SERVICE), self.terms(service_code)
        request = life.request
        if under.policy is None:
            raise ValueError(f"{service_code} promises nothing")
        carried = self._carried(life, service_code, answers)
        self.run_clock(life, by=by, at=at)
        if request.answers:
            stored = sorted(request.answers.items(), key=lambda item: (len(item[0]), item[0]))  # as jsonb keeps them
            lines = [f"{code}: {answer}" for code, answer in stored]
            self.words(life, "\n".join([f"Answers given under {request.service.code}:", *lines]), by=by, at=at)
        before = request.service.code
        request.answers = carried
        decision = decide(self.index, service_code, request.answers, request.areas)
        request.service, request.team_id = self.services[service_code], self.teams[decision.team]
        request.assignee, request.state, request.priority = None, State.RECEIVED, decision.priority
        request.completion, request.publicity = under.completion, under.service.publicity
        due_at = self.due_after_stops(life, service_code, at)
        if due_at != request.due_at:
            self.promise(life, Step.RESOLUTION, due_at, PromiseReason.SERVICE_CHANGED, at=at)
            request.due_at = due_at
        request.escalate_at = first_escalation(under.policy, due_at)
        body = {
            "from_service": before,
            "to_service": service_code,
            "catalogue": self.version.number,
            "team": request.team_id,
            "due_at": due_at.isoformat(),
            "words": words_digest(request),
        }
        self.write(life, "request.service_changed", body, by=by, at=at)
        self.hand_over_by_rule(life, decision.hand_over, by=by, at=at)
        return request

    def _carried(self, life: Life, service_code: str, given: Mapping[str, object]) -> Answers:
        """Answers to questions both services ask are kept unless given anew or unfit."""
        service = self.index.services[service_code]
        codes = {question.code for question in service.questions}
        kept = {code: answer for code, answer in life.request.answers.items() if code in codes}
        merged, faults = validate_answers(service, {**kept, **given}, self.jurisdiction.languages)
        if faults:
            merged, faults = validate_answers(service, given, self.jurisdiction.languages)
        if faults:
            raise ValueError(f"the plan asks the impossible of {service_code}: {faults}")
        return merged

    # --- Proof and end -------------------------------------------------------------------------------------------------

    def add_evidence(self, request: Request, proof: Proof, *, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.ADD_EVIDENCE)
        self.evidence(life, proof, by=by, at=at)
        return life.request

    def resolve(self, request: Request, *, outcome: str, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.RESOLVE)
        if self.index.outcomes[outcome].no_proof:
            life.request.completion = [[EvidenceKind.STATEMENT.value]]
            self.evidence(life, Proof(kind=EvidenceKind.STATEMENT), by=by, at=at)
        shown = [row.kind for row in life.history.evidence if row.pk > life.request.evidence_after]
        if missing_evidence(life.request.completion, shown):
            raise Conflict(f"Request {request.number} cannot be done without proof.")
        self.run_clock(life, by=by, at=at)
        self._end(life, State.DONE, outcome, at)
        life.request.done_at = at
        self.write(life, "request.done", {"outcome": outcome}, by=by, at=at)
        for follower in life.following(State.JOINED):
            self._tell(follower, life, "request.leader_done", by=by, at=at)
        return life.request

    def decline(self, request: Request, *, outcome: str, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.DECLINE)
        self.run_clock(life, by=by, at=at)
        self._end(life, State.DECLINED, outcome, at)
        life.request.done_at = life.request.ended_at = at
        self.write(life, "request.declined", {"outcome": outcome}, by=by, at=at)
        self._end_followers(life, by=by, at=at)
        return life.request

    def confirm(self, request: Request, *, by: Actor, at: datetime) -> Request:
        """Of a request that follows nobody: the plan lets only those be confirmed."""
        life = self.life(request, Verb.CONFIRM)
        yes = Proof(kind=EvidenceKind.RESIDENT_YES, reference=f"request:{request.pk}")
        self.evidence(life, yes, by=by, at=at)
        self.write(life, "request.confirmed", {"leading": request.pk}, by=by, at=at)
        if all(follower.request.resident_id is None for follower in life.following(State.JOINED)):
            self._close(life, "confirmed", by=by, at=at)
        return life.request

    def close_undisputed(self, request: Request, *, by: Actor, at: datetime) -> Request:
        life = self.lives[request.pk]
        if life.request.state != State.DONE:
            return life.request
        if life.request.dispute_until is None or at < life.request.dispute_until:
            raise Conflict(f"The resident may still object to {request.number}.")
        self._close(life, "undisputed", by=by, at=at)
        return life.request

    def dispute(self, request: Request, *, text: str, by: Actor, at: datetime) -> Request:
        """Of a request that follows nobody."""
        life = self.life(request, Verb.DISPUTE)
        request = life.request
        if request.dispute_until is not None and at > request.dispute_until:
            raise Conflict(f"The time to object to {request.number} has passed.")
        self.words(life, text, by=by, at=at)
        under = self.terms(request.service.code)
        request.state = State.RECEIVED
        request.reopened_count += 1
        request.evidence_after = max((row.pk for row in life.history.evidence), default=0)
        request.completion = under.completion
        request.outcome = request.outcome_note = ""
        request.done_at = request.ended_at = request.dispute_until = None
        request.escalate_at = first_escalation(under.policy, request.due_at)
        self.write(life, "request.reopened", {"count": request.reopened_count}, by=by, at=at)
        for follower in life.following(State.JOINED, State.DECLINED):
            follower.request.state = State.JOINED
            self._tell(follower, life, "request.leader_reopened", by=by, at=at, outcome=False)
        return request

    def _end(self, life: Life, state: State, outcome: str, at: datetime) -> None:
        request = life.request
        request.state, request.outcome, request.outcome_note = state, outcome, ""
        days = self.index.services[request.service.code].dispute_days
        request.dispute_until = at + timedelta(days=days)
        request.escalate_at = None
        _respond(life, at)

    def _close(self, life: Life, why: str, *, by: Actor, at: datetime) -> None:
        life.request.state, life.request.ended_at = State.CLOSED, at
        self.write(life, "request.closed", {"why": why, "outcome": life.request.outcome}, by=by, at=at)
        self._end_followers(life, by=by, at=at)

    def _end_followers(self, life: Life, *, by: Actor, at: datetime) -> None:
        for follower in life.following(State.JOINED):
            follower.request.state = life.request.state
            self._tell(follower, life, "request.leader_closed", by=by, at=at)

    def _tell(self, follower: Life, leading: Life, kind: str, *, by: Actor, at: datetime, outcome: bool = True) -> None:
        for name in _MIRRORED:
            setattr(follower.request, name, getattr(leading.request, name))
        body: dict[str, object] = {"leading": leading.request.pk}
        if outcome:
            body["outcome"] = leading.request.outcome
        self.write(follower, kind, body, by=by, at=at)

    # --- Joining -------------------------------------------------------------------------------------------------------

    def join(self, request: Request, *, leading: Request, by: Actor, at: datetime) -> Request:
        life, leader = self.life(request, Verb.JOIN), self.lives[leading.pk]
        if State(leader.request.state) not in WORKABLE:
            raise Conflict(f"Request {leading.number} is no longer being worked on.")
        life.request.leading, life.request.state, life.request.escalate_at = leader.request, State.JOINED, None
        leader.request.joined_count += 1
        leader.followers.append(life)
        life.history.family = leader.history.family
        self.write(life, "request.joined", {"leading": leading.pk}, by=by, at=at)
        self.write(leader, "request.follower_joined", {"follower": request.pk}, by=by, at=at)
        return life.request

    def separate(self, request: Request, *, by: Actor, at: datetime) -> Request:
        life = self.life(request, Verb.SEPARATE)
        request = life.request
        leader = self.lives[request.leading_id or 0]
        request.leading, request.state = None, State.RECEIVED
        leader.request.joined_count -= 1
        self.write(leader, "request.follower_left", {"follower": request.pk}, by=by, at=at)
        request.escalate_at = first_escalation(self.terms(request.service.code).policy, request.due_at)
        request.outcome = request.outcome_note = ""
        request.done_at = request.ended_at = request.dispute_until = None
        self.write(life, "request.separated", {"leading": leader.request.pk}, by=by, at=at)
        return request

    # --- The clock -----------------------------------------------------------------------------------------------------

    def escalate_due(self, at: datetime) -> int:
        waiting = [life for life in self.lives.values() if life.request.escalate_at and life.request.escalate_at <= at]
        waiting.sort(key=lambda life: (life.request.escalate_at, life.request.pk))
        return sum(self._escalate(life, at) for life in waiting)

    def _escalate(self, life: Life, at: datetime) -> int:
        request = life.request
        policy = self.terms(request.service.code).policy
        promise = [p for p in life.history.promises if p.step == Step.RESOLUTION][-1]
        if policy is None or State(request.state) not in OPEN_STATES:
            request.escalate_at = None
            self.keep_version(life)
            return 0
        climbed = {EscalationLevel(row.level) for row in life.history.escalated if row.promise_id == promise.pk}
        due = promise_policies.due_escalations(policy, promise.due_at, at, climbed)
        later = [step.at for step in promise_policies.escalation_times(policy, promise.due_at) if step.at > at]
        request.escalate_at = min(later, default=None)
        by = system(self.jurisdiction.pk)
        for step in due:
            row = Escalated(jurisdiction_id=self.jurisdiction.pk, promise_id=promise.pk, level=step.level, at=at)
            life.history.escalated.append(row)
            tell = [who.value for who in step.tell]
            body = {"level": step.level, "tell": tell, "due_at": promise.due_at.isoformat()}
            self.write(life, "request.escalated", body, by=by, at=at)
        if not due:
            self.keep_version(life)
        return len(due)


def _respond(life: Life, at: datetime) -> None:
    if life.request.first_responded_at is None:
        life.request.first_responded_at = at
