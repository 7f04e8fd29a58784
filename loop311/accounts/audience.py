"""What every address must say: who may use it. A test walks all addresses and refuses one that does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from loop311.accounts.policies import ANYBODY, PERMISSIONS, SIGNED_IN

View = TypeVar("View", bound=Callable[..., Any])


def open_to(audience: str) -> Callable[[View], View]:
    """Marks a view that asks for no permission: ANYBODY or SIGNED_IN. It marks; it does not check."""
    if audience not in (ANYBODY, SIGNED_IN):
        raise ValueError(f"{audience!r} is no audience.")

    def mark(view: View) -> View:
        view.permission = audience  # type: ignore[attr-defined]
        return view

    return mark


def permission_of(view: Any, method: str = "GET", **kwargs: Any) -> str | None:
    """The permission (or audience) a view asks for with this method and these parts of the address; None: it does not say."""
    permission = getattr(view, "permission", None)
    if method in ("GET", "HEAD", "OPTIONS"):
        return permission
    writing = getattr(view, "writing", None) or permission
    return writing(**kwargs) if callable(writing) else writing


def is_known(permission: str | None) -> bool:
    return permission in PERMISSIONS or permission in (ANYBODY, SIGNED_IN)
