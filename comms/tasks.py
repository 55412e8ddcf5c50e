"""Doors for workers: send what waits in the outbox."""

from celery import shared_task

from comms.actions.messages import deliver
from comms.models import Message


@shared_task
def send_message(pk: int) -> None:
    """Send one message, unless another worker has it or it was sent."""
    message = Message.claim(pk)
    if message is not None:
        deliver(message)
