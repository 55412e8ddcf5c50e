"""Pages around one form of an incident: the page, or for htmx only the form (it opens in the dialog)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse

from core.htmx import is_htmx, render
from incidents.models import Incident
from incidents.queries.incidents import head
from people.requests import UserRequest

FORM = "incidents/_form.html"


def form_page(
    request: UserRequest,
    incident: Incident,
    form: forms.Form,
    *,
    heading: str,
    fragment: str = FORM,
    status: int = 200,
    tab: str = "overview",
    back: str = "",
    **more: Any,
) -> HttpResponse:
    """The form on a page of the incident; 422 where it was refused."""
    frame = {"incident": incident} if is_htmx(request) else head(incident, tab)
    context = {
        **frame, "form": form, "heading": heading, "fragment": fragment, "action": request.path, "save": "Save",
        "cancel_url": back or incident.get_absolute_url(), **more,
    }  # fmt: skip
    return render(request, "incidents/form.html", context, fragment=fragment, status=status)


def refuse(form: forms.Form, error: ValidationError) -> None:
    """Put what an action refused on top of the form."""
    form.add_error(None, ValidationError(error.messages))
