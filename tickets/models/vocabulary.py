"""The words a ticket's state and priority are said in: admins choose them, rules look only at what stands behind."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from core.actions import tracked

CODE = RegexValidator(r"\A[a-z][a-z0-9_]{0,19}\Z", "Small letters, digits and _, beginning with a letter.")


class Category(models.TextChoices):
    """What a status means to the house: whether work waits, goes on, is held up, or has ended."""

    TODO = "todo", "To do"
    DOING = "doing", "Doing"
    BLOCKED = "blocked", "Blocked"
    DONE = "done", "Done"
    DROPPED = "dropped", "Dropped"


ENDED = (Category.DONE, Category.DROPPED)
FIRST = {  # the status that each category begins with: it can be renamed, never removed
    Category.TODO: "open",
    Category.DOING: "doing",
    Category.BLOCKED: "waiting",
    Category.DONE: "done",
    Category.DROPPED: "dropped",
}
NORMAL, NORMAL_URGENCY = "normal", 20  # the priority of a ticket nobody gave one


class TicketStatus(models.Model):
    """A status tickets can have. `code` is what rows and journal keep, `name` what people read."""

    code = models.CharField(max_length=20, unique=True, validators=[CODE])
    name = models.CharField(max_length=40, unique=True)
    category = models.CharField(max_length=8, choices=Category)
    position = models.PositiveSmallIntegerField(default=100, help_text="Smaller numbers come first.")
    active = models.BooleanField(default=True, help_text="Whether tickets can still be given it.")

    history = tracked()

    class Meta:
        default_permissions = ()
        ordering = ["position", "pk"]
        verbose_name = "ticket status"
        verbose_name_plural = "ticket statuses"

    def __str__(self) -> str:
        return self.name

    @property
    def is_first(self) -> bool:
        """One of the five that stay."""
        return self.code in FIRST.values()


class TicketPriority(models.Model):
    """A priority tickets can have; the higher its urgency, the earlier it is done."""

    code = models.CharField(max_length=20, unique=True, validators=[CODE])
    name = models.CharField(max_length=40, unique=True)
    urgency = models.PositiveSmallIntegerField(
        default=NORMAL_URGENCY, help_text=f"{NORMAL_URGENCY} is normal; more is more urgent."
    )
    active = models.BooleanField(default=True, help_text="Whether tickets can still be given it.")

    history = tracked()

    class Meta:
        default_permissions = ()
        ordering = ["-urgency", "pk"]
        verbose_name = "ticket priority"
        verbose_name_plural = "ticket priorities"

    def __str__(self) -> str:
        return self.name

    @property
    def is_first(self) -> bool:
        """The one that stays."""
        return self.code == NORMAL
