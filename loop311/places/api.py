"""Places over the API: addresses while they are typed, the address at a point, its areas, and the areas' shapes."""

from __future__ import annotations

import dataclasses
from datetime import date
from functools import partial
from typing import Annotated

import msgspec
import shapely
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import BaseModel, Field

from loop311.accounts.api import require
from loop311.jurisdictions.models import Jurisdiction
from loop311.kit.api import Day, Id, Line
from loop311.kit.problems import NotFound
from loop311.places import geocoding
from loop311.places.drawing import areas_drawn, city_map, kept, streets_cell, streets_in_force, streets_main, version_of
from loop311.places.index import area_index, versions_in_force
from loop311.places.models import AddressPoint, Area, LayerVersion
from loop311.places.search import nearest, search

router = Router(tags=["places"])

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Radius = Annotated[float, Field(gt=0, le=1000, description="Metres.", allow_inf_nan=False)]
Limit = Annotated[int, Field(ge=1, le=50)]


class AddressOut(BaseModel):
    id: int
    kind: str = Field(description="address, intersection or landmark")
    text: str
    latitude: float
    longitude: float
    unit: str
    postcode: str


class FoundOut(AddressOut):
    match: str = Field(description="exact; nearby: the nearest house number known; similar: a likely misspelling")


class NearbyPlaceOut(AddressOut):
    metres: float


class CandidateOut(BaseModel):
    text: str
    latitude: float
    longitude: float
    match: str
    source: str = Field(description="local: the city's own addresses; remote: the geocoder of the deployment")
    address: int | None


def _address(point: AddressPoint) -> dict[str, object]:
    columns = ("kind", "text", "latitude", "longitude", "unit", "postcode")
    return {"id": point.pk, **{column: getattr(point, column) for column in columns}}


@router.get("/places/search", response=list[FoundOut], summary="Addresses and intersections while they are typed")
def find(request: HttpRequest, text: Line, limit: Limit = 10) -> list[FoundOut]:
    who = require(request, "places.read")
    found = search(who.jurisdiction_id, text, limit=limit)
    return [FoundOut.model_validate({**_address(one.point), "match": one.match.value}) for one in found]


@router.get("/places/geocode", response=list[CandidateOut], summary="Positions a text may mean, best first")
def geocode(request: HttpRequest, text: Line) -> list[CandidateOut]:
    who = require(request, "places.read")
    city = Jurisdiction.objects.get(pk=who.jurisdiction_id)
    return [
        CandidateOut(
            text=one.text,
            latitude=one.latitude,
            longitude=one.longitude,
            match=one.match.value,
            source=one.source,
            address=one.address_id,
        )
        for one in geocoding.geocode(city, text)
    ]


@router.get(
    "/places/reverse", response=list[NearbyPlaceOut], summary="The known addresses next to a point, nearest first"
)
def reverse(
    request: HttpRequest,
    latitude: Latitude,
    longitude: Longitude,
    radius: Radius = 100.0,
    limit: Limit = 1,
) -> list[NearbyPlaceOut]:
    who = require(request, "places.read")
    near = nearest(who.jurisdiction_id, latitude, longitude, radius_metres=radius, limit=limit)
    return [NearbyPlaceOut.model_validate({**_address(one.point), "metres": round(one.metres, 1)}) for one in near]


class AreasOut(BaseModel):
    inside_city: bool
    areas: dict[str, str] = Field(
        description="Layer code: area key, for the layers in which the point lies in an area."
    )


@router.get("/places/areas", response=AreasOut, summary="The areas a point lies in, on a day")
def areas(request: HttpRequest, latitude: Latitude, longitude: Longitude, on: Day | None = None) -> AreasOut:
    who = require(request, "places.read")
    index = area_index(who.jurisdiction_id, on)
    return AreasOut(inside_city=index.inside_city(latitude, longitude), areas=index.areas_at(latitude, longitude))


class LayerVersionOut(BaseModel):
    id: int
    effective_on: date
    in_force: bool = Field(description="Of today.")


class LayerOut(BaseModel):
    code: str
    name: str
    kind: str = Field(description="areas, or streets: lines that only help to find one's way")
    is_exclusive: bool
    is_boundary: bool
    versions: list[LayerVersionOut]


