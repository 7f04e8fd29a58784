"""Which columns a file has, and where."""

from __future__ import annotations

from dataclasses import dataclass

from loop311.kit.problems import Invalid
from loop311.requests.imports.mapping import Columns, listed


@dataclass(frozen=True, slots=True)
class Header:
    """Where each column of the file stands."""

    names: tuple[str, ...]

    def place(self, column: str) -> int | None:
        """Raises Invalid when two columns have the name: which one is meant cannot be known."""
        wanted = column.strip().casefold()
        found = [i for i, name in enumerate(self.names) if name.casefold() == wanted]
        if len(found) > 1:
            raise Invalid(f"The column {column!r} stands {len(found)} times in the file's header.")
        return found[0] if found else None

    def places(self, columns: Columns) -> list[int]:
        """Of the columns that the file has; Invalid when it has none of them."""
        wanted = listed(columns)
        found = [place for place in map(self.place, wanted) if place is not None]
        if not found:
            named = " or ".join(repr(name) for name in wanted)
            raise Invalid(f"The file has no column {named}; its first columns are {', '.join(self.names[:6])}.")
        return found
