"""Writing an article at the desk: the form, what it means, and how a version differs from what is published."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loop311.accounts.models import Team
from loop311.desk.access import Desk
from loop311.desk.answers import language_name
from loop311.desk.forms import StyledForm
from loop311.desk.reading import team_names
from loop311.kit.problems import FieldProblem, Problem
from loop311.knowledge.markup import to_html
from loop311.knowledge.models import Text, Version
from loop311.knowledge.policies import (
    ANSWER_LINE,
    MOST_BODY,
    MOST_TITLE,
    Audience,
    Content,
    Rating,
    Review,
    VersionState,
    Words,
)

TEXT_FIELDS = ("title", "answer", "keywords", "body")
AUDIENCES = {
    Audience.PUBLIC: gettext_lazy("Everybody: may be sent to residents"),
    Audience.STAFF: gettext_lazy("Staff only"),
}
REVIEWS = {
    Review.ORIGINAL: gettext_lazy("Original"),
    Review.TRANSLATED: gettext_lazy("Translated, not read by a second person yet"),
    Review.CHECKED: gettext_lazy("Translated and checked"),
}
RATINGS = {
    Rating.HELPFUL: gettext_lazy("It helped"),
    Rating.WRONG: gettext_lazy("Something is wrong"),
    Rating.OUTDATED: gettext_lazy("It is out of date"),
}
STATES = {
    VersionState.DRAFT: gettext_lazy("Draft"),
    VersionState.REVIEW: gettext_lazy("Waits for a second person"),
    VersionState.PUBLISHED: gettext_lazy("Published"),
    VersionState.REPLACED: gettext_lazy("Replaced"),
}


class ArticleForm(StyledForm):
    """All of an article. The fields of each language are named 'en-title', 'es-body' ..."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=80,
        help_text=gettext_lazy("Its name in addresses and files, for ever: lower-case letters, digits and hyphens."),
    )
    topic = forms.CharField(
        label=gettext_lazy("Topic"),
        max_length=80,
        help_text=gettext_lazy("A code such as trash; contacts are counted by it."),
    )
    audience = forms.ChoiceField(label=gettext_lazy("Who may read it"), choices=list(AUDIENCES.items()))
    owner = forms.ChoiceField(label=gettext_lazy("Who answers for it"))
    services = forms.CharField(
        label=gettext_lazy("Goes with these services"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Codes with spaces between them."),
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Holds until"),
        required=False,
        widget=forms.TextInput(attrs={"type": "date"}),
        help_text=gettext_lazy("After this day it must be checked again. Empty: no end."),
    )
    original = forms.ChoiceField(label=gettext_lazy("Written first in"))
    note = forms.CharField(
        label=gettext_lazy("What has changed"), required=False, max_length=1000, widget=forms.Textarea
    )
    base = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)

    def __init__(self, desk: Desk, *args: Any, is_new: bool = True, **kwargs: Any) -> None:
        self.desk = desk
        super().__init__(*args, **kwargs)
        self._choices(desk)
        if not is_new:
            self.fields["code"].disabled = True
        for language in desk.city.languages:
            self._add_language(language)

    def _choices(self, desk: Desk) -> None:
        teams = dict(Team.objects.filter(jurisdiction=desk.city).values_list("code", "pk"))
        owners = {f"team:{teams[code]}": name for code, name in team_names(desk).items()}
        self._offer({f"staff:{desk.staff.pk}": _("Me"), **owners})
        self._choose("original", [(code, language_name(code)) for code in desk.city.languages])

    def add_problem(self, problem: Problem) -> None:
        """The service's 'es.body' is the field 'es-body' here."""
        fields = [FieldProblem(fault.field.replace(".", "-"), fault.detail) for fault in problem.fields]
        super().add_problem(Problem(problem.detail, fields=fields))

    def keep_owner(self, version: Version, name: str) -> None:
        """Another member of staff who answers for it already may stay."""
        value = owner_value(version)
        if value not in self.owners:
            self._offer({value: name, **self.owners})

    def _offer(self, owners: dict[str, str]) -> None:
        self.owners = owners
        self._choose("owner", list(owners.items()))

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = choices

    def _add_language(self, language: str) -> None:
        spoken = {"lang": language}
        lines = _("One or two lines of at most {most} characters, to be read aloud.").format(most=ANSWER_LINE)
        parts: dict[str, forms.Field] = {
            "title": forms.CharField(label=_("Title"), required=False, max_length=MOST_TITLE * 2),
            "answer": forms.CharField(
                label=_("What to say"), required=False, max_length=2000, widget=forms.Textarea, help_text=lines
            ),
            "keywords": forms.CharField(
                label=_("What callers say"), required=False, max_length=4000, widget=forms.Textarea,
                help_text=_("One phrase a line."),
            ),
            "body": forms.CharField(
                label=_("The whole answer"), required=False, max_length=MOST_BODY * 2, widget=forms.Textarea,
                help_text=_("Markdown: # heading, - list, **strong**, [words](https://...), | tables |."),
            ),
        }  # fmt: skip
        for name, field in parts.items():
            field.widget.attrs.update(spoken)
            self.dress(field)
            self.fields[f"{language}-{name}"] = field
        parts["answer"].widget.attrs["rows"] = "2"
        parts["body"].widget.attrs["rows"] = "14"

    def languages(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """Code, name and the fields of each language, for the page."""
        return [
            (code, language_name(code), [self[f"{code}-{name}"] for name in TEXT_FIELDS])
            for code in self.desk.city.languages
        ]

    def about(self) -> list[forms.BoundField]:
        return [
            self[name] for name in ("code", "topic", "audience", "owner", "services", "expires_on", "original", "note")
        ]

    def content(self) -> Content:
        """What was typed; languages without a word are left out. What is wrong with it the service says."""
        given = self.cleaned_data
        kind, _sep, ref = given["owner"].partition(":")
        return Content(
            topic=given["topic"].strip(),
            audience=Audience(given["audience"]),
            texts=tuple(filter(None, (self._words(code) for code in self.desk.city.languages))),
            owner_team=int(ref) if kind == "team" else None,
            owner_staff=int(ref) if kind == "staff" else None,
            services=tuple(given["services"].replace(",", " ").split()),
            expires_on=given["expires_on"],
        )

    def _words(self, language: str) -> Words | None:
        said = {name: str(self.cleaned_data.get(f"{language}-{name}") or "") for name in TEXT_FIELDS}
        if not any(text.strip() for text in said.values()):
            return None
        is_original = self.cleaned_data["original"] == language
        return Words(
            language=language,
            title=said["title"],
            answer=said["answer"],
            body=said["body"],
            keywords=tuple(line for line in said["keywords"].splitlines() if line.strip()),
            review=Review.ORIGINAL if is_original else Review.TRANSLATED,
        )


def owner_value(version: Version) -> str:
    return f"team:{version.owner_team_id}" if version.owner_team_id else f"staff:{version.owner_staff_id}"


def initial(desk: Desk, version: Version | None, words: str = "") -> dict[str, object]:
    """What the form begins with: the newest version, or a question that nobody could answer."""
    first = desk.city.languages[0]
    if version is None:
        return {"base": 0, "original": first, f"{first}-title": words[:MOST_TITLE], "audience": Audience.PUBLIC}
    found: dict[str, object] = {
        "code": version.article.code,
        "base": version.number,
        "topic": version.topic,
        "audience": version.audience,
        "owner": owner_value(version),
        "services": " ".join(version.services),
        "expires_on": version.expires_on,
    }
    for text in version.texts.all():
        found |= {f"{text.language}-{name}": getattr(text, name) for name in ("title", "answer", "body")}
        found[f"{text.language}-keywords"] = "\n".join(text.keywords)
        if text.review == Review.ORIGINAL:
            found["original"] = text.language
    return found


# --- Reading what somebody else wrote ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """A text as the second person reads it: as it will look, and what differs from the published one."""

    language: str
    name: str
    review: str
    title: str
    lines: tuple[str, ...]
    keywords: tuple[str, ...]
    html: str
    changes: tuple[tuple[str, str], ...]
    """Lines gone ('-') and come ('+'); empty for a new text."""


def read_version(version: Version, published: Version | None) -> list[Read]:
    before = {text.language: text for text in published.texts.all()} if published else {}
    return [
        Read(
            language=text.language,
            name=language_name(text.language),
            review=text.review,
            title=text.title,
            lines=tuple(text.answer.split("\n")),
            keywords=tuple(text.keywords),
            html=to_html(text.body),
            changes=changes(before.get(text.language), text),
        )
        for text in version.texts.all()
    ]


def read_words(texts: Sequence[Words]) -> list[Read]:
    """What is being typed, as it will look."""
    return [
        Read(
            language=text.language,
            name=language_name(text.language),
            review=text.review,
            title=text.title,
            lines=tuple(text.answer.splitlines()),
            keywords=text.keywords,
            html=to_html(text.body),
            changes=(),
        )
        for text in texts
    ]


def changes(before: Text | None, after: Text) -> tuple[tuple[str, str], ...]:
    if before is None:
        return ()
    lines = difflib.ndiff(_whole(before), _whole(after))
    return tuple((line[0], line[2:]) for line in lines if line[0] in "+-")


def _whole(text: Text) -> list[str]:
    return [text.title, *text.answer.split("\n"), *text.body.split("\n"), *text.keywords]


def about_changes(version: Version, published: Version | None, names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Label, before and after of what stands beside the texts and differs."""
    if published is None:
        return []
    pairs = [
        (_("Topic"), published.topic, version.topic),
        (_("Who may read it"), published.audience, version.audience),
        (_("Who answers for it"), names.get(owner_value(published), ""), names.get(owner_value(version), "")),
        (_("Services"), ", ".join(published.services), ", ".join(version.services)),
        (_("Holds until"), str(published.expires_on or ""), str(version.expires_on or "")),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]
