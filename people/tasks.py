"""Doors for workers: send what is to be sent about accounts, forget drafts that nobody came back to."""

from smtplib import SMTPException

from celery import shared_task
from django.core.mail import EmailMessage
from django.db import transaction

from core.models.work import WorkState
from core.work import later
from people.actions import drafts
from people.models import AccountMail


def _end(mail: AccountMail, state: WorkState) -> None:
    with transaction.atomic():
        if mail.finish(state):
            AccountMail.objects.filter(pk=mail.pk).update(sealed="")


@shared_task
def send_account_mail(pk: int) -> None:
    """Send one mail, if it is still wanted; then forget its text."""
    mail = AccountMail.claim(pk)
    if mail is None:
        return
    text = mail.text
    if not text or not mail.is_wanted():
        _end(mail, WorkState.CANCELLED)
        return
    try:
        EmailMessage(mail.subject, text, to=[mail.to]).send()
    except (SMTPException, OSError) as problem:
        # Only the kind of error: its text may quote the message.
        mail.put_back(error=type(problem).__name__, delay=later(mail.attempts))
        return
    _end(mail, WorkState.DONE)


@shared_task
def sweep_drafts() -> None:
    """Forget what nobody went on writing."""
    drafts.sweep()