@router.get("/places/layers", response=list[LayerOut], summary="The city's layers and their versions")
def layers(request: HttpRequest) -> list[LayerOut]:
    who = require(request, "places.read")
    in_force = {version.id for version in versions_in_force(who.jurisdiction_id)}
    in_force.add(streets_in_force(who.jurisdiction_id) or 0)
    rows = LayerVersion.objects.filter(jurisdiction_id=who.jurisdiction_id).select_related("layer")
    found: dict[str, LayerOut] = {}
    for row in rows.order_by("layer__code", "effective_on", "id"):
        layer = row.layer
        out = LayerOut(
            code=layer.code,
            name=layer.name,
            kind=layer.kind,
            is_exclusive=layer.is_exclusive,
            is_boundary=layer.is_boundary,
            versions=[],
        )
        version = LayerVersionOut(id=row.pk, effective_on=row.effective_on, in_force=row.pk in in_force)
        found.setdefault(layer.code, out).versions.append(version)
    return list(found.values())


_GEOJSON = {"responses": {200: {"content": {"application/geo+json": {"schema": {"type": "object"}}}}}}


@router.get(
    "/places/layers/{code}/versions/{int:version_id}",
    summary="The areas of one version as GeoJSON",
    openapi_extra=_GEOJSON,
)
def shapes(
    request: HttpRequest,
    code: Line,
    version_id: Id,
    simplified: Annotated[bool, Query(description="Only as fine as a map of the city shows.")] = False,
) -> HttpResponse:
    who = require(request, "places.read")
    rows = Area.objects.filter(
        jurisdiction_id=who.jurisdiction_id, version_id=version_id, version__layer__code=code
    ).order_by("key")
    if not rows.exists():
        raise NotFound("There is no such version of this layer.")
    if simplified:
        return kept(request, f"areas-{version_id}", partial(areas_drawn, who.jurisdiction_id, version_id))
    return kept(request, f"exact-{version_id}", partial(_exactly, rows))


def _exactly(rows: QuerySet[Area]) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"key": area.key, "name": area.name},
            "geometry": msgspec.Raw(shapely.to_geojson(shapely.from_wkb(bytes(area.shape))).encode()),
        }
        for area in rows
    ]
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


# --- Drawing a map -----------------------------------------------------------------------------------------------------


class DrawnLayerOut(BaseModel):
    code: str
    name: str
    version: int
    is_boundary: bool


class CityMapOut(BaseModel):
    bounds: tuple[float, float, float, float] | None = Field(description="West, south, east, north.")
    layers: list[DrawnLayerOut]
    streets: int | None = Field(description="Version of the streets, to ask for with /places/streets.")
    cell_degrees: float
    tiles: str = Field(description="Address of pictures of the earth; empty when there are none.")
    tiles_credit: str


@router.get("/places/map", response=CityMapOut, summary="What a map of the city begins with")
def map_of_city(request: HttpRequest) -> CityMapOut:
    who = require(request, "places.read")
    return CityMapOut.model_validate(dataclasses.asdict(city_map(who.jurisdiction_id)))


@router.get("/places/streets/{int:version_id}", summary="The city's main streets as GeoJSON", openapi_extra=_GEOJSON)
def main_streets(request: HttpRequest, version_id: Id) -> HttpResponse:
    who = require(request, "places.read")
    version = version_of(who.jurisdiction_id, version_id, "streets")
    return kept(request, f"streets-{version}", partial(streets_main, who.jurisdiction_id, version))


Cell = Annotated[int, Field(ge=0, le=20_000)]


@router.get(
    "/places/streets/{int:version_id}/{int:x}/{int:y}",
    summary="The streets of one cell of the map as GeoJSON",
    openapi_extra=_GEOJSON,
)
def cell(request: HttpRequest, version_id: Id, x: Cell, y: Cell) -> HttpResponse:
    """A cell is `cell_degrees` wide and high; x counts from 180 degrees west, y from the south pole."""
    who = require(request, "places.read")
    version = version_of(who.jurisdiction_id, version_id, "streets")
    return kept(request, f"streets-{version}-{x}-{y}", partial(streets_cell, who.jurisdiction_id, version, x, y))
