"""The newest 100 requests of a team over HTTP with a token, beside pgbench running the very SELECT behind it."""

from __future__ import annotations

from collections.abc import Iterator

from django.test import Client as InProcess

from bench.floor import Floor
from bench.load import Client, beside, web_server
from bench.recording import Script, Statement, recorded
from bench.results import Effort, Result, against_floor
from bench.town import Town
from loop311.accounts.models import Team

ROWS = 100


def measure(town: Town, size: int, floor: Floor, effort: Effort) -> Iterator[Result]:
    teams = _busy_teams(town)
    script = _script(town, teams)
    bearer = f"Authorization: Bearer {town.token}\r\n"
    with web_server() as port:
        clients = [Client(port, bearer) for _ in range(effort.clients)]

        def ask(client: Client, number: int) -> None:
            status, _ = client.ask("GET", _path(teams[number % len(teams)].code))
            if status != 200:
                raise RuntimeError(f"the list answered {status}")

        ours, theirs = beside(floor, script, clients, ask, effort.seconds)
    note = f"GET /api/v1/requests, {ROWS} newest of a team, {effort.clients} clients; floor: the same SELECT"
    yield against_floor("list of a team", size, ours, theirs, 0.10, note)


def _path(team: str) -> str:
    return f"/api/v1/requests?team={team}&limit={ROWS}"


def _busy_teams(town: Town) -> list[Team]:
    return list(Team.objects.filter(jurisdiction=town.jurisdiction, code__in=town.team_codes()).order_by("pk"))


def _script(town: Town, teams: list[Team]) -> str:
    """The SELECT of the list, for a random team each time."""
    team = teams[0]
    with recorded() as statements:
        InProcess().get(_path(team.code), headers={"Authorization": f"Bearer {town.token}"})
    (listed,) = [statement for statement in statements if "LIMIT" in statement.text and _asks_for(statement, team)]
    ids = [each.pk for each in teams]
    choice = f"\\set place random(0, {len(ids) - 1})\n" + "\\set team case " + " ".join(
        f"when :place = {place} then {pk}" for place, pk in enumerate(ids)
    ) + " end"  # fmt: skip
    params = dict(listed.params) if isinstance(listed.params, dict) else {}
    key = next(name for name, value in params.items() if "team" in name)
    return Script.of([Statement(listed.text, {**params, key: _TEAM})], head=choice, expressions={_TEAM: ":team"})


_TEAM = 987_654_321_987
"""Stands for the team's id while the script is written."""


def _asks_for(statement: Statement, team: Team) -> bool:
    return (
        "requests_request" in statement.text
        and isinstance(statement.params, dict)
        and team.pk in statement.params.values()
    )
