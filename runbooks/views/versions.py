"""Versions: writing the next one, comparing two, asking for approval and deciding."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import compare as comparing
from core import htmx
from core.access import guarded
from core.models.versions import Conflict
from incidents.views.reading import note
from people.requests import UserRequest
from people.views.drafts import drafted
from runbooks.actions import reviews as review_actions
from runbooks.actions import versions as actions
from runbooks.forms.documents import DecideForm, ReviewForm, TextForm
from runbooks.models import Document, DocumentKind, Version, VersionState
from runbooks.queries import documents as queries
from runbooks.queries.runs import open_suggestions
from runbooks.views.documents import FORM, editor
from runbooks.views.documents import page as document_page
from tickets.views.answers import refused


@require_safe
@guarded(Version, "view")
def version(request: UserRequest, version: Version) -> HttpResponse:
    """One version, however old."""
    document = version.document
    return document_page(request, document, _shown(document, version.number))


def _shown(document: Document, number: int | None = None) -> Version:
    found = queries.version_of(document, number)
    if found is None:
        raise Http404
    return found


def _coming(document: Document) -> Version | None:
    return document.versions.filter(state__in=queries.NEXT).first()


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Document, "write")
@drafted("body")
def edit(request: UserRequest, document: Document) -> HttpResponse:
    """Write the next version: the draft there is, or a new one that begins with the text in force."""
    kind = DocumentKind(document.kind)
    if request.method != "POST":
        return _edit_page(request, document, TextForm(kind=kind, initial=_first(document)))
    form = TextForm(request.POST, kind=kind)
    is_good = form.is_valid()
    if "preview" in request.POST:
        if htmx.is_htmx(request):
            return htmx.render(request, "runbooks/documents/_preview.html", editor(kind, form))
        return _edit_page(request, document, form, is_preview=True)
    if not is_good:
        return _edit_page(request, document, form, status=422)
    return _save(request, document, form)


def _save(request: UserRequest, document: Document, form: TextForm) -> HttpResponse:
    saved: list[Version] = []
    try:
        is_refused = refused(
            form, lambda: saved.append(actions.edit_draft(actor=request.user, document=document, **form.cleaned_data))
        )
    except Conflict as conflict:
        return _overtaken(request, document, form, conflict)
    if is_refused:
        return _edit_page(request, document, form, status=422)
    if "submit" in request.POST and refused(form, lambda: actions.submit(actor=request.user, draft=saved[0])):
        _renew(form, saved[0])
        return _edit_page(request, document, form, status=422, saved=saved[0])
    said = "is submitted: somebody else has to approve it." if "submit" in request.POST else "is saved as a draft."
    htmx.toast(request, f"Version {saved[0].number} {said}")
    return htmx.done(request, saved[0].get_absolute_url())


def _renew(form: TextForm, draft: Version) -> None:
    """The same form again, now knowing the version of the row that its reader sees."""
    data = QueryDict(mutable=True)
    data.update({name: form.data.get(name, "") for name in form.fields})
    data["version"] = str(draft.version)
    form.data = data


def _first(document: Document) -> dict[str, Any]:
    """What the form begins with."""
    coming = _coming(document)
    if coming and coming.state == VersionState.DRAFT:
        names = ("version", "subject", "body", "change_note")
        return {name: getattr(coming, name) for name in names}
    before = queries.version_of(document)
    return {"body": before.body, "subject": before.subject} if before else {}


def _edit_page(
    request: UserRequest,
    document: Document,
    form: TextForm,
    *,
    status: int = 200,
    is_preview: bool = False,
    **more: Any,
) -> HttpResponse:
    coming, last = _coming(document), document.versions.first()
    number = coming.number if coming else (last.number if last else 0) + 1
    suggestions = open_suggestions(document, request.user)
    for idea in suggestions:
        note(request, idea.run)  # it is a text of its incident, which may be restricted
    context = {
        "document": document, "form": form, "coming": coming, "number": number, "is_preview": is_preview,
        "suggestions": suggestions,
        **editor(DocumentKind(document.kind), form), **more,
    }  # fmt: skip
    return htmx.render(request, "runbooks/documents/edit.html", context, status=status)


def _overtaken(request: UserRequest, document: Document, form: TextForm, conflict: Conflict) -> HttpResponse:
    """Somebody saved first: what differs, and the form with what was typed; saving again replaces theirs."""
    theirs: Any = conflict.theirs
    _renew(form, theirs)
    pieces = comparing.difference(theirs.body, form.cleaned_data["body"])
    return _edit_page(request, document, form, status=409, theirs=theirs, pieces=pieces, is_overtaken=True)


@require_safe
@guarded(Document, "view")
def compare(request: UserRequest, document: Document) -> HttpResponse:
    """Two versions, line by line; without numbers the newest and the one before."""
    numbers = list(document.versions.values_list("number", flat=True))
    new = _number(request.GET.get("to"), numbers) or numbers[0]
    old = _number(request.GET.get("from"), numbers) or next((n for n in numbers if n < new), new)
    before, after = _shown(document, old), _shown(document, new)
    context = {
        "document": document, "numbers": numbers, "before": before, "after": after,
        "pieces": comparing.difference(_whole(before), _whole(after)),
    }  # fmt: skip
    return htmx.render(request, "runbooks/documents/compare.html", context)


def _number(text: str | None, known: list[int]) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 and int(text) in known else None


def _whole(version: Version) -> str:
    return f"Subject: {version.subject}\n\n{version.body}" if version.subject else version.body


# -- Deciding ---------------------------------------------------------------------------------------------------------
@require_POST
@guarded(Document, "write")
def submit(request: UserRequest, document: Document) -> HttpResponse:
    """Ask for approval of the draft."""
    return _step(request, document, actions.submit, "is submitted: somebody else has to approve it.")


@require_POST
@guarded(Document, "write")
def withdraw(request: UserRequest, document: Document) -> HttpResponse:
    """Take back what was submitted."""
    return _step(request, document, actions.withdraw, "is a draft again.")


@require_POST
@guarded(Document, "write")
def activate(request: UserRequest, document: Document) -> HttpResponse:
    """Put in force what is approved."""
    return _step(request, document, actions.activate, "is in force.")


def _step(request: UserRequest, document: Document, act: Callable[..., Version], said: str) -> HttpResponse:
    draft = _coming(document)
    if draft is None:
        return document_page(request, document, _shown(document), status=422, wrong=["There is no next version."])
    try:
        act(actor=request.user, draft=draft)
    except ValidationError as error:
        return document_page(request, document, _shown(document, draft.number), status=422, wrong=error.messages)
    htmx.toast(request, f"Version {draft.number} {said}")
    return htmx.done(request, reverse("runbooks:version", kwargs=_parts(document, draft)))


def _parts(document: Document, version: Version) -> dict[str, Any]:
    return {"kind": document.kind, "slug": document.slug, "version": version.number}


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Document, "approve")
def approve(request: UserRequest, document: Document) -> HttpResponse:
    """Agree, or send back, with a comment."""
    draft = _coming(document)
    now = {"seen": draft.seen if draft else ""}
    read = {"seen": request.GET.get("seen") or now["seen"]}  # as the page was when its reader chose to decide
    form = DecideForm(request.POST if request.method == "POST" else None, initial=read)
    if (
        request.method == "POST"
        and draft
        and form.is_valid()
        and not refused(form, lambda: _decide(request, draft, form))
    ):
        htmx.toast(request, f"You decided on version {draft.number}.")
        return htmx.done(request, reverse("runbooks:version", kwargs=_parts(document, draft)))
    status = 422 if request.method == "POST" else 200
    if form.is_bound:
        form.data = {**request.POST.dict(), **now}  # what is shown now is what a second click approves
    context = {"document": document, "draft": draft, "form": form, "fragment": "runbooks/documents/_approve.html"}
    return htmx.render(
        request, "runbooks/documents/form.html", {**context, "heading": "Approve"},
        fragment="runbooks/documents/_approve.html", status=status,
    )  # fmt: skip


def _decide(request: UserRequest, draft: Version, form: DecideForm) -> None:
    comment = form.cleaned_data["comment"]
    if "send_back" in request.POST:
        actions.send_back(actor=request.user, draft=draft, comment=comment)
    else:
        actions.approve(actor=request.user, draft=draft, **form.cleaned_data)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Document, "write")
def review(request: UserRequest, document: Document) -> HttpResponse:
    """Record that one has looked at it."""
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if (
        request.method == "POST"
        and form.is_valid()
        and not refused(
            form,
            lambda: review_actions.record_review(actor=request.user, document=document, note=form.cleaned_data["note"]),
        )
    ):
        htmx.toast(request, "The review is recorded.")
        return htmx.done(request, document.get_absolute_url())
    context = {"document": document, "form": form, "heading": "Record a review", "save": "Record", "fragment": FORM}
    status = 422 if request.method == "POST" else 200
    return htmx.render(request, "runbooks/documents/form.html", context, fragment=FORM, status=status)
