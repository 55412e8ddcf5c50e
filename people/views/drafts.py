"""Forms that keep what is being written in them: one line, `@drafted("body")`, below the guard of a form's view."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse

from people.actions import drafts as actions
from people.forms.drafts import DraftForm
from people.requests import UserRequest

FormView = Callable[..., HttpResponse]


def drafted(*fields: str) -> Callable[[FormView], FormView]:
    """Keep drafts of these fields, for each person, at the form's own address.

    A POST that says `draft` (which field) and `text` keeps one and saves nothing; what is guarded is the form, so
    whoever may not use it any more neither keeps nor sees a draft of it. Saving the form forgets the draft.
    """

    def decorate(view: FormView) -> FormView:
        @wraps(view)
        def run(request: UserRequest, found: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "POST" and "draft" in request.POST:
                return _keep(request, fields)
            response = view(request, found, **kwargs)
            if request.method == "POST" and _is_saved(request, response):
                sent = [name for name in fields if name in request.POST]
                actions.forget(user=request.user, path=request.path, fields=sent)
            return response

        run.drafts = fields  # type: ignore[attr-defined]
        return run

    return decorate


def _is_saved(request: UserRequest, response: HttpResponse) -> bool:
    """A form that is refused says so by its status; one that only shows how it would look was asked to."""
    return response.status_code < 400 and "preview" not in request.POST


def _keep(request: UserRequest, fields: tuple[str, ...]) -> HttpResponse:
    form = DraftForm(request.POST, path=request.path, fields=fields)
    if not form.is_valid():
        return HttpResponse("This draft cannot be kept.", status=422, content_type="text/plain")
    data = form.cleaned_data
    actions.keep(
        user=request.user, path=request.path, field=data["draft"], text=data["text"], version=data["version"] or 0
    )
    return HttpResponse(status=204)
