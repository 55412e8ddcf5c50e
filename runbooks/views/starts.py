"""Choosing runbooks and inserting them: the palette, the form with the preview, and the incident to insert into."""

from typing import Any

from django.core.validators import slug_re
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from core import htmx
from core.access import guarded
from incidents.models import Incident
from people.requests import UserRequest
from runbooks.actions.starts import run_runbooks
from runbooks.forms.starts import MOST_BOOKS, MOST_BOXES, StartForm
from runbooks.models import Document, Run
from runbooks.queries import quick as places
from runbooks.queries import starts as queries
from tickets.forms.bulk import numbers_in
from tickets.queries import bulk as bulk_queries
from tickets.views import answers

MOST_WORDS = 100


def _slugs(given: list[str]) -> list[str]:
    """Those that could be the name of a document: what could not leads nowhere, and no database looks for NUL."""
    return [one for one in given if slug_re.match(one)][:MOST_BOOKS]


@require_safe
@guarded(Incident, "work")
def palette(request: UserRequest, incident: Incident) -> HttpResponse:
    """Runbooks to insert; `?q=` filters, `?under=110` says below what, `?choose=` several of them leads to the form."""
    under = _under(request, incident)
    if chosen := _slugs(request.GET.getlist("choose")):
        query = QueryDict(mutable=True)
        query.setlist("also", chosen[1:])
        query.update({"under": str(under)} if under else {})
        return HttpResponseRedirect(f"{_start_url(incident, chosen[0])}?{query.urlencode()}")
    text = request.GET.get("q", "")[:MOST_WORDS]
    context = {
        "palette": queries.palette(incident, request.user, text=text), "text": text, "under": under,
        "beside": "beside" in request.GET,
    }  # fmt: skip
    return answers.page(request, incident, "runbooks/_palette.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "work")
def start(request: UserRequest, incident: Incident, slug: str) -> HttpResponse:
    """Values, a preview with check boxes, Insert. `?also=` and `?add=` name further runbooks."""
    documents = _chosen(request, slug)
    known = queries.suggestions(incident)
    if request.method != "POST":
        above = bulk_queries.named(incident, numbers_in([request.GET.get("under", "")]))
        first = {"under": f"#{above[0].number} {above[0].title}" if above else ""}
        return _page(request, incident, StartForm(initial=first, incident=incident, documents=documents, known=known))
    form = StartForm(request.POST, incident=incident, documents=documents, known=known)
    is_good = form.is_valid()
    if "preview" in request.GET:
        return htmx.render(request, "runbooks/_branch.html", {"incident": incident, **_shown(form)})
    if "preview" in request.POST or request.POST.get("add"):
        return _page(request, incident, form, is_preview=True)
    made: list[Run] = []
    if is_good and not answers.refused(
        form,
        lambda: made.extend(
            run_runbooks(
                actor=request.user, incident=incident, documents=documents, under=form.cleaned_data["under"],
                values=form.values, skip=form.skip,
            )
        ),
    ):  # fmt: skip
        return _inserted(request, incident, made)
    return _page(request, incident, form, status=422)


def _start_url(incident: Incident, slug: str) -> str:
    try:
        return reverse("runbooks:start", kwargs={"number": incident.number, "slug": slug})
    except ValueError as error:  # no address can be made of such a name
        raise Http404 from error


def _under(request: UserRequest, incident: Incident) -> int | None:
    above = bulk_queries.named(incident, numbers_in([request.GET.get("under", "")]))
    return above[0].number if above else None


def _chosen(request: UserRequest, slug: str) -> list[Document]:
    """The runbook of the address and those beside it, each once, in order.

    Raises:
        Http404: the one of the address cannot be run.
    """
    data = request.POST if request.method == "POST" else request.GET
    wanted = list(dict.fromkeys([slug, *_slugs(data.getlist("also")), *_slugs(data.getlist("add"))]))[:MOST_BOOKS]
    found = {one.slug: one for one in queries.runbooks().filter(slug__in=wanted)}
    if slug not in found:
        raise Http404
    return [found[one] for one in wanted if one in found]


def _shown(form: StartForm) -> dict[str, Any]:
    rows = form.rows
    return {
        "form": form, "rows": rows[:MOST_BOXES], "more": max(0, len(rows) - MOST_BOXES),
        "total": sum(row.is_in for row in rows), "broken": form.broken,
    }  # fmt: skip


def _page(
    request: UserRequest, incident: Incident, form: StartForm, *, is_preview: bool = False, status: int = 200
) -> HttpResponse:
    chosen = {one.pk for one in form.documents}
    context = {
        **_shown(form), "places": places.places(incident), "is_preview": is_preview, "documents": form.documents,
        "others": [one for one in queries.named()[: queries.MOST_BOOKS] if one.pk not in chosen],
        "ideas": queries.ideas(incident, form.known.values()), "is_full": len(chosen) >= MOST_BOOKS,
    }  # fmt: skip
    return answers.page(request, incident, "runbooks/_start.html", context, status=status)


def _inserted(request: UserRequest, incident: Incident, made: list[Run]) -> HttpResponse:
    entry = bulk_queries.just_made(incident, request.user, ["tickets.planted"])
    undo = answers.url("undo_batch", incident, entry=entry.seq) if entry else ""
    count = len(entry.data["tickets"]) if entry else 0
    what = f"“{made[0].of.document.title}”" if len(made) == 1 else f"{len(made)} runbooks"
    htmx.toast(request, f"{count} tickets of {what} inserted.", undo=undo)
    if htmx.is_htmx(request):
        return htmx.render(request, "components/toasts.html")
    top = made[0].ticket.number if made[0].ticket else ""
    return HttpResponseRedirect(htmx.safe_next(request, answers.url("tree", incident) + f"#t{top}"))
