"""Mails about an account: work for a worker, sealed until sent because they carry links that open doors."""

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from core.models import Work
from people.models.invitations import Invitation
from people.sealed import seal, unseal

PURPOSE = "mail"


class AccountMail(Work):
    """One mail to one address. Its text is encrypted, and cleared when nothing will be sent any more.

    A mail without an address is never sent: it is written for an unknown address, so that an answer takes as long as
    for a known one.
    """

    task: ClassVar[str] = "people.tasks.send_account_mail"
    lease: ClassVar[timedelta] = timedelta(seconds=60)
    most_attempts: ClassVar[int] = 12

    to = models.EmailField(blank=True, editable=False)
    subject = models.CharField(max_length=200, editable=False)
    sealed = models.TextField(blank=True, editable=False)
    invitation = models.ForeignKey(Invitation, null=True, on_delete=models.CASCADE, related_name="mails")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["state", "due"], name="account_mail_due")]

    def __str__(self) -> str:
        return f"{self.subject} to {self.to or 'nobody'}"

    @classmethod
    def write(
        cls, *, to: str, subject: str, text: str, invitation: Invitation | None = None, user: models.Model | None = None
    ) -> "AccountMail":
        """Store it with its text sealed."""
        return cls.objects.create(
            to=to, subject=subject[:200], sealed=seal(text, purpose=PURPOSE), invitation=invitation, user=user
        )  # fmt: skip

    @property
    def text(self) -> str:
        """What it says; empty when it was cleared."""
        return unseal(self.sealed, purpose=PURPOSE) if self.sealed else ""

    def given_up(self, error: str) -> None:
        """It will never be sent: forget its text, which carries a link that opens a door."""
        AccountMail.objects.filter(pk=self.pk).update(sealed="")

    def is_wanted(self) -> bool:
        """Whether it may still be sent; asked right before, since people are disabled and invitations revoked."""
        if not self.to or not self.sealed:
            return False
        if self.invitation_id:
            return Invitation.objects.open().filter(pk=self.invitation_id).exists()
        return self.user is None or bool(self.user.is_active)
