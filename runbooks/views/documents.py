"""Lists of documents, one of them, writing one, and what is known of it."""

from typing import Any

from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_safe

from core import compare as comparing
from core import htmx
from core.access import granted, guarded, open_to
from core.lists import listing
from core.models.versions import Conflict
from incidents.models import Incident
from incidents.views.reading import note
from people.requests import UserRequest
from runbooks.actions import documents as actions
from runbooks.forms.documents import FactsForm, NewForm, ReasonForm
from runbooks.forms.filters import DocumentFilter
from runbooks.models import Document, DocumentKind, Version
from runbooks.placeholders import PLACEHOLDERS
from runbooks.queries import documents as queries
from runbooks.queries.use import use_of
from runbooks.views import shown
from tickets.models import Ticket
from tickets.views.answers import refused

FORM = "runbooks/documents/_form.html"
WRITERS = {"respond", "oversee", "administer"}


@require_safe
@open_to("team")
def library(request: UserRequest, kind: DocumentKind) -> HttpResponse:
    """All of one kind."""
    return _list(request, kind)


@require_safe
@open_to("team")
def search(request: UserRequest) -> HttpResponse:
    """All kinds together."""
    return _list(request)


@require_safe
@open_to("team")
def overdue(request: UserRequest) -> HttpResponse:
    """Whose review is late."""
    return _list(request, is_overdue=True)


def _list(request: UserRequest, kind: DocumentKind | None = None, *, is_overdue: bool = False) -> HttpResponse:
    data = request.GET.copy()
    if is_overdue:
        data["overdue"] = "on"
    found = DocumentFilter(data, kind=kind or "", owners=queries.owners(request.user))
    rows = queries.documents(request.user)
    context = {
        "kind": kind, "kinds": list(DocumentKind), "filter": found, "narrowed": set(found.asked) - {"q"},
        "is_overdue": is_overdue, "may_write": bool(request.user.rights & WRITERS),
        "listing": listing(request, found.narrowed(rows.filter(kind=kind) if kind else rows)),
    }  # fmt: skip
    return htmx.render(request, "runbooks/documents/list.html", context, fragment="runbooks/documents/_list.html")


@require_safe
@guarded(Document, "view")
def document(request: UserRequest, document: Document) -> HttpResponse:
    """What is in force, or the draft of what never was."""
    version = queries.version_of(document)
    if version is None:
        raise Http404
    return page(request, document, version)


def page(request: UserRequest, document: Document, version: Version, *, status: int = 200, **more: Any) -> HttpResponse:
    """One version with all that belongs to the document."""
    shelf = queries.shelf(document, request.user)
    use = use_of(document, request.user) if document.kind == DocumentKind.RUNBOOK else None
    for idea in use.suggestions if use else []:
        note(request, idea.run)  # it is a text of its incident, which may be restricted
    context = {
        "document": document, "version": version, "shelf": shelf, "approvals": queries.approvals(version),
        "may_write": "write" in request.permissions and document.archived_at is None,
        "may_decide": queries.may_decide(version, request.user, request.permissions),
        "writers": list(version.writers.all()), **_changed(document, version),
        "use": use, **more,
        **shown.text_of(document, version, request.GET.get("view", ""), use.medians if use else {}),
    }  # fmt: skip
    return htmx.render(request, "runbooks/documents/document.html", context, status=status)


def _changed(document: Document, version: Version) -> dict[str, Any]:
    """What differs from the version before the shown one, where there is one."""
    before = document.versions.filter(number__lt=version.number).first()
    if before is None:
        return {}
    return {"before": before, "after": version, "pieces": comparing.difference(before.body, version.body)}


@require_safe
@guarded(Document, "view")
def guide(request: UserRequest, document: Document) -> HttpResponse:
    """Only the text, to be read in a dialog."""
    version = queries.version_of(document)
    if version is None:
        raise Http404
    context = {"document": document, "version": version, **shown.text_of(document, version, "guide")}
    return htmx.render(
        request, "runbooks/documents/guide.html", context, fragment="runbooks/documents/_guide.html"
    )  # fmt: skip


@require_safe
@open_to("everyone")
def by_slug(request: UserRequest, slug: str) -> HttpResponse:
    """Where `[[slug]]` leads: to the document's own page."""
    found = Document.objects.visible_to(request.user).filter(slug=slug).only("kind", "slug").first()
    if found is None:
        raise Http404
    return HttpResponseRedirect(found.get_absolute_url())


@require_http_methods(["GET", "HEAD", "POST"])
@open_to("responders", "managers", "admins")
def new(request: UserRequest, kind: DocumentKind) -> HttpResponse:
    """Begin a document; `?from=` begins it with the text of another, `?slug=` with a name that others link to."""
    if request.method != "POST":
        return _new_page(request, kind, NewForm(kind=kind, initial=_first(request)))
    form = NewForm(request.POST, kind=kind)
    is_good = form.is_valid()
    if "preview" in request.POST:
        if htmx.is_htmx(request):
            return _preview(request, kind, form)
        return _new_page(request, kind, form, is_preview=True)
    made: list[Version] = []
    if is_good and not refused(
        form, lambda: made.append(actions.write_document(actor=request.user, kind=kind, **form.cleaned_data))
    ):
        htmx.toast(request, f"“{made[0].document}” is a draft now.")
        return htmx.done(request, made[0].document.get_absolute_url())
    return _new_page(request, kind, form, status=422)


