"""The city's model as it is now: looked for at every suggestion, so a new one counts from the next words on, in every process."""

from __future__ import annotations

from pathlib import Path

import structlog
from django.conf import settings

from loop311.catalog.models import CatalogueVersion
from loop311.requests.suggesting.model import Model, Unusable, read

log = structlog.get_logger(__name__)

_held: dict[int, tuple[tuple[int, ...], Model | None]] = {}
"""City -> (catalogue version; inode, time of change and size of the file) and the model, or None where it is of no use."""


def path_of(jurisdiction_id: int) -> Path:
    return Path(settings.LOOP311_HOME) / "suggesting" / f"city-{jurisdiction_id}.model"


def learned(version: CatalogueVersion, words: str) -> list[tuple[str, float]]:
    """What past requests say the words mean, surest first; nothing where the city has no model that can be used."""
    model = model_for(version)
    return model.judge(words) if model is not None else []


def model_for(version: CatalogueVersion) -> Model | None:
    """Looked at once for each file and catalogue version; what is wrong with it is told once."""
    path = path_of(version.jurisdiction_id)
    try:
        found = path.stat()
    except OSError:
        return None
    seen = (version.pk, found.st_ino, found.st_mtime_ns, found.st_size)
    held = _held.get(version.jurisdiction_id)
    if held is None or held[0] != seen:
        held = _held[version.jurisdiction_id] = (seen, _usable(path, version))
    return held[1]


def _usable(path: Path, version: CatalogueVersion) -> Model | None:
    try:
        model = read(path)
        _refuse_foreign(model, version)
    except (Unusable, OSError) as error:
        why = str(error) if isinstance(error, Unusable) else "it cannot be read"
        log.warning("suggestion model ignored", file=path.name, why=why)
        return None
    return model


def _refuse_foreign(model: Model, version: CatalogueVersion) -> None:
    """A later catalogue than the model's is no harm: only what is offered now is proposed. An earlier one is another database's."""
    header, digest = model.header, bytes(version.digest).hex()
    if header.city != version.jurisdiction_id:
        raise Unusable("it is another city's")
    if header.catalogue > version.number or (header.catalogue == version.number and header.catalogue_digest != digest):
        raise Unusable("it belongs to another catalogue")
