"""Choices of a queue that are kept under a name: one's own, or the whole team's. The only writer of saved filters."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from loop311.accounts.models import Team
from loop311.desk.access import Desk
from loop311.desk.models import SavedFilter
from loop311.kit.problems import FieldProblem, Forbidden, Invalid, NotFound

MOST = 30
"""Of one person or team in one queue."""


def shown(desk: Desk, whose: Team) -> list[SavedFilter]:
    """Mine and the team's, by name; one query."""
    rows = SavedFilter.objects.filter(jurisdiction=desk.city, team=whose)
    return list(rows.filter(Q(staff=desk.staff) | Q(is_shared=True)).order_by("name", "pk")[: 2 * MOST])


def keep(desk: Desk, whose: Team, *, name: str, query: str, for_team: bool) -> SavedFilter:
    """Sharing is for members of the team; the same name again is refused."""
    if for_team and not _belongs(desk, whose):
        raise Forbidden(_("Only members of the team keep choices for it."))
    if SavedFilter.objects.filter(jurisdiction=desk.city, team=whose, staff=desk.staff).count() >= MOST:
        raise Invalid(_("You have {n} of them here; remove one first.").format(n=MOST))
    try:
        with transaction.atomic():
            return SavedFilter.objects.create(
                jurisdiction=desk.city, team=whose, staff=desk.staff, name=name, query=query, is_shared=for_team
            )
    except IntegrityError as error:
        sentence = _("You have choices of this name here already.")
        raise Invalid(sentence, fields=[FieldProblem("name", sentence)]) from error


def remove(desk: Desk, whose: Team, filter_id: int) -> None:
    """One's own; the team's by any member."""
    row = SavedFilter.objects.filter(jurisdiction=desk.city, team=whose, pk=filter_id).first()
    if row is None or not (row.staff_id == desk.staff.pk or row.is_shared):
        raise NotFound(_("There are no such choices."))
    if row.staff_id != desk.staff.pk and not _belongs(desk, whose):
        raise Forbidden(_("Only members of the team remove its choices."))
    row.delete()


def _belongs(desk: Desk, whose: Team) -> bool:
    return desk.staff.teams.filter(pk=whose.pk).exists()
