"""Quick add: pasted task lines become a branch, which is shown before it is made."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from core import htmx
from core.access import guarded
from incidents.models import Incident
from people.requests import UserRequest
from runbooks.actions.starts import sow
from runbooks.forms.quick import QuickForm
from runbooks.queries import quick as queries
from tickets.forms.bulk import numbers_in
from tickets.models import Ticket
from tickets.queries import bulk as bulk_queries
from tickets.views import answers

MOST_SHOWN = 200  # rows of the preview


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "work")
def quick(request: UserRequest, incident: Incident) -> HttpResponse:
    """`?parent=104` says below what. `preview` shows what would become of the text, and makes nothing."""
    if request.method != "POST":
        above = bulk_queries.named(incident, numbers_in([request.GET.get("parent", "")]))
        first = {"parent": f"#{above[0].number} {above[0].title}" if above else ""}
        return _page(request, incident, QuickForm(initial=first, incident=incident))
    form = QuickForm(request.POST, incident=incident)
    is_good = form.is_valid()
    if "preview" in request.GET:
        return htmx.render(request, "runbooks/_planted.html", {"incident": incident, **_shown(form)})
    if "preview" in request.POST:
        return _page(request, incident, form, is_preview=True)
    made: list[Ticket] = []
    if is_good and not answers.refused(
        form,
        lambda: made.extend(
            sow(actor=request.user, incident=incident, parent=form.cleaned_data["parent"], seeds=form.seeds).tickets
        ),
    ):
        return _planted(request, incident, made)
    return _page(request, incident, form, status=422)


def _shown(form: QuickForm) -> dict[str, Any]:
    """The branch as it will be, level by level, and what is wrong with its text."""
    rows = [(one, range(one.depth - 1)) for one in form.sprouts[:MOST_SHOWN]]
    return {
        "form": form, "rows": rows, "total": len(form.seeds), "more": max(0, len(form.seeds) - MOST_SHOWN),
        "problems": form.problems, "values": form.values,
    }  # fmt: skip


def _page(
    request: UserRequest, incident: Incident, form: QuickForm, *, is_preview: bool = False, status: int = 200
) -> HttpResponse:
    context = {**_shown(form), "places": queries.places(incident), "is_preview": is_preview}
    return answers.page(request, incident, "runbooks/_quick.html", context, status=status)


def _planted(request: UserRequest, incident: Incident, made: list[Ticket]) -> HttpResponse:
    entry = bulk_queries.just_made(incident, request.user, ["tickets.planted"])
    undo = answers.url("undo_batch", incident, entry=entry.seq) if entry else ""
    htmx.toast(request, "1 ticket added." if len(made) == 1 else f"{len(made)} tickets added.", undo=undo)
    if htmx.is_htmx(request):
        return htmx.render(request, "components/toasts.html")
    return HttpResponseRedirect(htmx.safe_next(request, answers.url("tree", incident) + f"#t{made[0].number}"))
