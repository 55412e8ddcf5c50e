"""Automations: an action that a ticket can carry out by itself, and each time it did."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from core import journal
from core.access import Guarded, Root
from core.actions import tracked
from core.actors import SYSTEM
from core.models import Versioned, Work
from core.models.work import WorkState
from incidents.models import Incident, IncidentGrant
from runbooks.models.runs import Run
from runbooks.registry import label_of
from tickets.models import Ticket

if TYPE_CHECKING:
    from people.models import User


MOST_RETRIES = 7


class Trigger(models.TextChoices):
    """What sets an automation off; a condition, where there is one, has to hold as well."""

    CLICK = "click", "On a click"
    START = "start", "When its ticket starts"
    CONDITION = "condition", "As soon as its condition holds"


class Waiting(models.TextChoices):
    """What a queued execution waits for, besides a worker."""

    NOTHING = "", "A worker"
    APPROVAL = "approval", "An approval"
    ANSWER = "answer", "An answer"
    TIME = "time", "A time"


class AutomationQuerySet(models.QuerySet["Automation"]):
    """Automations, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Automations of tickets whose incident this person may see."""
        return self.filter(ticket__incident__in=Incident.objects.visible_to(user))


class Automation(Versioned, Guarded):
    """What a ticket does by itself: the name of an action of the registry and its parameters, templates among them.

    `condition` is an expression over the same names as templates (docs/automations.md). `name` is how later steps refer
    to its output: `{{ steps.lookup.status }}`.
    """

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="automation")
    run = models.ForeignKey(Run, null=True, on_delete=models.SET_NULL, related_name="automations")
    action = models.CharField(max_length=60)
    parameters = models.JSONField(default=dict)
    name = models.CharField(max_length=40, blank=True)
    trigger = models.CharField(max_length=10, choices=Trigger, default=Trigger.CLICK)
    condition = models.CharField(max_length=500, blank=True)
    needs_approval = models.BooleanField(default=False)  # besides what the admin's switch of the action asks
    retries = models.PositiveSmallIntegerField(default=0)
    fired_at = models.DateTimeField(null=True, editable=False)  # when it was set off by itself: once

    objects = AutomationQuerySet.as_manager()
    history = tracked()
    url_fields = {"number": "ticket__incident__number", "ticket": "ticket__number"}
    root_path = "ticket__incident"

    class Meta:
        default_permissions = ()
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.action} of #{self.ticket.number}"

    @property
    def writer_id(self) -> int | None:
        """Who gave it what it does, last: a person, not what set it off since. One query."""
        rows: Any = type(self).history
        written = rows.filter(id=self.pk, history_user_id__isnull=False).order_by("-history_id")
        found: int | None = written.values_list("history_user_id", flat=True).first()
        return found

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.ticket.incident

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return self.ticket.journal_stream


class ExecutionQuerySet(models.QuerySet["Execution"]):
    """Executions, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Executions in incidents this person may see."""
        return self.filter(automation__ticket__incident__in=Incident.objects.visible_to(user))


class Execution(Work, Guarded):
    """One time that an automation was carried out (or tried dry): input, output, log, duration, result.

    `input` is what the parameters became, with secrets as dots; `output` is what later steps may use. Nothing here ever
    holds a secret.
    """

    task = "runbooks.tasks.execute"
    lease = dt.timedelta(seconds=180)  # longer than any action may take

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # sent along, so that others can tell twice
    automation = models.ForeignKey(Automation, on_delete=models.CASCADE, related_name="executions")
    dry = models.BooleanField(default=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    waiting = models.CharField(max_length=10, choices=Waiting, blank=True, editable=False)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    question = models.JSONField(default=dict)  # of a form: what is asked for
    answers = models.JSONField(default=dict)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    input = models.JSONField(default=dict)
    output = models.JSONField(default=dict)
    log = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, editable=False)
    duration_ms = models.PositiveIntegerField(null=True, editable=False)

    objects = ExecutionQuerySet.as_manager()
    url_fields = {
        "number": "automation__ticket__incident__number", "ticket": "automation__ticket__number", "execution": "pk",
    }  # fmt: skip
    root_path = "automation__ticket__incident"

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "due"], name="execution_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["automation"], condition=Q(state__in=["queued", "running"]), name="one_execution_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"execution {self.pk} of {self.automation}"

    @classmethod
    def claim(cls, pk: int) -> Self | None:
        """As all work; but not while a person has to say something first, and not before its time."""
        now = timezone.now()
        queued = cls._default_manager.filter(pk=pk, state=WorkState.QUEUED, waiting__in=[Waiting.NOTHING, Waiting.TIME])
        ready = queued.filter(Q(attempts=0, waiting=Waiting.NOTHING) | Q(due__lte=now))
        taken = ready.update(
            state=WorkState.RUNNING, waiting=Waiting.NOTHING, attempts=F("attempts") + 1, due=now + cls.lease
        )
        found: Self | None = cls._default_manager.get(pk=pk) if taken else None  # type: ignore[assignment]
        return found

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.automation.access_root

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return self.automation.journal_stream

    @property
    def is_waiting(self) -> bool:
        """A person, or a time, has to come first."""
        return self.state == WorkState.QUEUED and bool(self.waiting)

    @property
    def requester_id(self) -> int | None:
        """Who asked for it; where it set itself off, who wrote it. One query at most."""
        return self.asked_by_id or self.automation.writer_id

    @property
    def shown_digest(self) -> str:
        """Names what an approver is shown (SHA-256), so that only that can be agreed to."""
        shown = json.dumps([self.automation.action, self.question, self.input], sort_keys=True)
        return hashlib.sha256(shown.encode()).hexdigest()

    def may_be_approved_by(self, user: User) -> bool:
        """Whether they lead, and did not ask for it themselves unless nobody else leads; three queries at most."""
        leading = IncidentGrant.objects.filter(
            content_object=self.automation.ticket.incident, permission__codename="lead", user__is_active=True
        )
        people = set(leading.values_list("user_id", flat=True))
        return user.pk in people and (people == {user.pk} or self.requester_id != user.pk)

    def given_up(self, error: str) -> None:
        """The journal says that it failed, though no worker was left to say so."""
        journal.record(
            "automation.failed", actor=SYSTEM, subject=self, ticket=self.automation.ticket.number,
            action=self.automation.action, label=label_of(self.automation.action), reason=error,
        )  # fmt: skip


class ActionSwitch(models.Model):
    """What admins allow: an action that reaches out of Treeline is off until one of them turns it on."""

    action = models.CharField(max_length=60, unique=True)
    enabled = models.BooleanField(default=False)
    needs_approval = models.BooleanField(default=True)

    history = tracked()
    journal_stream = "automations"

    class Meta:
        default_permissions = ()
        ordering = ["action"]
        verbose_name_plural = "action switches"

    def __str__(self) -> str:
        return self.action


class Secret(models.Model):
    """A credential that automations use by its name. Encrypted; shown to nobody, not even to who wrote it."""

    name = models.SlugField(max_length=60, unique=True)
    description = models.CharField(max_length=200, blank=True)
    hosts = models.CharField("hosts it may be sent to", max_length=500)  # separated by commas; * is any
    sealed = models.TextField(editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    history = tracked(excluded=["sealed"])
    journal_stream = "automations"

    class Meta:
        default_permissions = ()
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AllowedHost(models.Model):
    """A host that automations may reach although its addresses are private, or on a port that is not 80 or 443."""

    host = models.CharField(max_length=253)  # a name or an address, without port
    port = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)

    history = tracked()
    journal_stream = "automations"

    class Meta:
        default_permissions = ()
        ordering = ["host", "port"]
        constraints = [models.UniqueConstraint(fields=["host", "port"], name="allowed_host_once")]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
