"""The API's door: bearer tokens, scopes, and who works here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from ninja.security import HttpBearer
from pydantic import BaseModel, Field

from loop311.accounts import services
from loop311.accounts.models import Department, StaffMember, Team, Token
from loop311.accounts.policies import Role
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.actor import Actor
from loop311.kit.api import LAX, Id, Input, Line, When, Window, note_permission
from loop311.kit.problems import Forbidden, Unauthenticated

router = Router(tags=["accounts"])


class TokenAuth(HttpBearer):
    """`request.auth` becomes the Actor behind the bearer token; one query."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        return services.open_token(token.strip())


def actor(request: HttpRequest) -> Actor:
    """Who calls."""
    found = getattr(request, "auth", None)
    if not isinstance(found, Actor):
        raise Unauthenticated("Send a bearer token.")
    return found


def require(request: HttpRequest, permission: str) -> Actor:
    """Who calls, provided the token has this scope (and the person behind it this permission)."""
    who = actor(request)
    note_permission(request, permission)
    if not who.may(permission):
        raise Forbidden(f"This needs the scope {permission}, which the token does not have.")
    return who


# --- Who works here ----------------------------------------------------------------------------------------------------


class Me(BaseModel):
    kind: str
    id: int
    jurisdiction: str
    time_zone: str
    languages: list[str]
    scopes: list[str]


class DepartmentOut(BaseModel):
    id: int
    code: str
    names: dict[str, str]


class TeamOut(DepartmentOut):
    department: str


class StaffOut(BaseModel):
    id: int
    name: str
    roles: list[str]
    teams: list[str] = Field(description="Codes.")
    is_active: bool


class StaffList(BaseModel):
    items: list[StaffOut]
    next: int | None = Field(description="Send it as `after` for the next window; null at the end.")


@router.get("/me", response=Me, summary="Whose token this is and what it may do")
def me(request: HttpRequest) -> Me:
    who = actor(request)
    city = Jurisdiction.objects.get(pk=who.jurisdiction_id)
    return Me(
        kind=who.kind,
        id=who.ref,
        jurisdiction=city.slug,
        time_zone=city.time_zone,
        languages=city.languages,
        scopes=sorted(who.permissions),
    )


@router.get("/departments", response=list[DepartmentOut], summary="The city's departments")
def departments(request: HttpRequest) -> list[DepartmentOut]:
    who = require(request, "requests.read")
    rows = Department.objects.filter(jurisdiction_id=who.jurisdiction_id).order_by("code")
    return [DepartmentOut(id=row.pk, code=row.code, names=row.names) for row in rows]


@router.get("/teams", response=list[TeamOut], summary="The city's teams")
def teams(request: HttpRequest) -> list[TeamOut]:
    who = require(request, "requests.read")
    rows = Team.objects.filter(jurisdiction_id=who.jurisdiction_id).select_related("department").order_by("code")
    return [TeamOut(id=row.pk, code=row.code, names=row.names, department=row.department.code) for row in rows]


@router.get("/staff", response=StaffList, summary="Who works here")
def staff_members(request: HttpRequest, window: Query[Window]) -> StaffList:
    who = require(request, "requests.read")
    rows = StaffMember.objects.filter(jurisdiction_id=who.jurisdiction_id, pk__gt=window.after or 0)
    found = list(rows.prefetch_related("teams").order_by("pk")[: window.limit + 1])
    items = [_staff_out(row) for row in found[: window.limit]]
    return StaffList(items=items, next=items[-1].id if len(found) > window.limit else None)


@router.get("/staff/{int:staff_id}", response=StaffOut, summary="One member of staff")
def staff_member(request: HttpRequest, staff_id: Id) -> StaffOut:
    return _staff_out(services.get_staff(staff_id, by=require(request, "requests.read")))


class StaffIn(Input):
    email: Line
    name: Line
    roles: list[Annotated[Role, LAX]] = Field(min_length=1, max_length=20)
    teams: list[Line] = Field([], max_length=100, description="Codes.")


@router.post("/staff", response={201: StaffOut}, summary="Take a person on")
def add_staff(request: HttpRequest, body: StaffIn) -> Status[StaffOut]:
    who = require(request, "accounts.manage")
    city = Jurisdiction.objects.get(pk=who.jurisdiction_id)
    staff = services.create_staff(city, body.email, name=body.name, roles=body.roles, teams=body.teams, by=who)
    return Status(201, _staff_out(staff))


class StaffChange(Input):
    name: Line | None = None
    roles: list[Annotated[Role, LAX]] | None = Field(None, min_length=1, max_length=20)
    teams: list[Line] | None = Field(None, max_length=100)


@router.patch("/staff/{int:staff_id}", response=StaffOut, summary="Change a person's roles, teams or name")
def change_staff(request: HttpRequest, staff_id: Id, body: StaffChange) -> StaffOut:
    who = require(request, "accounts.manage")
    staff = services.get_staff(staff_id, by=who)
    return _staff_out(services.change_staff(staff, roles=body.roles, teams=body.teams, name=body.name, by=who))


@router.delete("/staff/{int:staff_id}", response=StaffOut, summary="This person has left; what they did stays theirs")
def remove_staff(request: HttpRequest, staff_id: Id) -> StaffOut:
    who = require(request, "accounts.manage")
    return _staff_out(services.deactivate_staff(services.get_staff(staff_id, by=who), by=who))


def _staff_out(staff: StaffMember) -> StaffOut:
    codes = sorted(team.code for team in staff.teams.all())
    return StaffOut(id=staff.pk, name=staff.name, roles=staff.roles, teams=codes, is_active=staff.is_active)


# --- Tokens ------------------------------------------------------------------------------------------------------------


class TokenIn(Input):
    name: Line
    scopes: list[Line] = Field(min_length=1, max_length=200)
    staff: Id | None = Field(None, description="Whose authority it carries; null for an application of its own.")
    expires_at: When | None = None


class TokenOut(BaseModel):
    id: int
    name: str
    scopes: list[str]
    staff: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewToken(TokenOut):
    secret: str = Field(description="The bearer token itself; shown this once.")


@router.get("/tokens", response=list[TokenOut], summary="The city's tokens, without their secrets")
def tokens(request: HttpRequest) -> list[TokenOut]:
    who = require(request, "accounts.read")
    return [TokenOut(**_token(row)) for row in Token.objects.filter(jurisdiction_id=who.jurisdiction_id).order_by("pk")]


@router.post("/tokens", response={201: NewToken}, summary="Make a token")
def create_token(request: HttpRequest, body: TokenIn) -> Status[NewToken]:
    who = require(request, "accounts.manage")
    city = Jurisdiction.objects.get(pk=who.jurisdiction_id)
    staff = services.get_staff(body.staff, by=who) if body.staff else None
    token, secret = services.create_token(city, body.name, body.scopes, staff=staff, expires_at=body.expires_at, by=who)
    return Status(201, NewToken(secret=secret, **_token(token)))


@router.delete("/tokens/{int:token_id}", response=TokenOut, summary="Revoke a token")
def revoke_token(request: HttpRequest, token_id: Id) -> TokenOut:
    who = require(request, "accounts.manage")
    return TokenOut(**_token(services.revoke_token(services.get_token(token_id, by=who), by=who)))


def _token(row: Token) -> dict[str, Any]:
    columns = ("name", "scopes", "created_at", "expires_at", "revoked_at")
    return {"id": row.pk, "staff": row.staff_id, **{column: getattr(row, column) for column in columns}}
