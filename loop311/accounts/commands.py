"""loop311 user, loop311 token: who works for a city, and the bearer tokens of programs."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import click

from loop311.accounts import factors, links, lockout, services, usage
from loop311.accounts.models import StaffMember, Token
from loop311.accounts.policies import PERMISSIONS, Role
from loop311.jurisdictions.services import by_slug
from loop311.kit.actor import system
from loop311.kit.clock import now
from loop311.kit.commands import print_json


@click.group()
def user() -> None:
    """Take people on, change and list them, let them in again."""


@user.command("create")
@click.argument("city")
@click.argument("email")
@click.option("--name", help="As screens show it.  [default: the part of EMAIL before the @]")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="Repeatable. docs/reference/permissions.md says what each may do.",
)
@click.option("--team", "teams", multiple=True, metavar="CODE", help="Repeatable.")
@click.option("--department", default="", metavar="CODE")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
def create_user(
    city: str, email: str, name: str | None, roles: tuple[str, ...], teams: tuple[str, ...], department: str,
    password_stdin: bool,
) -> None:  # fmt: skip
    """Take a person on in CITY. Without a password they cannot sign in until one is set; a known EMAIL keeps its own."""
    jurisdiction = by_slug(city)
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    staff = services.create_staff(
        jurisdiction,
        email,
        name=name or email.partition("@")[0],
        roles=roles,
        teams=teams,
        department=department,
        password=password,
        by=system(jurisdiction.pk),
    )
    click.echo(f"{email} works for {jurisdiction.name} as {', '.join(staff.roles)}.")


@user.command("list")
@click.argument("city")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_users(city: str, as_json: bool) -> None:
    """List who works for CITY."""
    rows = [_staff_row(row) for row in services.staff_of(by_slug(city))]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        left = "" if row["is_active"] else "  (has left)"
        click.echo(f"{row['email']:<40} {','.join(row['roles']):<40} {','.join(row['teams'])}{left}")


@user.command("deactivate")
@click.argument("city")
@click.argument("email")
def deactivate_user(city: str, email: str) -> None:
    """This person has left: sessions end at once, no token works any more; what they did stays theirs."""
    staff = _staff(city, email)
    services.deactivate_staff(staff, by=system(staff.jurisdiction_id))
    click.echo(f"{email} does not work for {staff.jurisdiction.name} any more.")


@user.command("activate")
@click.argument("city")
@click.argument("email")
def activate_user(city: str, email: str) -> None:
    """This person is back, with the roles and teams they had."""
    staff = _staff(city, email)
    services.reactivate_staff(staff, by=system(staff.jurisdiction_id))
    click.echo(f"{email} works for {staff.jurisdiction.name} again as {', '.join(staff.roles)}.")


@user.command("roles")
@click.argument("city")
@click.argument("email")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]),
              help="Repeatable: all the roles the person has from now on.")  # fmt: skip
def set_roles(city: str, email: str, roles: tuple[str, ...]) -> None:
    """Replace the roles of a person; it holds from their next page on."""
    staff = _staff(city, email)
    changed = services.change_staff(staff, roles=roles, by=system(staff.jurisdiction_id))
    click.echo(f"{email} works for {staff.jurisdiction.name} as {', '.join(changed.roles)}.")


@user.command("reset-second-factor")
@click.argument("city")
@click.argument("email")
def reset_second_factor(city: str, email: str) -> None:
    """For somebody who lost phone and codes: no second factor is left, and they are signed out everywhere."""
    staff = _staff(city, email)
    factors.reset_factors(staff, by=system(staff.jurisdiction_id))
    click.echo(f"{email} has no second factor any more and is signed out everywhere.")


@user.command("unlock")
@click.argument("city")
@click.argument("email")
def unlock_user(city: str, email: str) -> None:
    """Let somebody try again at once who gave too many wrong passwords."""
    staff = _staff(city, email)
    lockout.unlock(staff, by=system(staff.jurisdiction_id))
    click.echo(f"{email} may try again.")


@user.command("password")
@click.argument("city")
@click.argument("email")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the password from the first line of standard input.")
def set_password(city: str, email: str, from_stdin: bool) -> None:
    """Print a link on which the person chooses a password; with --stdin set it here."""
    staff = _staff(city, email)
    if from_stdin:
        links.set_password(staff, sys.stdin.readline().rstrip("\r\n"), by=system(staff.jurisdiction_id))
        click.echo(f"{email} has the new password and is signed out everywhere.")
        return
    click.echo(links.password_link(staff))
    click.echo("The link works once, for three days. Whoever opens it chooses the password.", err=True)


def _staff(city: str, email: str) -> StaffMember:
    return services.staff_by_email(by_slug(city), email)


def _staff_row(row: StaffMember) -> dict[str, Any]:
    return {
        "id": row.pk,
        "email": row.user.email,
        "name": row.name,
        "roles": row.roles,
        "teams": sorted(team.code for team in row.teams.all()),
        "is_active": row.is_active,
    }


@click.group()
def token() -> None:
    """Make, list and revoke bearer tokens for the API."""


@token.command("create")
@click.argument("city")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="Repeatable: requests.read, requests.file ...")
@click.option("--all-scopes", is_flag=True, help="Every scope there is; so it is when no --scope is given.")
@click.option("--staff", metavar="EMAIL", help="Carry this person's authority, never more than it.")
@click.option("--expires-in-days", type=click.IntRange(1, 3650), help="[default: it does not expire]")
@click.option(
    "--per-minute",
    type=click.IntRange(1, 1_000_000),
    metavar="CALLS",
    help=f"Open311 calls of one kind in a minute.  [default: {usage.PER_MINUTE}]",
)
def create_token(
    city: str, name: str, scopes: tuple[str, ...], all_scopes: bool, staff: str | None, expires_in_days: int | None,
    per_minute: int | None,
) -> None:  # fmt: skip
    """Print a new bearer token for CITY on standard output, this once; only its SHA-256 is kept."""
    if scopes and all_scopes:
        raise click.UsageError("Give either --scope or --all-scopes.")
    jurisdiction = by_slug(city)
    made, secret = services.create_token(
        jurisdiction,
        name,
        scopes or PERMISSIONS,
        staff=services.staff_by_email(jurisdiction, staff) if staff else None,
        expires_at=now() + timedelta(days=expires_in_days) if expires_in_days else None,
        per_minute=per_minute,
        by=system(jurisdiction.pk),
    )
    click.echo(secret)
    until = f"until {made.expires_at:%Y-%m-%d}" if made.expires_at else "until it is revoked"
    what = "every scope" if len(made.scopes) == len(PERMISSIONS) else ", ".join(made.scopes)
    click.echo(f"Token {made.pk} of {jurisdiction.name} with {what}, {until}. It is shown this once.", err=True)


@token.command("list")
@click.argument("city")
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Of which the calls are counted."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_tokens(city: str, days: int, as_json: bool) -> None:
    """List the tokens of CITY, without their secrets, and how often each was used over Open311."""
    jurisdiction = by_slug(city)
    uses = usage.by_token(usage.days_of(jurisdiction, since=now() - timedelta(days=days - 1)))
    rows = [_token_row(row, uses.get(row.pk, [])) for row in services.tokens_of(jurisdiction)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        scopes = f"{len(row['scopes'])} scopes"
        calls = sum(day["count"] for day in row["uses"])
        refused = sum(day["refused"] for day in row["uses"])
        beyond = f", {refused} of them beyond the limit" if refused else ""
        used = f"  {calls} calls in {days} days{beyond}" if calls else ""
        click.echo(f"{row['id']:>6}  {row['state']:<8} {row['name']:<32} {scopes:<10}{used}".rstrip())


def _token_row(row: Token, uses: list[usage.Day]) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "staff": row.staff.user.email if row.staff else None,
        "scopes": row.scopes,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "state": row.state(now()),
        "per_minute": row.per_minute,
        "uses": [{"day": use.day, "call": use.call, "count": use.count, "refused": use.refused} for use in uses],
    }


@token.command("revoke")
@click.argument("city")
@click.argument("token_id", type=click.IntRange(1))
def revoke_token(city: str, token_id: int) -> None:
    """The token with this id (see `token list`) opens nothing any more."""
    jurisdiction = by_slug(city)
    by = system(jurisdiction.pk)
    services.revoke_token(services.get_token(token_id, by=by), by=by)
    click.echo(f"Token {token_id} of {jurisdiction.name} is revoked.")
