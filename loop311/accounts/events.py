"""What can be said of staff and tokens in the ledger: kind -> meaning. No names."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "staff.added": "Somebody works for the city now, with these roles and teams.",
    "staff.changed": "Roles, teams or the name shown were changed.",
    "staff.left": "This person has left: no sign-in and no token works any more.",
    "token.created": "A bearer token was made, with these scopes, on behalf of `staff` or of an application.",
    "token.revoked": "The token opens nothing any more.",
}
