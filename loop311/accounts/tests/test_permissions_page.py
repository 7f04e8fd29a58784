"""docs/reference/permissions.md is the table of policies.PERMISSIONS."""

from __future__ import annotations

from pathlib import Path

from loop311.accounts.policies import PERMISSIONS, Role, permissions_table

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "permissions.md"


def test_the_page_shows_who_may_do_what() -> None:
    assert permissions_table() in PAGE.read_text()


def test_every_role_stands_in_the_table_and_only_roles_do() -> None:
    assert {role for allowed in PERMISSIONS.values() for role in allowed} == set(Role)


def test_only_administrators_manage_accounts_and_erase_people() -> None:
    for permission in ("accounts.manage", "residents.erase", "requests.import"):
        assert PERMISSIONS[permission] == {Role.ADMINISTRATOR}


def test_an_auditor_reads_everything_and_changes_nothing() -> None:
    may = {permission for permission, allowed in PERMISSIONS.items() if Role.AUDITOR in allowed}
    assert may == {permission for permission in PERMISSIONS if permission.endswith(".read")}
