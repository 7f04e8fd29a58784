"""Whose city this is. Every row of a city's data carries its jurisdiction."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class Jurisdiction(models.Model):
    slug = models.SlugField(max_length=60, unique=True, db_index=False)
    name = models.TextField()
    time_zone = models.TextField()
    country = models.TextField(default="US", db_default="US")
    """ISO 3166, two letters, for ever: how telephone numbers without a country are read, and whose public holidays are kept."""
    languages = ArrayField(models.TextField())
    """The first is the default language."""
    is_demo = models.BooleanField(default=False)
    center_latitude = models.FloatField(null=True)
    center_longitude = models.FloatField(null=True)
    created_at = models.DateTimeField()
    second_factor_roles = ArrayField(models.TextField(), default=list)
    """Roles that open nothing without a second factor, beside those that never do; written by accounts.factors."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(languages=[]), name="jurisdiction_has_a_language"),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="jurisdiction_country_is_a_code"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class NumberSeries(models.Model):
    """The last number given in a series and year, for instance requests of 2026: 26-00000001."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    series = models.TextField()
    year = models.IntegerField()
    last = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["jurisdiction", "series", "year"], name="one_series_a_year"),
        ]
