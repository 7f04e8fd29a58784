"""Fields of a contact and what was put into them as people read them, never the codes they are kept under."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from loop311.catalog.definitions import Datatype, Service
from loop311.catalog.services import current
from loop311.desk.access import Desk
from loop311.desk.contact.content import PREFIX
from loop311.desk.contact.forms import OUTCOMES, ContactForm
from loop311.desk.filing import LANGUAGES
from loop311.requests.sentences import say


@dataclass(frozen=True)
class Wording:
    """`service`: whose questions were asked, where one was chosen."""

    service: Service | None
    language: str

    def field(self, field: str) -> str:
        return self.fields.get(field) or _("An answer")

    def value(self, field: str, value: str) -> str:
        names = self.values.get(field, {})
        return ", ".join(names.get(part, part) for part in value.split(", ")) if names else value

    @cached_property
    def fields(self) -> Mapping[str, str]:
        known = {name: str(field.label) for name, field in ContactForm.base_fields.items()}
        asked = self.service.questions if self.service else ()
        return known | {PREFIX + each.code: say(each.texts, self.language, each.code) for each in asked}

    @cached_property
    def values(self) -> Mapping[str, Mapping[str, str]]:
        """Field -> what is chosen from -> its name."""
        found = {
            "anonymous": {"on": _("Yes")},
            "language": {code: str(name) for code, name in LANGUAGES.items()},
            "outcome": {code.value: str(name) for code, name in OUTCOMES.items()},
        }
        for each in self.service.questions if self.service else ():
            if each.datatype is Datatype.BOOLEAN:
                found[PREFIX + each.code] = {"true": _("Yes"), "false": _("No")}
            elif each.choices:
                found[PREFIX + each.code] = {c.code: say(c.texts, self.language, c.code) for c in each.choices}
        return found

    @property
    def as_json(self) -> str:
        """For scripts that find words this browser has kept."""
        return json.dumps({"fields": self.fields, "values": self.values, "other": self.field("")})


def wording(desk: Desk, service_code: str) -> Wording:
    """One query, and only where a service was chosen."""
    service = current(desk.city.pk)[1].services.get(service_code) if service_code else None
    return Wording(service, desk.language)
