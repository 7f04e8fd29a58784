"""The only writer of residents: who they are, how to reach them, merging and erasing."""

from loop311.residents.queries import newest_consents, point_of
from loop311.residents.services.consent import consents, set_consent
from loop311.residents.services.erasing import erase, erased_in
from loop311.residents.services.finding import (
    contact_points,
    find,
    get,
    identities,
    identity_ids,
    standing,
)
from loop311.residents.services.merging import merge, merges_of, preview_merge, undo_merge
from loop311.residents.services.people import create, recognise, update
from loop311.residents.services.points import (
    PointInput,
    add_contact_point,
    get_contact_point,
    remove_contact_point,
    resubscribe,
    set_preferred,
    unsubscribe,
    verify_contact_point,
)
from loop311.residents.services.presence import hold

__all__ = [
    "PointInput",
    "add_contact_point",
    "consents",
    "contact_points",
    "create",
    "erase",
    "erased_in",
    "find",
    "get",
    "get_contact_point",
    "hold",
    "identities",
    "identity_ids",
    "merge",
    "merges_of",
    "newest_consents",
    "point_of",
    "preview_merge",
    "recognise",
    "remove_contact_point",
    "resubscribe",
    "set_consent",
    "set_preferred",
    "standing",
    "undo_merge",
    "unsubscribe",
    "update",
    "verify_contact_point",
]
