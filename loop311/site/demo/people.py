"""Who works and lives in Port Alder: names that are plainly marked, addresses that lead nowhere. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from loop311.accounts.policies import Role
from loop311.catalog.definitions import Catalogue
from loop311.site.demo.streets import Point

PASSWORD = "port-alder-demo"  # noqa: S105 - meant to be known, and only ever made in a demo city
MAIL = "port-alder.example.com"
AREA_CODES = ("503", "541", "971", "458")
CONCIERGES = 8
CREW = 2
"""Members of each team, beside its lead."""


@dataclass(frozen=True, slots=True)
class Worker:
    name: str
    email: str
    role: Role
    teams: tuple[str, ...] = ()
    department: str = ""
    signs_in: bool = False
    """Has the demo password."""


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A demo resident. `phone` may be empty."""

    name: str
    email: str
    phone: str
    language: str
    home: Point = field(compare=False)


def workers(catalogue: Catalogue) -> list[Worker]:
    """Staff of every role. The first of each role can sign in."""
    found = [_worker(Role.CONCIERGE, str(n), teams=("concierge_desk",)) for n in range(1, CONCIERGES + 1)]
    found += [_worker(role) for role in (Role.SUPERVISOR, Role.CONFIGURATION_MANAGER, Role.AUDITOR, Role.ADMINISTRATOR)]
    found += [_worker(Role.COORDINATOR, str(n)) for n in range(1, 8)]
    found += [_worker(Role.DEPARTMENT_MANAGER, d.code, department=d.code) for d in catalogue.departments]
    for team in catalogue.teams:
        crew = [(Role.TEAM_LEAD, team.code), *((Role.TEAM_MEMBER, f"{team.code}.{n}") for n in range(1, CREW + 1))]
        found += [_worker(role, which, teams=(team.code,), department=team.department) for role, which in crew]
    return _with_sign_ins(found)


def _worker(role: Role, which: str = "", *, teams: tuple[str, ...] = (), department: str = "") -> Worker:
    words = f"{role.value} {which}".replace("_", " ").replace(".", " ").title().strip()
    local = f"{role.value}.{which}".replace("_", "-").strip(".")
    return Worker(f"Demo {words}", f"{local}@{MAIL}", role, teams, department)


SIGN_IN_TEAM = "streets_north"
SIGN_IN_DEPARTMENT = "public_works"


def _with_sign_ins(found: Sequence[Worker]) -> list[Worker]:
    """One of each role: for those of a team, of the street crew in the north."""
    chosen: dict[Role, str] = {}
    for worker in found:
        if worker.department and worker.department != SIGN_IN_DEPARTMENT:
            continue
        if worker.teams and worker.department and SIGN_IN_TEAM not in worker.teams:
            continue
        chosen.setdefault(worker.role, worker.email)
    return [
        Worker(w.name, w.email, w.role, w.teams, w.department, signs_in=chosen.get(w.role) == w.email) for w in found
    ]


def neighbors(seed: int, count: int, homes: Sequence[Point]) -> list[Neighbor]:
    """Numbered residents: 'Demo Resident 0042'. Numbers end in 555-01xx, which is given to nobody."""
    rng = Random(f"neighbors {seed}")  # noqa: S311 - a repeatable plan, no secret
    found = []
    for number in range(1, count + 1):
        line = (number - 1) % (100 * len(AREA_CODES))
        phone = f"+1{AREA_CODES[line // 100]}55501{line % 100:02d}" if number <= 100 * len(AREA_CODES) else ""
        language = "es" if rng.random() < 0.2 else "en"
        name = f"Demo Resident {number:04d}"
        found.append(Neighbor(name, f"demo.resident.{number:04d}@example.com", phone, language, rng.choice(homes)))
    return found
