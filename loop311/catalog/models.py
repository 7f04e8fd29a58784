"""What the city does: one immutable version after the other, and the stable identity of each service across them."""

from __future__ import annotations

from django.db import models

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_key


class CatalogueVersion(models.Model):
    """One published catalogue. Never edited (a trigger holds that); every request keeps the one it was filed under."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    number = models.IntegerField()
    effective_at = models.DateTimeField()
    published_at = models.DateTimeField()
    published_by_kind = models.TextField()
    published_by_ref = models.BigIntegerField(default=0)
    note = models.TextField(blank=True)
    document = models.TextField()
    """Canonical JSON of definitions.Catalogue."""
    digest = models.BinaryField()

    class Meta:
        constraints = [
            city_key("catalogue_version"),
            models.UniqueConstraint(fields=["jurisdiction", "number"], name="catalogue_number_once"),
        ]


class Service(models.Model):
    """The identity of a service for all time; what it says and asks is in the catalogue versions."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    code = models.SlugField(max_length=80, db_index=False)
    group = models.TextField()
    department_code = models.TextField()
    names = models.JSONField(default=dict)
    """From the newest version that has it, for lists and reports."""
    is_offered = models.BooleanField(default=True)
    """In the newest version and not historical."""

    class Meta:
        constraints = [
            city_key("service"),
            models.UniqueConstraint(fields=["jurisdiction", "code"], name="service_code_once"),
        ]
