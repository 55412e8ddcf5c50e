"""Ideas for the next version: who writes it says what becomes of them."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from core import htmx
from core.access import guarded
from people.requests import UserRequest
from runbooks.actions.suggestions import answer_suggestion
from runbooks.forms.runs import AnswerForm
from runbooks.models import Suggestion
from runbooks.queries import documents as queries
from runbooks.views.documents import page


def _with_document(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("run__of__document")


@require_POST
@guarded(Suggestion, "write", along=_with_document)
def answer(request: UserRequest, suggestion: Suggestion) -> HttpResponse:
    """Taken, or declined."""
    document, form = suggestion.run.of.document, AnswerForm(request.POST)
    wrong = [] if form.is_valid() else ["Say whether the suggestion is taken or declined."]
    if not wrong:
        try:
            answer_suggestion(actor=request.user, suggestion=suggestion, state=form.cleaned_data["state"])
        except ValidationError as error:
            wrong = error.messages
    if not wrong:
        htmx.toast(request, f"The suggestion is {form.cleaned_data['state'].value}.")
        return htmx.done(request, document.get_absolute_url())
    version = queries.version_of(document)
    if version is None:
        raise Http404
    return page(request, document, version, status=422, wrong=wrong)
