"""E-mail through whatever back end Django is set to."""

from __future__ import annotations

import smtplib

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from loop311.notifications.models import Message
from loop311.notifications.outcomes import Refused, Unavailable
from loop311.notifications.policies import one_line
from loop311.notifications.rendering import Rendered, unsubscribe_link


def send_email(message: Message, words: Rendered) -> None:
    """Returns when the server has taken it. Raises Refused (for good) or Unavailable (try again), with a code each."""
    mail = compose(message, words)
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        raise _by_code(code) from error
    except smtplib.SMTPAuthenticationError as error:
        raise Unavailable(f"smtp {error.smtp_code}") from error  # ours to mend; the resident's message waits for it
    except smtplib.SMTPResponseException as error:
        raise _by_code(error.smtp_code) from error
    except smtplib.SMTPNotSupportedError as error:
        raise Refused("smtp unsupported") from error
    except ValueError as error:
        raise Refused("address") from error  # one that no header can hold
    except (smtplib.SMTPException, OSError) as error:
        slow = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        raise Unavailable("timeout" if slow else "connection") from error


def _by_code(code: int) -> Exception:
    return Refused(f"smtp {code}") if 500 <= code <= 599 else Unavailable(f"smtp {code}")


def compose(message: Message, words: Rendered) -> EmailMultiAlternatives:
    """Plain text with a simple HTML twin; the same Message-ID at every attempt."""
    city = one_line(message.jurisdiction.name).replace('"', "")
    mail = EmailMultiAlternatives(
        subject=words.subject,
        body=words.body,
        from_email=f'"{city} 311" <{settings.DEFAULT_FROM_EMAIL}>',
        to=[message.contact_point.address],
        headers={
            "Message-ID": message.message_id,
            "Auto-Submitted": "auto-generated",
            "Content-Language": words.language,
            "List-Unsubscribe": f"<{unsubscribe_link(message.jurisdiction_id, message.contact_point_id)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    mail.attach_alternative(words.html, "text/html")
    return mail
