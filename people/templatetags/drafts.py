"""Drafts in forms: whoever opens a form again is offered what they left in it."""

from typing import Any

from django import forms, template
from django.http import HttpRequest

from people.models import Draft
from people.queries.drafts import drafts_at, kept_fields

register = template.Library()


@register.simple_tag(takes_context=True)
def offer_drafts(context: template.Context, form: forms.BaseForm) -> str:
    """Mark the fields of the form of this page of which drafts are kept, with the draft that its reader left (`draft`).

    `?draft=` takes the draft into the field, for who has no script. Its version goes with it: what others saved since
    it was begun is compared, not overwritten.
    """
    request: HttpRequest | None = getattr(context, "request", None)
    names = [name for name in kept_fields(request.path) if name in form.fields] if request else []
    if request is None or not names:
        return ""
    found = {} if form.is_bound or not request.user.is_authenticated else drafts_at(request.user, request.path)
    for name in names:
        field: Any = form.fields[name]
        field.widget.attrs["data-draft"] = name
        draft = found.get(name)
        if draft is None or draft.text == (form.get_initial_for_field(field, name) or ""):
            continue
        if request.GET.get("draft") == name:
            form.initial = {**form.initial, name: draft.text}
            if draft.version:
                form.initial["version"] = draft.version
        else:
            field.draft = draft
    return ""


@register.simple_tag(takes_context=True)
def draft_at(context: template.Context, path: str, name: str) -> Draft | None:
    """The reader's draft in the form at this address, for a field that stands on another page."""
    request: HttpRequest | None = getattr(context, "request", None)
    if request is None or not request.user.is_authenticated:
        return None
    return drafts_at(request.user, path).get(name)
