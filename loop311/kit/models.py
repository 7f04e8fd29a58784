"""Shapes shared by the tables of every room."""

from __future__ import annotations

from typing import Any

from django.db import models


def city_key(room_and_name: str) -> models.UniqueConstraint:
    """(jurisdiction, id) unique, so that other tables can reference a row together with its city."""
    return models.UniqueConstraint(fields=["jurisdiction", "id"], name=f"{room_and_name}_city_key")


def city_fk(to: str, **options: Any) -> models.ForeignKey[Any, Any]:
    """A foreign key within one city; the database's check is added by `tenancy.same_city` in the migration."""
    return models.ForeignKey(to, on_delete=models.PROTECT, db_constraint=False, **options)


class Sweep(models.Model):
    """What the clock starts again and again, for the whole deployment: when it last worked. Written by `sweeps` only."""

    name = models.TextField(primary_key=True)
    watched_since = models.DateTimeField()
    """Since when it should have run: when a worker began after a time without one."""
    begun_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    """The class of the last failure, empty after a success; never its words."""
    left_over = models.IntegerField(default=0)
    """Rows the last one could not take and passed over."""
