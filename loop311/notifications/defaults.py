"""The texts for cities whose catalogue has none: the public sentences of the state table, in English and Spanish."""

from __future__ import annotations

from loop311.catalog.definitions import Template, Texts

_LEAD = {
    "en": "About your request {number} ({service}, {address}):",
    "es": "Sobre su solicitud {number} ({service}, {address}):",
}
_END = {"en": "Read more and answer here: {link}", "es": "Lea más y responda aquí: {link}"}
_CITY = {"en": "{city} 311", "es": "311 de {city}"}


def _template(
    event: str, subject: Texts, sentence: Texts, *, sms: Texts | None = None, about_request: bool = True
) -> Template:
    """`sms`: where a text says it shorter than the sentence."""
    body = {}
    for language, text in sentence.items():
        parts = [_LEAD[language], text, _END[language], _CITY[language]] if about_request else [text, _CITY[language]]
        body[language] = "\n\n".join(parts)
    short = {language: f"{_CITY[language]}: {{number}}: {text}" for language, text in (sms or sentence).items()}
    return Template(event=event, subject=subject, body=body, sms=short)


_TEMPLATES = (
    _template(
        "request.filed",
        {"en": "We have your request {number}", "es": "Tenemos su solicitud {number}"},
        {
            "en": "We have your request. {team} plans to {step} by {due_on}.",
            "es": "Tenemos su solicitud. {team} planea {step} a más tardar el {due_on}.",
        },
    ),
    _template(
        "request.assigned",
        {"en": "{team} has your request {number}", "es": "{team} tiene su solicitud {number}"},
        {
            "en": "{team} has it and plans to {step} by {due_on}.",
            "es": "{team} la tiene y planea {step} a más tardar el {due_on}.",
        },
    ),
    _template(
        "request.started",
        {"en": "Work on your request {number} has begun", "es": "Empezó el trabajo en su solicitud {number}"},
        {"en": "{team} is working on it.", "es": "{team} está trabajando en ella."},
    ),
    _template(
        "request.waiting",
        {"en": "Your request {number} is waiting", "es": "Su solicitud {number} está en espera"},
        {"en": "We can go on when {reason}.", "es": "Podremos continuar cuando {reason}."},
    ),
    _template(
        "request.resumed",
        {"en": "Work on your request {number} goes on", "es": "Continúa el trabajo en su solicitud {number}"},
        {
            "en": "We are going on. {team} plans to {step} by {due_on}.",
            "es": "Continuamos. {team} planea {step} a más tardar el {due_on}.",
        },
    ),
    _template(
        "request.handed_over",
        {"en": "{owner} is responsible for {number}", "es": "{owner} es responsable de {number}"},
        {
            "en": "{owner} is responsible; their number is {reference}. {owner_says} We keep watching it.",
            "es": "{owner} es responsable; su número es {reference}. {owner_says} Seguimos pendientes.",
        },
    ),
    _template(
        "request.done",
        {"en": "Done: your request {number}", "es": "Hecho: su solicitud {number}"},
        {
            "en": "Done: {outcome} {outcome_note}\nTell us by {dispute_until} if it is not.",
            "es": "Hecho: {outcome} {outcome_note}\nDíganos a más tardar el {dispute_until} si no es así.",
        },
    ),
    _template(
        "request.closed",
        {"en": "Closed: your request {number}", "es": "Cerrada: su solicitud {number}"},
        {"en": "Closed: {outcome}", "es": "Cerrada: {outcome}"},
    ),
    _template(
        "request.declined",
        {"en": "We can't do what you asked in {number}", "es": "No podemos hacer lo que pidió en {number}"},
        {
            "en": "We can't do this: {outcome} {outcome_note}\nYou can object by {dispute_until}.",
            "es": "No podemos hacerlo: {outcome} {outcome_note}\nPuede objetar a más tardar el {dispute_until}.",
        },
    ),
    _template(
        "request.reopened",
        {"en": "Your request {number} is open again", "es": "Su solicitud {number} está abierta de nuevo"},
        {
            "en": "It is open again under its first promise; {team} has it.",
            "es": "Está abierta de nuevo con su primera promesa; la tiene {team}.",
        },
    ),
    _template(
        "request.joined",
        {"en": "Others reported the same as {number}", "es": "Otros reportaron lo mismo que {number}"},
        {
            "en": "The same problem as another report, {leading_number}; you will be told when it is fixed.",
            "es": "Es el mismo problema que otro reporte, {leading_number}; le avisaremos cuando esté resuelto.",
        },
    ),
    _template(
        "request.separated",
        {"en": "Your request {number} stands by itself", "es": "Su solicitud {number} se atiende por separado"},
        {
            "en": "It is a problem of its own after all. {team} plans to {step} by {due_on}.",
            "es": "Sí es un problema aparte. {team} planea {step} a más tardar el {due_on}.",
        },
    ),
    _template(
        "request.leader_done",
        {"en": "Done: what you reported in {number}", "es": "Hecho: lo que reportó en {number}"},
        {
            "en": "Done, as request {leading_number}: {outcome} {outcome_note}\nTell us by {dispute_until} if it is not.",
            "es": "Hecho, con la solicitud {leading_number}: {outcome} {outcome_note}\n"
            "Díganos a más tardar el {dispute_until} si no es así.",
        },
    ),
    _template(
        "request.leader_closed",
        {"en": "Closed: what you reported in {number}", "es": "Cerrado: lo que reportó en {number}"},
        {
            "en": "Request {leading_number} for the same problem has ended, and yours with it: {outcome}",
            "es": "La solicitud {leading_number} del mismo problema terminó, y con ella la suya: {outcome}",
        },
    ),
    _template(
        "request.leader_reopened",
        {"en": "What you reported in {number} is open again", "es": "Lo que reportó en {number} está abierto de nuevo"},
        {
            "en": "Somebody told us that it is not done. Request {leading_number} is open again, and yours with it.",
            "es": "Alguien nos dijo que no está hecho. La solicitud {leading_number} está abierta de nuevo, y la suya también.",
        },
    ),
    _template(
        "request.promise_changed",
        {"en": "New date for your request {number}", "es": "Nueva fecha para su solicitud {number}"},
        {
            "en": "{team} now plans to {step} by {due_on}. Why: {reason}. Your first date stays on the record.",
            "es": "{team} ahora planea {step} a más tardar el {due_on}. Motivo: {reason}. Su primera fecha queda registrada.",
        },
    ),
    _template(
        "request.service_changed",
        {"en": "Your request {number} is now: {service}", "es": "Su solicitud {number} ahora es: {service}"},
        {
            "en": "It is better described as: {service}. {team} has it and plans to {step} by {due_on}.",
            "es": "Se describe mejor como: {service}. La tiene {team} y planea {step} a más tardar el {due_on}.",
        },
    ),
    _template(
        "request.rerouted",
        {"en": "{team} has your request {number} now", "es": "Ahora {team} tiene su solicitud {number}"},
        {
            "en": "It went to another team: {team} has it now and plans to {step} by {due_on}. Your number stays the same.",
            "es": "Pasó a otro equipo: ahora la tiene {team} y planea {step} a más tardar el {due_on}. "
            "Su número sigue siendo el mismo.",
        },
    ),
    _template(
        "request.commented",
        {"en": "A note on your request {number}", "es": "Una nota sobre su solicitud {number}"},
        {"en": "{team} writes to you:\n\n{comment}", "es": "{team} le escribe:\n\n{comment}"},
        sms={
            "en": "{team} wrote you a note. Read it here: {link}",
            "es": "{team} le escribió una nota. Léala aquí: {link}",
        },
    ),
    _template(
        "callback.promised",
        {"en": "We will call you back: {callback_window}", "es": "Le devolveremos la llamada: {callback_window}"},
        {"en": "We will call you {callback_window}.", "es": "Le llamaremos {callback_window}."},
        about_request=False,
    ),
    _template(
        "callback.failed",
        {"en": "We could not reach you", "es": "No pudimos comunicarnos con usted"},
        {
            "en": "We tried to call you and could not reach you. Nothing is closed because of this; please call 311.",
            "es": "Tratamos de llamarle y no fue posible. Nada se cierra por esto; por favor llame al 311.",
        },
        about_request=False,
    ),
    _template(
        "callback.cancelled",
        {"en": "We will not call you back", "es": "No le devolveremos la llamada"},
        {
            "en": "The call we promised you ({callback_window}) is not needed any more, so we will not call. "
            "If you still want to talk to us, please call 311.",
            "es": "La llamada que le prometimos ({callback_window}) ya no hace falta, así que no le llamaremos. "
            "Si aún quiere hablar con nosotros, por favor llame al 311.",
        },
        about_request=False,
    ),
    Template(
        event="article.sent",
        subject={"en": "{title}", "es": "{title}"},
        body={
            "en": "You asked us: {title}\n\n{answer}\n\nThe whole answer: {link}\n\n{city} 311",
            "es": "Usted preguntó: {title}\n\n{answer}\n\nLa respuesta completa: {link}\n\n311 de {city}",
        },
        sms={"en": "{city} 311: {answer} {link}", "es": "311 de {city}: {answer} {link}"},
    ),
)

