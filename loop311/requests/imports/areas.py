"""Areas by geometry, for layers the city has loaded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from itertools import groupby

import numpy as np

from loop311.jurisdictions.models import Jurisdiction
from loop311.places.index import AreaIndex, area_index
from loop311.places.models import LayerVersion
from loop311.requests.imports.drafts import Draft
from loop311.requests.imports.mapping import Mapping


class Geometry:
    """The city's layers with all their versions, read once, so that drafting asks the database nothing."""

    def __init__(self, jurisdiction: Jurisdiction, mapping: Mapping) -> None:
        rows = LayerVersion.objects.filter(jurisdiction=jurisdiction).order_by("layer__code", "effective_on")
        dates = rows.values_list("layer__code", "effective_on")
        self._zone = jurisdiction.zone
        self._layers: dict[str, tuple[list[date], list[AreaIndex]]] = {}
        for layer, versions in groupby(dates, key=lambda row: row[0]):
            days = [day for _, day in versions]
            self._layers[layer] = (days, [area_index(jurisdiction.pk, day) for day in days])
        self._wins = frozenset(layer for layer, rule in mapping.areas.items() if rule.prefer == "geometry")

    def settle(self, drafts: Sequence[Draft]) -> None:
        """Add to each placed draft the areas it lies in, by the version in force when it was opened.

        A request older than a layer's first version has the area of that first one. A layer that the row itself names
        keeps the row's word, unless the mapping prefers geometry.
        """
        placed = [draft for draft in drafts if draft.latitude is not None]
        if not placed:
            return
        for layer, (days, indexes) in self._layers.items():
            chosen = [max(0, bisect_right(days, self._day(draft)) - 1) for draft in placed]
            for version, index in enumerate(indexes):
                self._add(layer, index, [d for d, c in zip(placed, chosen, strict=True) if c == version])

    def _day(self, draft: Draft) -> date:
        return draft.received_at.astimezone(self._zone).date()

    def _add(self, layer: str, index: AreaIndex, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        latitudes = np.array([d.latitude for d in drafts], dtype=np.float64)
        longitudes = np.array([d.longitude for d in drafts], dtype=np.float64)
        found = index.areas_of(latitudes, longitudes, [layer])
        for draft, key in zip(drafts, found[layer], strict=True):
            if key is not None and (layer in self._wins or layer not in draft.areas):
                draft.areas = {**draft.areas, layer: str(key)}
