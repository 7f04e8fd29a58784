"""Identity providers as a deployment names them: from the environment, or from a file outside the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loop311.accounts.providers import providers

ENVIRONMENT = {"LOOP311_OIDC_URL": "https://login.example.gov", "LOOP311_OIDC_CLIENT_ID": "desk"}
ENTRY = {"id": "city", "name": "City", "server_url": "https://login.example.gov", "client_id": "desk"}


def test_without_anything_said_there_is_none() -> None:
    assert providers({}) == []


def test_one_comes_from_the_environment_with_its_secret_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("known-to-both\n")
    (app,) = providers(
        {**ENVIRONMENT, "LOOP311_OIDC_SECRET_FILE": str(secret), "LOOP311_OIDC_DOMAINS": "Example.gov, x.gov"}
    )
    assert app["secret"] == "known-to-both"
    assert app["settings"]["verified_domains"] == ["example.gov", "x.gov"]
    assert app["settings"]["oauth_pkce_enabled"] is True
    assert app["settings"]["second_factor"] is False


def test_several_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    path.write_text(json.dumps([ENTRY, {**ENTRY, "id": "county", "second_factor": True}]))
    found = providers({"LOOP311_OIDC_FILE": str(path)})
    assert [(app["provider_id"], app["settings"]["second_factor"]) for app in found] == [
        ("city", False),
        ("county", True),
    ]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([{**ENTRY, "client_id": ""}], "lacks client_id"),
        ([{**ENTRY, "sekret": "x"}], "unknown sekret"),
        ([ENTRY, ENTRY], "same id"),
        ({}, "a list"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, entries: object, said: str) -> None:
    path = tmp_path / "providers.json"
    path.write_text(json.dumps(entries))
    with pytest.raises(ValueError, match=said):
        providers({"LOOP311_OIDC_FILE": str(path)})


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        providers({"LOOP311_OIDC_FILE": str(tmp_path / "none")})