TEMPLATES: dict[str, Template] = {template.event: template for template in _TEMPLATES}
"""Event kind -> built-in template. These kinds are what residents are told of."""

LANGUAGES = ("en", "es")

PROMISE_REASONS: dict[str, Texts] = {
    "filed": {"en": "it was filed", "es": "se registró"},
    "resumed": {"en": "the clock had stopped meanwhile", "es": "el plazo estuvo detenido mientras tanto"},
    "service_changed": {"en": "it is another service than we thought", "es": "es otro servicio del que pensábamos"},
    "priority_changed": {"en": "its urgency changed", "es": "cambió su urgencia"},
    "reopened": {"en": "it was opened again", "es": "se abrió de nuevo"},
    "imported": {"en": "it was taken over from another system", "es": "se trasladó de otro sistema"},
}

MISSING: dict[str, Texts] = {
    "address": {"en": "no address given", "es": "sin dirección"},
    "reference": {"en": "not known yet", "es": "aún desconocido"},
    "due_on": {"en": "a date still to be set", "es": "una fecha por definir"},
    "dispute_until": {"en": "the end of the week", "es": "el fin de la semana"},
    "step": {"en": "resolve it", "es": "resolverla"},
    "callback_window": {"en": "soon", "es": "pronto"},
    "number": {"en": "your question", "es": "su consulta"},
    "service": {"en": "what you asked", "es": "lo que preguntó"},
}
"""Placeholder -> what stands there when it has no value; others stay empty."""

UNSUBSCRIBE: Texts = {
    "en": "You get this because you asked the city for something. To get no more messages here: {unsubscribe}",
    "es": "Recibe este mensaje porque le pidió algo a la ciudad. Para no recibir más mensajes aquí: {unsubscribe}",
}
