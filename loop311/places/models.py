"""Where things are: polygon layers with effective dates, address points, intersections."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models

from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.models import city_fk, city_key


class Layer(models.Model):
    """A set of areas that answer one question: which council district, which service area, whose road."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    code = models.SlugField(max_length=80, db_index=False)
    name = models.TextField()
    kind = models.TextField(default="areas")
    """'areas', or 'streets': lines to draw and to name, which decide nothing."""
    is_exclusive = models.BooleanField(default=True)
    """A point lies in at most one area; overlaps are refused at loading."""
    is_boundary = models.BooleanField(default=False)
    """The areas together are the city; a point outside is outside the city."""

    class Meta:
        constraints = [
            city_key("layer"),
            models.UniqueConstraint(fields=["jurisdiction", "code"], name="layer_code_once"),
            models.CheckConstraint(condition=models.Q(kind__in=["areas", "streets"]), name="layer_kind_known"),
        ]


class LayerVersion(models.Model):
    """The areas of a layer from a date on, until the next version. Never edited: of two of one date the later one counts."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    layer = city_fk("places.Layer", related_name="versions")
    effective_on = models.DateField()
    source = models.TextField()
    digest = models.BinaryField()
    loaded_at = models.DateTimeField()

    class Meta:
        constraints = [
            city_key("layer_version"),
        ]
        indexes = [models.Index(fields=["jurisdiction", "layer", "-effective_on", "-id"], name="layer_version_newest")]


class Area(models.Model):
    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    version = city_fk("places.LayerVersion", related_name="areas")
    key = models.TextField()
    name = models.TextField()
    shape = models.BinaryField()
    """WKB, multipolygon, WGS84 (longitude, latitude)."""
    properties = models.JSONField(default=dict)

    class Meta:
        constraints = [
            city_key("area"),
            models.UniqueConstraint(fields=["jurisdiction", "version", "key"], name="area_key_once"),
        ]


class Street(models.Model):
    """One street of a version of a layer of streets: all its lines together."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    version = city_fk("places.LayerVersion", related_name="streets", db_index=False)
    name = models.TextField(blank=True)
    shape = models.BinaryField()
    """WKB, multilinestring, WGS84 (longitude, latitude)."""
    west = models.FloatField()
    south = models.FloatField()
    east = models.FloatField()
    north = models.FloatField()
    """Its bounds, to find what a part of the map shows."""

    class Meta:
        constraints = [city_key("street")]
        indexes = [models.Index(fields=["jurisdiction", "version", "south", "north"], name="street_by_position")]


class AddressPoint(models.Model):
    """An address, or an intersection of two streets, with its position."""

    jurisdiction = models.ForeignKey(Jurisdiction, on_delete=models.PROTECT, db_index=False)
    kind = models.TextField(default="address")
    """'address', 'intersection' or 'landmark'."""
    text = models.TextField()
    """As shown: '412 Elm St'."""
    search = models.TextField()
    """Normalised for search; see places.policies.normalise."""
    house_number = models.TextField(blank=True)
    street = models.TextField(blank=True)
    unit = models.TextField(blank=True)
    postcode = models.TextField(blank=True)
    latitude = models.FloatField()
    longitude = models.FloatField()
    source_id = models.TextField(blank=True)

    class Meta:
        constraints = [
            city_key("address_point"),
            models.UniqueConstraint(
                fields=["jurisdiction", "source_id"],
                condition=~models.Q(source_id=""),
                name="address_point_source_once",
            ),
        ]
        indexes = [
            models.Index("jurisdiction", OpClass("search", name="text_pattern_ops"), name="address_point_by_beginning"),
            GinIndex(fields=["search"], name="address_point_trigram", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["jurisdiction", "latitude", "longitude"], name="address_point_by_position"),
        ]
