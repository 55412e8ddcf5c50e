"""Runs: one use of a runbook version in an incident, a branch of tickets that is tracked to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from core.access import Guarded, Root
from core.actions import tracked
from core.models import Versioned
from incidents.models import Incident
from runbooks.models.documents import Document
from runbooks.models.versions import Version
from tickets.models import Ticket

if TYPE_CHECKING:
    from people.models import User


class RunState(models.TextChoices):
    """Where a run stands."""

    RUNNING = "running", "Running"
    DONE = "done", "Finished"
    STOPPED = "stopped", "Stopped"


class RunQuerySet(models.QuerySet["Run"]):
    """Runs, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Runs in incidents this person may see."""
        return self.filter(incident__in=Incident.objects.visible_to(user))


class Run(Versioned, Guarded):
    """One use. `ticket` is the top of its branch; `values` were asked for when it started, by name."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="runs")
    of = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="runs")
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.SET_NULL, related_name="runs")
    values = models.JSONField(default=dict)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    state = models.CharField(max_length=10, choices=RunState, default=RunState.RUNNING, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)  # 1 (no use) to 5 (just right)
    worked = models.BooleanField(null=True, blank=True)  # whether it did what it is for
    notes = models.TextField(blank=True)
    rated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )

    objects = RunQuerySet.as_manager()
    history = tracked()
    url_fields = {"number": "incident__number", "run": "pk"}
    root_path = "incident"

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        indexes = [models.Index(fields=["of", "state"], name="run_of_version")]
        constraints = [
            models.CheckConstraint(condition=Q(rating=None) | Q(rating__range=(1, 5)), name="rating_one_to_five")
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.of} in {self.incident.number}"

    @property
    def given(self) -> list[tuple[str, str]]:
        """The values by name; a template that asks for `.items` gets what is called so."""
        return list(self.values.items())

    def get_absolute_url(self) -> str:
        return reverse("runbooks:run", kwargs={"number": self.incident.number, "run": self.pk})

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.incident

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return f"incident:{self.incident_id}"


class StepManager(models.Manager["RunStep"]):
    """Steps with what names them: the panel of a ticket says which it is without asking again."""

    def get_queryset(self) -> models.QuerySet[RunStep]:
        """Joined with the run and its runbook."""
        return super().get_queryset().select_related("run__of__document")


class RunStep(models.Model):
    """A line of a version and the ticket it became. How it went is read from the ticket.

    `of` is the version the line stands in (of a sub-playbook, that one's); `part` is the version that a sub-playbook
    line brought in. `title` and `text` are as written, with `{{ values }}` unfilled: what steps of different runs are
    compared by. Written with the run and never changed; `ticket` goes with the ticket. What was left out when the run
    started never had one.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    of = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    part = models.ForeignKey(Version, null=True, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()  # in the run, from 1
    place = models.CharField(max_length=200)  # 2.1.3: below the top of the branch
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    who = models.CharField(max_length=120, blank=True)  # the user name or role that the line names
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.SET_NULL, related_name="steps")
    left_out = models.BooleanField(default=False)  # by whoever started the run

    objects = StepManager()

    class Meta:
        default_permissions = ()
        ordering = ["run", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="step_position_once"),
            models.CheckConstraint(condition=Q(left_out=False) | Q(ticket=None), name="no_ticket_of_what_is_left_out"),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.title}"


class SuggestionState(models.TextChoices):
    """What became of an idea."""

    OPEN = "open", "Open"
    TAKEN = "taken", "Taken into a version"
    DECLINED = "declined", "Declined"


class SuggestionQuerySet(models.QuerySet["Suggestion"]):
    """Suggestions, seen by who may see the incident they come from and the runbook they are about."""

    def visible_to(self, user: User) -> Self:
        """From runs in incidents, and about documents, that this person may see."""
        seen = Document.objects.visible_to(user)
        return self.filter(run__in=Run.objects.visible_to(user), run__of__document__in=seen)


class Suggestion(Guarded):
    """An idea for the next version of a runbook, from a run.

    Who may see the incident of the run sees it; who may write the runbook, of those, answers it.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="suggestions")
    text = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    state = models.CharField(max_length=10, choices=SuggestionState, default=SuggestionState.OPEN, editable=False)

    objects = SuggestionQuerySet.as_manager()
    history = tracked()
    url_fields = {"number": "run__incident__number", "run": "run__pk", "suggestion": "pk"}

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"suggestion {self.pk} from {self.run}"

    @property
    def access_root(self) -> Root:
        """The runbook that it is about; the incident says who sees it (`visible_to`)."""
        return self.run.of.document

    @property
    def journal_stream(self) -> str:
        """The stream of the incident of its run."""
        return self.run.journal_stream
