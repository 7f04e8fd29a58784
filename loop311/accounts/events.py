"""What can be said of staff and tokens in the ledger: kind -> meaning. No names."""

from __future__ import annotations

EVENTS: dict[str, str] = {
    "staff.added": "Somebody works for the city now, with these roles and teams.",
    "staff.changed": "Roles, teams or the name shown were changed.",
    "staff.left": "This person has left: no sign-in and no token works any more.",
    "staff.returned": "Somebody who had left works for the city again.",
    "staff.signed_in": "The person signed in; `how` lists what was used (password, totp, webauthn, socialaccount).",
    "staff.factor_added": "The person added a way to sign in: totp, webauthn, recovery_codes or provider:ID.",
    "staff.factor_removed": "The person removed that way to sign in.",
    "staff.factors_reset": "An administrator took all second factors and identities away and ended all sessions.",
    "staff.password_changed": "The person has a new password.",
    "staff.link_asked": "A link to choose a password was asked for and is sent to the person's address.",
    "staff.locked_out": "Too many wrong passwords were tried under this person's address.",
    "staff.unlocked": "An administrator let the person try again at once.",
    "city.second_factor_required": "These roles need a second factor in this city, beside those that always do.",
    "token.created": "A bearer token was made, with these scopes, on behalf of `staff` or of an application.",
    "token.revoked": "The token opens nothing any more.",
}
