"""Taking back: the change that a note tells of, or with the key U one's own last one."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from core import htmx
from core.access import guarded
from core.models import JournalEntry
from incidents.models import Incident
from incidents.queries.journal import lines
from people.requests import UserRequest
from tickets.actions.undo import BATCHES, UNDO, undo_change, uproot
from tickets.actions.undo import undo_batch as take_back_all
from tickets.actions.undo import undo_drop_all as restore_all
from tickets.models import Ticket
from tickets.queries.past import last_change
from tickets.views import answers

# The lead's to do, so the lead's to take back.
DROPS = ("ticket.branch_dropped", "ticket.all_dropped", "tickets.dropped")
WHAT = {
    "ticket.moved": "move", "ticket.assigned": "assignment", "ticket.status_changed": "status", "ticket.tagged": "tags",
    "ticket.lead_marked": "lead", "ticket.lead_resolved": "result of the lead",
}  # fmt: skip
ALL_AT_ONCE = {
    "ticket.all_dropped": restore_all, "tickets.planted": uproot, **dict.fromkeys(BATCHES, take_back_all),
}  # fmt: skip


class SinceForm(forms.Form):
    """From where on one's changes count: the tag that the page had when it was first shown ("57" or "57-29384001")."""

    since = forms.RegexField(r"\A[0-9]{1,18}(?:-[0-9]{1,18})?\Z")

    def clean_since(self) -> int:
        return int(str(self.cleaned_data["since"]).partition("-")[0])


@require_POST
@guarded(Ticket, "work")
def undo(request: UserRequest, ticket: Ticket, entry: int) -> HttpResponse:
    """Take back one change of this ticket, if nothing came after it."""
    found = JournalEntry.objects.filter(
        stream=ticket.journal_stream, seq=entry, target_type=Ticket._meta.label, target_id=str(ticket.pk)
    ).first()
    if found is None:
        raise Http404
    return _take_back(request, ticket, found)


@require_POST
@guarded(Incident, "lead")
def undo_drop_all(request: UserRequest, incident: Incident, entry: int) -> HttpResponse:
    """Take back that everything still open was dropped."""
    found = JournalEntry.objects.filter(stream=incident.journal_stream, seq=entry).first()
    if found is None:
        raise Http404
    return _restore_all(request, incident, found)


@require_POST
@guarded(Incident, "work")
def undo_batch(request: UserRequest, incident: Incident, entry: int) -> HttpResponse:
    """Take back what was done to several tickets at once."""
    found = JournalEntry.objects.filter(stream=incident.journal_stream, seq=entry).first()
    if found is None:
        raise Http404
    return _restore_all(request, incident, found)


@require_POST
@guarded(Incident, "work")
def undo_last(request: UserRequest, incident: Incident) -> HttpResponse:
    """Take back one's own last change in this incident; one that cannot be undone is named, not stepped over."""
    form = SinceForm(request.POST)
    if not form.is_valid():
        return _refused(request, incident, form)
    entry = last_change(incident, request.user, since=form.cleaned_data["since"])
    if entry is None:
        form.add_error(None, "You changed nothing here that still stands since you opened this incident.")
        return _refused(request, incident, form)
    if entry.verb in ALL_AT_ONCE:
        return _restore_all(request, incident, entry)
    ticket = Ticket.objects.filter(incident=incident, pk=entry.target_id).first() if entry.verb in UNDO else None
    if ticket is None:
        said = lines([entry], request.user)[0].sentence
        form.add_error(None, f"Your last change here cannot be undone: you {said}.")
        return _refused(request, incident, form)
    ticket.incident = incident
    return _take_back(request, ticket, entry)


def _take_back(request: UserRequest, ticket: Ticket, entry: JournalEntry) -> HttpResponse:
    _require_lead(request, entry)
    done: list[Ticket] = []
    form = forms.Form({})
    if answers.refused(form, lambda: done.append(undo_change(actor=request.user, ticket=ticket, entry=entry))):
        return _refused(request, ticket.incident, form, ticket)
    return answers.saved(request, done[0], _said(entry, done[0]))


def _restore_all(request: UserRequest, incident: Incident, entry: JournalEntry) -> HttpResponse:
    _require_lead(request, entry)
    form = forms.Form({})
    counts: list[int] = []
    act = ALL_AT_ONCE.get(entry.verb, take_back_all)
    if answers.refused(form, lambda: counts.append(act(actor=request.user, incident=incident, entry=entry))):
        return _refused(request, incident, form)
    htmx.toast(request, _uprooted(counts[0]) if act is uproot else _restored(counts[0]))
    if htmx.is_htmx(request):
        return htmx.render(request, "components/toasts.html")
    return HttpResponseRedirect(htmx.safe_next(request, answers.url("tree", incident)))


def _require_lead(request: UserRequest, entry: JournalEntry) -> None:
    if entry.verb in DROPS and "lead" not in request.permissions:
        raise PermissionDenied


def _refused(request: UserRequest, incident: Incident, form: forms.Form, ticket: Ticket | None = None) -> HttpResponse:
    return answers.page(request, incident, "refused", {"form": form, "ticket": ticket}, status=422)


def _said(entry: JournalEntry, ticket: Ticket) -> str:
    if entry.verb == "ticket.added":
        return f"#{ticket.number} is dropped: it was added by mistake."
    if entry.verb in DROPS:
        return _restored(len(entry.data["tickets"]))
    return f"#{ticket.number}: {WHAT[entry.verb]} taken back."


def _uprooted(count: int) -> str:
    words = "1 ticket is dropped: it was" if count == 1 else f"{count} tickets are dropped: they were"
    return f"{words} added by mistake."


def _restored(count: int) -> str:
    return "1 ticket is back as it was." if count == 1 else f"{count} tickets are back as they were."