def _first(request: UserRequest) -> dict[str, Any]:
    wanted = request.GET.get("slug", "")[:80]
    first: dict[str, Any] = {"slug": wanted, "title": wanted.replace("-", " ").capitalize()}
    slug = request.GET.get("from", "")
    rows = Document.objects.visible_to(request.user).filter(slug=slug.replace("\x00", ""))
    source = rows.first() if slug else None
    version = queries.version_of(source) if source else None
    if source and version:
        first |= {"title": f"Copy of {source.title}"[:200], "slug": "", "summary": source.summary}
        first |= {"body": version.body, "subject": version.subject}
        first["tags"] = list(source.tags.values_list("name", flat=True))
    return first


def _new_page(
    request: UserRequest, kind: DocumentKind, form: NewForm, *, is_preview: bool = False, status: int = 200
) -> HttpResponse:
    context = {"form": form, "is_preview": is_preview, **editor(kind, form)}
    return htmx.render(request, "runbooks/documents/new.html", context, status=status)


def editor(kind: DocumentKind, form: Any) -> dict[str, Any]:
    """What runbooks/documents/_editor.html needs."""
    body, subject = (str(form[name].value() or "") if name in form.fields else "" for name in ("body", "subject"))
    return {**shown.preview(kind, body, subject), "kind": kind, "placeholders": PLACEHOLDERS}


def _preview(request: UserRequest, kind: DocumentKind, form: Any) -> HttpResponse:
    return htmx.render(request, "runbooks/documents/_preview.html", editor(kind, form))


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Document, "write")
def facts(request: UserRequest, document: Document) -> HttpResponse:
    """Title, owner, review, what it applies to, who approves."""
    may_govern = "govern" in request.permissions
    if request.method != "POST":
        return _facts_page(request, document, FactsForm(document=document, may_govern=may_govern))
    form = FactsForm(request.POST, document=document, may_govern=may_govern)
    if not form.is_valid():
        return _facts_page(request, document, form, status=422)
    try:
        is_refused = refused(
            form, lambda: actions.edit_facts(actor=request.user, document=document, **form.changes())
        )  # fmt: skip
    except Conflict as conflict:
        names = ", ".join(str(form[name].label).lower() for name in conflict.fields)
        words = f"Somebody else changed {names} meanwhile. Look at what stands there now, and save again."
        again = FactsForm(document=Document.objects.get(pk=document.pk), may_govern=may_govern)
        return _facts_page(request, document, again, status=409, overtaken=words, mine=form)
    if is_refused:
        return _facts_page(request, document, form, status=422)
    htmx.toast(request, "Saved.")
    return htmx.done(request, document.get_absolute_url())


def _facts_page(
    request: UserRequest, document: Document, form: FactsForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    shown_now = Document.objects.get(pk=document.pk)
    context = {"document": shown_now, "form": form, **more}
    return htmx.render(request, "runbooks/documents/facts.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Document, "write")
def archive(request: UserRequest, document: Document) -> HttpResponse:
    """Out of use with a reason, or back into it."""
    form = ReasonForm(request.POST or None)
    if "restore" in request.POST:
        again = Form({})
        if refused(again, lambda: actions.restore_document(actor=request.user, document=document)):
            return htmx.done(request, document.get_absolute_url())  # somebody else was first, and it is as they wanted
        htmx.toast(request, f"“{document}” is in use again.")
        return htmx.done(request, document.get_absolute_url())
    reason = form.cleaned_data["reason"] if request.method == "POST" and form.is_valid() else ""
    if reason and not refused(
        form, lambda: actions.archive_document(actor=request.user, document=document, reason=reason)
    ):
        htmx.toast(request, f"“{document}” is archived.")
        return htmx.done(request, document.get_absolute_url())
    status = 422 if request.method == "POST" else 200
    context = {"document": document, "form": form, "heading": "Archive", "save": "Archive", "fragment": FORM}
    return htmx.render(request, "runbooks/documents/form.html", context, fragment=FORM, status=status)


@require_safe
@guarded(Document, "view")
def insert(request: UserRequest, document: Document) -> HttpResponse:
    """Choose the open incident in which the runbook shall run."""
    if document.kind != DocumentKind.RUNBOOK or document.active_id is None or document.archived_at:
        raise Http404
    rows = queries.open_incidents(request.user, granted(request.user, Incident, "work"))
    context = {"document": document, "listing": listing(request, rows)}
    return htmx.render(
        request, "runbooks/documents/insert.html", context, fragment="runbooks/documents/_insert.html"
    )  # fmt: skip


@require_safe
@guarded(Ticket, "view")
def guides(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Guidelines and procedures that could help with a ticket."""
    context = {"incident": ticket.incident, "ticket": ticket, "guides": queries.guides_for(ticket, request.user)}
    return htmx.render(
        request, "runbooks/documents/guides.html", context, fragment="runbooks/documents/_guides.html"
    )  # fmt: skip
