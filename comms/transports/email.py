"""Mail through the server of the settings (RFC 5322; RFC 3834 for Auto-Submitted)."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from comms.transports.letters import Letter


def send(letter: Letter) -> None:
    """Hand the letter to the mail server.

    Raises:
        SMTPException, OSError: the server refused or could not be reached.
        ValueError: the subject or address would break the header (Django refuses to build it).
    """
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    headers = {"Message-ID": f"<{letter.key}@{host}>", "Auto-Submitted": "auto-generated"}
    EmailMessage(subject=letter.subject, body=letter.text, to=[letter.to], headers=headers).send()
