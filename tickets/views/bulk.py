"""Changing several tickets at once: one form for each part, from the tree, the table and the board."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from core import htmx
from core.access import guarded
from incidents.models import Incident
from people.requests import UserRequest
from tickets.actions import bulk as actions
from tickets.actions.undo import BATCHES
from tickets.forms.bulk import PARTS, TITLES, numbers_in, versions_in
from tickets.queries import bulk as queries
from tickets.queries.table import found_numbers
from tickets.views import answers


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "work")
def bulk(request: UserRequest, incident: Incident) -> HttpResponse:
    """`?tickets=101&tickets=102&part=status`: ask for it, and set it for all of them. `all`: what the table found."""
    data = request.POST if request.method == "POST" else request.GET
    part = data.get("part", "assignee")
    if part not in PARTS:
        raise Http404
    if part == "drop" and "lead" not in request.permissions:
        raise PermissionDenied
    numbers, seen = numbers_in(data.getlist("tickets")), versions_in(data.getlist("tickets"))
    if "all" in data and request.method != "POST":
        numbers = found_numbers(incident, data)
    if request.method != "POST":
        return _page(request, incident, part, numbers, PARTS[part](incident=incident), seen=seen)
    form = PARTS[part](request.POST, incident=incident)
    status, changed, who = 422, [], {"actor": request.user, "incident": incident, "numbers": numbers, "seen": seen}
    try:
        if form.is_valid() and not answers.refused(form, lambda: changed.extend(_act(part, form.cleaned_data, **who))):
            return _done(request, incident, _said(part, form, len(changed)))
    except actions.Overtaken as overtaken:
        status, seen = 409, {}  # the form is drawn again, and who sends it has seen what is so now
        form.add_error(None, str(overtaken))
    return _page(request, incident, part, numbers, form, seen=seen, status=status)


def _act(part: str, data: dict[str, Any], **who: Any) -> list[int]:
    if part == "move":
        return actions.move_tickets(**who, **data)
    if part == "drop":
        return actions.drop_tickets(**who, reason=data["reason"])
    return actions.change_tickets(**who, fields=data)


def _said(part: str, form: forms.Form, count: int) -> str:
    if not count:
        return "Nothing to change: they were so already."
    tickets, data = "1 ticket" if count == 1 else f"{count} tickets", form.cleaned_data
    beside = data.get("before") or data.get("after")
    moved = f"beside #{beside}" if beside else f"below #{data['parent']}" if data.get("parent") else "to the top"
    words = {
        "assignee": f"given to {data['assignee']}" if data.get("assignee") else "given to nobody",
        "status": f"set to {_word(form, 'status')}",
        "priority": f"set to priority {_word(form, 'priority')}",
        "due_at": "given another due time" if data.get("due_at") else "without a due time now",
        "move": f"moved {moved}",
        "tags": "tagged anew", "drop": "dropped, with what was open below",
    }  # fmt: skip
    return f"{tickets} {words[part]}."


def _word(form: forms.Form, name: str) -> str:
    """What was chosen, as the form calls it."""
    field = form.fields.get(name)
    names: dict[str, str] = dict(list(field.choices)) if isinstance(field, forms.ChoiceField) else {}  # type: ignore[arg-type]
    return names.get(form.cleaned_data.get(name, ""), "")


def _done(request: UserRequest, incident: Incident, text: str) -> HttpResponse:
    entry = queries.just_made(incident, request.user, BATCHES)
    htmx.toast(request, text, undo=answers.url("undo_batch", incident, entry=entry.seq) if entry else "")
    if htmx.is_htmx(request):
        return htmx.render(request, "components/toasts.html")
    return HttpResponseRedirect(htmx.safe_next(request, answers.url("tree", incident)))


def _page(
    request: UserRequest,
    incident: Incident,
    part: str,
    numbers: list[int],
    form: forms.Form,
    *,
    seen: Mapping[int, int],
    status: int = 200,
) -> HttpResponse:
    """The form; `seen` are versions that its reader knew before, of all others it is the one of now."""
    chosen = queries.named(incident, numbers[: actions.MOST * 5])
    context = {
        "pairs": [f"{one.number}:{seen.get(one.number, one.version)}" for one in chosen],
        "form": form, "part": part, "heading": TITLES[part], "chosen": chosen, "most": actions.MOST,
        "is_too_many": len(chosen) > actions.MOST, "next_url": htmx.safe_next(request, ""),
        "places": queries.places(incident, numbers[: actions.MOST * 5]) if part == "move" else [],
    }  # fmt: skip
    return answers.page(request, incident, "several", context, status=status)
