"""The deployment's secret key: given by the environment, or made once and kept under the home folder."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from loop311.kit.problems import Invalid

LEAST = 32
"""Characters of a key that somebody gives: sessions and the ledger's seals are worth no more than it."""


def secret_key(given: str | None, home: Path) -> str:
    """The given key, or the one kept in `home/secret_key` (made with mode 0600 at first use).

    Raises Invalid for one that could be guessed; it is not repeated in the sentence.
    """
    if given:
        if len(given) < LEAST:
            raise Invalid(
                f"LOOP311_SECRET_KEY must have at least {LEAST} characters, drawn by chance; it has {len(given)}."
            )
        return given
    path = home / "secret_key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        _write_once(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def _write_once(path: Path, key: str) -> None:
    """Two processes starting at once must agree: the whole file appears by one link, and the first one wins."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


class Sealer:
    """Writes secrets so that the database alone does not tell them: sealed with the deployment's key, for one purpose."""

    def __init__(self, key: str, purpose: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hmac.digest(key.encode(), purpose.encode(), hashlib.sha256)))

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        return self._fernet.decrypt(sealed.encode()).decode()
