"""What a member of staff is told about their own sign-in: a link they asked for, and changes they should know of."""

from __future__ import annotations

from loop311.accounts.links import password_link
from loop311.accounts.models import StaffMember

TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "staff.link_asked": {
        "en": (
            "Choose your password",
            "Choose your password for {city} here. The link works once, for three days:\n\n{link}\n\n"
            "If you did not expect this, leave it alone: nothing has changed.\n",
        ),
        "es": (
            "Elija su contraseña",
            "Elija aquí su contraseña para {city}. El enlace sirve una vez, durante tres días:\n\n"
            "{link}\n\nSi no esperaba este mensaje, no haga nada: nada ha cambiado.\n",
        ),
    },
    "staff.password_changed": {
        "en": (
            "Your password was changed",
            "Your password for {city} was changed. If it was not you, tell an administrator at once.\n",
        ),
        "es": (
            "Su contraseña ha cambiado",
            "Se cambió su contraseña para {city}. Si no fue usted, avise enseguida a un administrador.\n",
        ),
    },
    "staff.factor_added": {
        "en": (
            "A new way to sign in",
            "A way to sign in to {city} as you was added. If it was not you, tell an administrator at once.\n",
        ),
        "es": (
            "Una nueva forma de entrar",
            "Se añadió una forma de entrar en {city} con su cuenta. Si no fue usted, avise enseguida a"
            " un administrador.\n",
        ),
    },
    "staff.factor_removed": {
        "en": (
            "A way to sign in was removed",
            "A way to sign in to {city} as you was removed. If it was not you, tell an administrator at once.\n",
        ),
        "es": (
            "Se quitó una forma de entrar",
            "Se quitó una forma de entrar en {city} con su cuenta. Si no fue usted, avise enseguida"
            " a un administrador.\n",
        ),
    },
    "staff.factors_reset": {
        "en": (
            "Your second factor was taken away",
            "An administrator of {city} took your second factor away and signed you out"
            " everywhere. If you did not ask for it, tell them at once.\n",
        ),
        "es": (
            "Se retiró su segundo factor",
            "Un administrador de {city} retiró su segundo factor y cerró todas sus sesiones. Si no"
            " lo pidió, avísele enseguida.\n",
        ),
    },
    "staff.locked_out": {
        "en": (
            "Too many wrong passwords",
            "Too many wrong passwords were tried for your sign-in to {city}; it is closed for some"
            " minutes. If it was not you, tell an administrator.\n",
        ),
        "es": (
            "Demasiadas contraseñas erróneas",
            "Se probaron demasiadas contraseñas erróneas con su cuenta de {city}; está cerrada"
            " unos minutos. Si no fue usted, avise a un administrador.\n",
        ),
    },
}
"""Event -> language -> subject and body."""


def words(kind: str, staff: StaffMember) -> tuple[str, str]:
    """Subject and body; a link is made only now, so that it stands in no table."""
    texts = TEXTS[kind]
    subject, body = texts.get(staff.jurisdiction.languages[0].split("-")[0], texts["en"])
    link = password_link(staff) if "{link}" in body else ""
    return f"{subject}: {staff.jurisdiction.name}", body.format(city=staff.jurisdiction.name, link=link)
