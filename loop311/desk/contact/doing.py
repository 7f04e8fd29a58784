"""What a step of a contact gets and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loop311.desk.access import Desk
from loop311.desk.contact.content import Content
from loop311.desk.contact.screen import Screen
from loop311.desk.models import Draft

ALL = ("caller", "want", "safety", "where", "known", "questions", "answer", "promise", "holds", "photos")
"""The sections of the screen."""


@dataclass(frozen=True, slots=True)
class Done:
    """What to show after a step: sections that changed, where the keyboard goes on, and what is said to who cannot see it."""

    shows: tuple[str, ...] = ALL
    focus: str = ""
    say: str = ""
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class At:
    """A step at work: the desk, the held draft, what is typed and chosen (to be changed), and the value that was sent."""

    desk: Desk
    draft: Draft
    content: Content
    value: str

    @property
    def screen(self) -> Screen:
        """As things stand with the content as it is now."""
        screen = Screen(self.desk, self.draft, tab="")
        screen.content = self.content
        return screen


Step = Callable[[At], Done]
