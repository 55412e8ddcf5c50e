"""What becomes of ideas for the next version of a runbook."""

from django.core.exceptions import ValidationError

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident
from runbooks.models import Suggestion, SuggestionState


@action
def answer_suggestion(*, actor: Actor, suggestion: Suggestion, state: SuggestionState) -> Suggestion:
    """Say that it is in a version now, or that it will not be. The incident that it came from may be closed by then.

    Raises:
        ValidationError: it has an answer already, or this is none.
    """
    if state not in (SuggestionState.TAKEN, SuggestionState.DECLINED):
        raise ValidationError("A suggestion is taken or declined.")
    Incident.objects.lock(suggestion.run.incident_id)
    found = Suggestion.objects.select_related("run__of__document").get(pk=suggestion.pk)
    if found.state != SuggestionState.OPEN:
        raise ValidationError(f"This suggestion was answered meanwhile: {found.get_state_display().lower()}.")
    found.state = state
    found.save(update_fields=["state"])
    journal.record(
        "run.suggestion_answered", actor=actor, subject=found.run, changed=False, suggestion=found.pk,
        runbook=found.run.of.document.title, answer=state.value,
    )  # fmt: skip
    return found
