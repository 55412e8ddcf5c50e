"""How a run goes on: it finishes with its last ticket, is stopped, rated, and gives ideas for the next version."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from core.models import JournalEntry
from incidents.models import Incident
from runbooks.models import Run, RunState, Suggestion
from tickets.models import ENDED, Category

DROPPED = "All its tickets were dropped."
OPEN = Count("steps", filter=Q(steps__ticket__isnull=False) & ~Q(steps__ticket__category__in=ENDED))
LEFT = Count("steps", filter=Q(steps__ticket__isnull=False) & ~Q(steps__ticket__category=Category.DROPPED))


@action
def rate_run(
    *, actor: Actor, run: Run, version: int, rating: int, worked: bool, notes: str = "", suggestion: str = ""
) -> Run:
    """Say how well the runbook served (1 to 5), whether it did what it is for, and what the next version should have.

    A run that still goes on is finished by that; its open tickets stay as they are. One that was stopped stays so, and
    counts as used from now on, even where all its tickets were dropped: somebody has something to say about it. A
    rating can be given again.

    Raises:
        ValidationError: somebody else changed it meanwhile, or the rating is no number from 1 to 5.
    """
    run = _locked(run)
    if run.version != version:
        raise ValidationError("Somebody else changed this run meanwhile: look at it before you rate it.")
    if not 1 <= rating <= 5:
        raise ValidationError({"rating": "A rating is a number from 1 to 5."})
    fields: dict[str, Any] = {"rating": rating, "worked": worked, "notes": notes}
    fields["rated_by_id"] = actor.pk if actor.actor_kind == "user" else None
    if run.state == RunState.RUNNING:
        fields |= {"state": RunState.DONE, "finished_at": timezone.now()}
    run.apply(fields)
    if suggestion.strip():
        Suggestion.objects.create(run=run, text=suggestion.strip(), by_id=fields["rated_by_id"])
    journal.record(
        "run.rated", actor=actor, subject=run, runbook=run.of.document.title, rating=rating, worked=worked,
        suggested=bool(suggestion.strip()),
    )  # fmt: skip
    return run


@action
def stop_run(*, actor: Actor, run: Run, reason: str) -> Run:
    """Track it no longer; its tickets stay as they are.

    Raises:
        ValidationError: it is over already, or there is no reason.
    """
    run = _locked(run)
    if run.state != RunState.RUNNING:
        raise ValidationError("This run is over already.")
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is stopped: the next version learns from it."})
    return _set(actor, run, "run.stopped", RunState.STOPPED, reason=reason.strip())


@action
def settle_runs(*, actor: Actor, incident: Incident) -> list[Run]:
    """Bring runs up to what became of their tickets: finished with the last, stopped where all of them were dropped.

    One that nobody rated goes on where a ticket of it is open again; one whose branch was merged into this incident
    belongs to it from now on. Gives those that changed.
    """
    incident = Incident.objects.lock(incident.pk)
    for run in _in(Q(ticket__incident=incident) & ~Q(incident=incident)):
        run.apply({"incident": incident})
        journal.record("run.brought", actor=actor, subject=run, runbook=run.of.document.title)
    going = Q(state=RunState.RUNNING) | Q(rating=None)
    settled = [_settle(actor, run) for run in _in(going & Q(incident=incident))]
    return [run for run in settled if run is not None]


def _settle(actor: Actor, run: Any) -> Run | None:
    if run.state == RunState.RUNNING and not run.left:
        return _set(actor, run, "run.stopped", RunState.STOPPED, reason=DROPPED)
    if run.state == RunState.RUNNING and not run.open_steps:
        return _set(actor, run, "run.finished", RunState.DONE)
    if run.open_steps and (run.state == RunState.DONE or (run.state == RunState.STOPPED and _by_itself(run))):
        return _set(actor, run, "run.resumed", RunState.RUNNING)
    return None


def _by_itself(run: Run) -> bool:
    """Whether it was stopped because its tickets were dropped, which was taken back by now."""
    entries = JournalEntry.objects.filter(target_type=Run._meta.label, target_id=str(run.pk), verb="run.stopped")
    last = entries.order_by("-seq").first()
    return last is not None and last.actor_kind != "user"


def _in(which: Q) -> list[Run]:
    rows = Run.objects.filter(which).select_related("of__document", "incident", "ticket")
    return list(rows.annotate(open_steps=OPEN, left=LEFT).order_by("pk"))


def _locked(run: Run) -> Run:
    Incident.objects.lock(run.incident_id)
    return Run.objects.select_related("of__document", "incident", "ticket").get(pk=run.pk)


def _set(actor: Actor, run: Run, verb: str, state: RunState, **said: Any) -> Run:
    run.apply({"state": state, "finished_at": None if state == RunState.RUNNING else timezone.now()})
    number = run.ticket.number if run.ticket else None
    journal.record(verb, actor=actor, subject=run, runbook=run.of.document.title, ticket=number, **said)
    return run
