"""The words of this room's two pages."""

from __future__ import annotations

PAGE_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "request": "Your request",
        "received": "Received",
        "notes": "Notes to you",
        "question": "Is it really done?",
        "yes": "Yes, it is done",
        "no": "No, it is not",
        "object": "I object",
        "objection": "Do you object?",
        "why": "What is still wrong? (you need not say)",
        "checked": "Last checked",
        "expired": "This answer has not been checked lately. Please call 311 to be sure.",
        "gone_title": "This answer is no longer here",
        "gone": "The city has taken it back or put another in its place. Please call 311.",
        "unsubscribe_title": "No more messages here",
        "unsubscribe_question": "Stop all messages to this address? You still get a receipt when you ask for something new.",
        "unsubscribe": "Stop messages",
        "unsubscribed": "Done: we send no more messages to this address. To get them again, call 311.",
    },
    "es": {
        "request": "Su solicitud",
        "received": "Recibida",
        "notes": "Notas para usted",
        "question": "¿De verdad está hecho?",
        "yes": "Sí, está hecho",
        "no": "No, no lo está",
        "object": "Objeto",
        "objection": "¿Desea objetar?",
        "why": "¿Qué sigue mal? (no es obligatorio)",
        "checked": "Última revisión",
        "expired": "Esta respuesta no se ha revisado últimamente. Llame al 311 para estar seguro.",
        "gone_title": "Esta respuesta ya no está aquí",
        "gone": "La ciudad la retiró o puso otra en su lugar. Llame al 311.",
        "unsubscribe_title": "No más mensajes aquí",
        "unsubscribe_question": "¿Dejar de recibir mensajes en esta dirección? Aún recibirá un comprobante cuando pida algo nuevo.",
        "unsubscribe": "No recibir mensajes",
        "unsubscribed": "Listo: no enviaremos más mensajes a esta dirección. Para recibirlos de nuevo, llame al 311.",
    },
}
