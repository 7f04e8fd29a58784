"""Identity providers (OpenID Connect) as a deployment names them. Pure: read by the settings before Django exists.

Either one provider in environment variables (LOOP311_OIDC_URL, _CLIENT_ID, _SECRET or _SECRET_FILE, _NAME, _DOMAINS,
_SECOND_FACTOR), or any number in a JSON file that LOOP311_OIDC_FILE names. Secrets never stand in the repository.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_WANTED = {"id", "name", "server_url", "client_id"}
_KNOWN = _WANTED | {"secret", "secret_file", "verified_domains", "second_factor", "scope"}


def providers(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """What allauth calls APPS of 'openid_connect'; ValueError says in one sentence what to mend."""
    path = environ.get("LOOP311_OIDC_FILE")
    entries = _of_file(Path(path)) if path else _of_environment(environ)
    found = [_app(entry) for entry in entries]
    ids = [app["provider_id"] for app in found]
    if len(set(ids)) != len(ids):
        raise ValueError("Two identity providers have the same id.")
    return found


def _of_file(path: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"The file LOOP311_OIDC_FILE names cannot be read as JSON: {error}") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("The file LOOP311_OIDC_FILE names must hold a list of identity providers.")
    return entries


def _of_environment(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    def given(name: str) -> str:
        return environ.get(f"LOOP311_OIDC_{name}", "")

    if not given("URL"):
        return []
    return [
        {
            "id": "city",
            "name": given("NAME") or "the city's sign-in",
            "server_url": given("URL"),
            "client_id": given("CLIENT_ID"),
            "secret": given("SECRET"),
            "secret_file": given("SECRET_FILE"),
            "verified_domains": [part.strip() for part in given("DOMAINS").split(",") if part.strip()],
            "second_factor": given("SECOND_FACTOR") == "1",
        }
    ]


def _app(entry: Mapping[str, Any]) -> dict[str, Any]:
    missing, strange = sorted(key for key in _WANTED if not entry.get(key)), sorted(set(entry) - _KNOWN)
    if missing or strange:
        what = f"lacks {', '.join(missing)}" if missing else f"has the unknown {', '.join(strange)}"
        raise ValueError(f"The identity provider {entry.get('id', '')!r} {what}.")
    secret_file = entry.get("secret_file")
    return {
        "provider_id": entry["id"],
        "name": entry["name"],
        "client_id": entry["client_id"],
        "secret": Path(secret_file).read_text().strip() if secret_file else entry.get("secret", ""),
        "settings": {
            "server_url": entry["server_url"],
            "verified_domains": [str(each).lower() for each in entry.get("verified_domains") or ()],
            "second_factor": bool(entry.get("second_factor")),
            "oauth_pkce_enabled": True,
            "scope": list(entry.get("scope") or ("openid", "email")),
        },
    }
