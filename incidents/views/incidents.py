"""The list, declaring, the overview and editing its parts."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from core.access import guarded, open_to
from core.htmx import done, not_modified, render, toast
from core.lists import listing
from core.models.versions import Conflict
from incidents.actions.incidents import AlreadyOpened, edit_incident, open_incident
from incidents.forms.filters import understood
from incidents.forms.incidents import PARTS, DeclareForm, FactsForm, PartForm
from incidents.models import Incident
from incidents.queries import incidents as queries
from incidents.queries.team import may_take
from incidents.views.frames import form_page, refuse
from people.models import User
from people.models.rights import is_ours
from people.requests import UserRequest
from people.views.drafts import drafted

COLUMNS = [
    ("severity", "Severity"), ("title", "Incident"), ("stage", "Stage"), ("commander", "Commander"),
    ("tickets", "Tickets done"), ("leads", "Leads resolved"), ("clock", "Next clock"), ("changed", "Changed"),
]  # fmt: skip
DOWN_FIRST = {"severity", "tickets", "leads", "detected", "changed"}
TABS = {"overview", "tree", "board", "leads", "members", "log", "report", "audit"}


@require_safe
@open_to("everyone")
def list_all(request: UserRequest) -> HttpResponse:
    """The dashboard; customers' people have no list and go to their profile."""
    if not is_ours(request.user):
        return redirect("people:profile")
    show, sort, wrong = _asked(request.GET)
    filters, refused = understood(request.GET, queries.shown(request.user, show), queries.choices())
    figures = queries.figures(request.user)
    filtered = [name for name, value in filters.form.cleaned_data.items() if value not in (None, "")]
    context = {
        "listing": listing(request, queries.in_order(filters.qs, sort)),
        "filter": filters.form,
        "filtered": filtered,
        "narrowed": [name for name in filtered if name != "q"],
        "refused": [name[:40] if name.isprintable() else "?" for name in refused + wrong],
        "figures": figures,
        "pills": [(name, label, figures[name], name == show) for name, (label, _) in queries.SHOWN.items()],
        "show": show,
        "sort": sort,
        "columns": _columns(request.GET, sort),
        "needy": queries.needy(request.user),
    }
    return render(request, "incidents/list.html", context, fragment="incidents/_list.html")


def _asked(data: QueryDict) -> tuple[str, str, list[str]]:
    """Pill and order, and which of the two made no sense."""
    wrong = []
    show = data.get("show") or "open"
    if show not in queries.SHOWN:
        show, wrong = "open", ["show"]
    usual = "-detected" if show == "closed" else "-severity"
    sort = data.get("sort") or usual
    if sort.removeprefix("-") not in queries.SORTS:
        sort, wrong = usual, [*wrong, "sort"]
    return show, sort, wrong


def _columns(asked: QueryDict, sort: str) -> list[dict[str, str]]:
    columns = []
    for key, name in COLUMNS:
        now = sort.removeprefix("-") == key
        down = (not sort.startswith("-")) if now else key in DOWN_FIRST
        query = asked.copy()
        query.pop("page", None)
        query["sort"] = f"-{key}" if down else key
        order = ("descending" if sort.startswith("-") else "ascending") if now else ""
        columns.append({"key": key, "name": name, "url": f"?{query.urlencode()}", "order": order})
    return columns


@require_http_methods(["GET", "HEAD", "POST"])
@open_to("responders")
def declare(request: UserRequest) -> HttpResponse:
    """Declare an incident; the same form sent twice makes one."""
    if request.method != "POST":
        form = DeclareForm(initial={"commander": request.user.pk})
        return render(request, "incidents/declare.html", {"form": form})
    form = DeclareForm(request.POST)
    if not form.is_valid():
        return render(request, "incidents/declare.html", {"form": form}, status=422)
    key = form.cleaned_data["key"]
    try:
        incident = open_incident(
            actor=request.user, reporter=request.user, once=f"{request.user.pk}:{key}" if key else "", **form.opened()
        )
        toast(request, f"{incident.number} is declared.")
    except AlreadyOpened as again:
        incident = again.incident
        toast(request, f"{incident.number} was declared by this form already.")
    return done(request, incident.get_absolute_url())


@require_safe
@guarded(Incident, "view")
def overview(request: UserRequest, incident: Incident) -> HttpResponse:
    """Where the incident stands."""
    context = queries.overview(incident, request.user)
    incident = context["incident"]
    context["editable"] = incident.is_open and "work" in request.permissions
    context["may_take"] = may_take(incident, request.user, request.permissions)
    return render(request, "incidents/overview.html", context)


@require_safe
@guarded(Incident, "view", along=queries.tagged())
def head(request: UserRequest, incident: Incident) -> HttpResponse:
    """The header of the incident's pages, polled; access was checked before the 304."""
    asked = request.GET.get("tab", "")
    if same := not_modified(request, queries.fetched_tag(incident)):
        return same
    context = queries.head(incident, asked if asked in TABS else "overview")
    return render(request, "incidents/_head.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "work")
@drafted("summary", "situation", "business_impact", "root_cause", "contributing_factors", "lessons_learned")
def edit(request: UserRequest, incident: Incident, part: str) -> HttpResponse:
    """One part of the overview as a form."""
    if part not in PARTS:
        raise Http404
    kind = PARTS[part]
    page: dict[str, Any] = {"heading": kind.heading, "wide": kind.wide}
    if request.method != "POST":
        return form_page(request, incident, kind(incident=incident), **page)
    form = kind(request.POST, incident=incident)
    if not form.is_valid():
        return form_page(request, incident, form, status=422, **page)
    try:
        saved = _save(request.user, incident, form)
    except ValidationError as error:
        refuse(form, error)
        return form_page(request, incident, form, status=422, **page)
    except Conflict as conflict:
        return _conflict(request, incident, form, conflict)
    others = saved.version > form.cleaned_data["version"] + 1
    toast(request, "Saved, together with what others changed meanwhile." if others else f"{kind.heading} saved.")
    return done(request, incident.get_absolute_url())


def _save(user: User, incident: Incident, form: PartForm) -> Incident:
    tags: dict[str, Any] = {}
    if isinstance(form, FactsForm):
        tags = {name: form.cleaned_data[name] for name in ("tags", "seen_tags")}
    return edit_incident(
        actor=user, incident=incident, version=form.cleaned_data["version"], fields=form.submitted(), **tags
    )


def _conflict(request: UserRequest, incident: Incident, form: PartForm, conflict: Conflict) -> HttpResponse:
    for name in conflict.fields:  # a list is read and chosen as its lines
        if isinstance(lines := getattr(conflict.theirs, name), list):
            setattr(conflict.theirs, name, "\n".join(lines))
            conflict.mine[name] = "\n".join(conflict.mine[name])
    who, at = queries.last_change(incident)
    return form_page(
        request, incident, form, heading=form.heading, fragment="components/conflict.html", status=409,
        conflict=conflict, who=who, saved_at=at,
    )  # fmt: skip
