"""Sending what waits in the outbox. Sending cannot be undone or rolled back, so it is the last thing before the end."""

from smtplib import SMTPException

from django.conf import settings

from comms.models import Message
from comms.transports import TRANSPORTS, Letter
from core.models.work import WorkState
from core.work import later

LINE = 160


def one_line(text: str) -> str:
    """Text that came from people as it may stand in a header: one line, printable, at most 160 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LINE]


def letter(message: Message) -> Letter:
    """What is sent: for a restricted incident no word of it, as mail lies on servers where nobody checks access."""
    told = message.notification
    whole = str(told.incident or told.document)
    link = settings.BASE_URL + told.url
    if told.restricted:
        subject, lines = f"{told.get_kind_display()} in {told.about}", []
    else:
        subject, lines = f"{told.about} {told.text}", [one_line(told.text), one_line(whole)]
    return Letter(
        key=message.key,
        to=message.recipient.email,
        subject=f"[Treeline] {one_line(subject)}",
        text="\n".join([*(lines or [subject]), "", link, "", f"Why you get this: {told.why}."]),
    )


def deliver(message: Message) -> None:
    """Send a claimed message, if its person is active and may see the incident now; a failure is tried again later.

    A worker that dies after sending and before the end of this function makes a second mail with the same Message-ID:
    the price of never losing one.
    """
    told = message.notification
    seen = type(told).objects.visible_to(message.recipient).filter(pk=told.pk).exists()
    if not seen:
        message.finish(WorkState.CANCELLED, error="The person may not see this any more.")
        return
    try:
        TRANSPORTS[message.channel](letter(message))
    except (SMTPException, OSError, ValueError) as problem:
        message.put_back(error=f"{type(problem).__name__}: {problem}", delay=later(message.attempts))
        return
    message.finish()
