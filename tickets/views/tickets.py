"""One ticket: adding it, its page and panel, editing its words."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from core import htmx
from core.access import guarded
from core.models import JournalEntry
from core.models.versions import Conflict
from incidents.models import Incident
from incidents.queries.incidents import fetched_tag, tagged
from people.requests import UserRequest
from people.views.drafts import drafted
from tickets.actions import tickets as actions
from tickets.forms.tickets import PARTS, AddForm, EditForm, VersionForm
from tickets.models import Ticket
from tickets.queries import frame as frames
from tickets.queries.places import parent_of
from tickets.views import answers


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "work")
@drafted("description")
def add(request: UserRequest, incident: Incident) -> HttpResponse:
    """A new ticket. In the dialog the form comes back empty for the next one below the same parent."""
    if request.method != "POST":
        wanted = {name: request.GET.get(name) for name in ("parent", "after", "title", "lead", "origin")}
        return _add_page(request, incident, AddForm(initial=wanted, incident=incident))
    form, made = AddForm(request.POST, incident=incident), []
    if form.is_valid():
        fields = {"parent": _parent_of(incident, form.cleaned_data), **_without(form.cleaned_data, "parent")}
        if not answers.refused(
            form, lambda: made.append(actions.add_ticket(actor=request.user, incident=incident, **fields))
        ):
            return _added(request, incident, made[0], fields["parent"])
    return _add_page(request, incident, form, status=422)


def _without(data: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != name}


def _parent_of(incident: Incident, data: dict[str, Any]) -> int | None:
    """The parent that was asked for; beside a sibling it is the sibling's own."""
    parent: int | None = data["parent"]
    return parent_of(incident, data["after"]) if data["after"] and not parent else parent


def _added(request: UserRequest, incident: Incident, ticket: Ticket, parent: int | None) -> HttpResponse:
    htmx.toast(request, f"#{ticket.number} added.", undo=answers.undo_url(request, ticket))
    if not htmx.is_htmx(request):
        return redirect(htmx.safe_next(request, answers.url("tree", incident) + f"#t{ticket.number}"))
    if "close" in request.POST:
        return htmx.render(request, "components/toasts.html")
    again = AddForm(initial={"parent": parent, "after": ticket.number}, incident=incident)
    return _add_page(request, incident, again, toasts=True)


def _add_page(request: UserRequest, incident: Incident, form: AddForm, **extra: Any) -> HttpResponse:
    status = extra.pop("status", 200)
    context = {"form": form, "above": _named(incident, form, "parent"), "origin": _named(incident, form, "origin")}
    return answers.page(request, incident, "add", {**context, **extra}, status=status)


def _named(incident: Incident, form: AddForm, name: str) -> Ticket | None:
    """The ticket whose number a hidden field carries, for the heading."""
    number = str(form[name].value() or "")
    known = number.isascii() and number.isdigit() and len(number) < 10
    return Ticket.objects.filter(incident=incident, number=int(number)).first() if known else None


@require_safe
@guarded(Ticket, "view", along=tagged("incident"))
def ticket(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """The page of a ticket; with htmx the panel alone, polled."""
    if htmx.is_htmx(request):
        unchanged = htmx.not_modified(request, fetched_tag(ticket))
        return unchanged or answers.panel(request, ticket)
    frame = frames.frame(ticket.incident)
    context = {**answers.ticket_context(request, ticket), "team": frame.team, "tag": frame.tag, "tab": "tree"}
    return htmx.render(request, "tickets/ticket.html", {**context, "is_page": True})


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
@drafted("description")
def edit(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Words, priority, time and sharing. `?part=` is one of them, as the controls of the panel send it."""
    if request.method != "POST":
        return _edit_page(request, ticket, EditForm.of(ticket))
    form = PARTS.get(request.GET.get("part", ""), EditForm)(request.POST)
    if form.is_valid():
        fields = dict(form.cleaned_data)
        version = fields.pop("version")
        try:
            if not answers.refused(
                form,
                lambda: actions.edit_ticket(actor=request.user, ticket=ticket, version=version, fields=fields),
            ):
                return answers.saved(request, _again(ticket), f"#{ticket.number} saved.")
        except Conflict as conflict:
            return conflicted(request, ticket, form, conflict)
    return _edit_page(request, ticket, form, status=422)


def _again(ticket: Ticket) -> Ticket:
    """As it is after the change."""
    found = Ticket.objects.get(pk=ticket.pk)
    found.incident = ticket.incident
    return found


def _edit_page(request: UserRequest, ticket: Ticket, form: VersionForm, status: int = 200) -> HttpResponse:
    if not isinstance(form, EditForm):  # a control of the panel was refused: show the whole form with what it sent
        whole = EditForm.of(ticket)
        data = QueryDict(mutable=True)
        data.update({name: whole[name].value() for name in whole.fields if whole[name].value() not in (None, False)})
        data.update({name: request.POST.get(name, "") for name in form.fields})
        errors, form = form.errors, EditForm(data)
        for name, words in errors.items():
            form.add_error(None if name == "__all__" else name, [*words])
    return answers.page(request, ticket.incident, "edit", {"form": form, "ticket": ticket}, status=status)


def conflicted(request: UserRequest, ticket: Ticket, form: VersionForm, conflict: Conflict) -> HttpResponse:
    """409: both texts, to choose for each field; nothing that was typed is lost."""
    last = (
        JournalEntry.objects.filter(target_type=Ticket._meta.label, target_id=str(ticket.pk))
        .order_by("-id")
        .values_list("actor_name", "at")
        .first()
    )
    who, at = last or ("", None)
    context = {"conflict": conflict, "form": form, "action": request.get_full_path(), "who": who.split(" <")[0]}
    context |= {"saved_at": at, "ticket": ticket}
    return answers.page(request, ticket.incident, "conflict", context, status=409)
