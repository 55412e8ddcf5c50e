"""Our people: the list, a person's page, and what admins do there."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from core.access import guarded, open_to
from core.htmx import done, render, toast
from core.lists import listing
from people.actions import people as actions
from people.forms.people import DetailsForm, GroupsForm
from people.models import User
from people.queries import people as queries
from people.requests import UserRequest


def _page(request: UserRequest, person: User, *, refused: str = "", status: int = 200, **forms: Any) -> HttpResponse:
    facts = queries.person(person)
    context = {
        "person": person, **facts, "refused": refused,
        "details_form": forms.get("details_form") or DetailsForm(instance=person),
        "groups_form": forms.get("groups_form") or GroupsForm(initial={"groups": facts["groups"]}),
    }  # fmt: skip
    return render(request, "people/people/detail.html", context, status=status)


def _back(request: UserRequest, person: User, text: str) -> HttpResponse:
    toast(request, text)
    return done(request, reverse("people:person", kwargs={"user": person.pk}))


@require_safe
@open_to("team")
def team(request: UserRequest) -> HttpResponse:
    """Our own people, and who was invited."""
    context = {"listing": listing(request, queries.team()), "invitations": list(queries.invitations())}
    return render(request, "people/people/list.html", context)


@require_safe
@guarded(User, "view")
def person(request: UserRequest, found: User) -> HttpResponse:
    """One person."""
    return _page(request, found)


@require_POST
@guarded(User, "administer")
def groups(request: UserRequest, found: User) -> HttpResponse:
    """Change what somebody may do."""
    form = GroupsForm(request.POST)
    if form.is_valid():
        try:
            actions.set_groups(actor=request.user, person=found, groups=form.cleaned_data["groups"])
        except ValidationError as refused:
            form.add_error("groups", refused.messages)
        else:
            return _back(request, found, f"Groups of {found} changed.")
    return _page(request, found, groups_form=form, status=422)


@require_POST
@guarded(User, "administer")
def details(request: UserRequest, found: User) -> HttpResponse:
    """Change name, job title and phone."""
    form = DetailsForm(request.POST, instance=User.objects.get(pk=found.pk))
    if not form.is_valid():
        return _page(request, found, details_form=form, status=422)
    actions.change_details(actor=request.user, person=found, fields=form.cleaned_data)
    return _back(request, found, "Saved.")


@require_POST
@guarded(User, "administer")
def disable(request: UserRequest, found: User) -> HttpResponse:
    """Lock somebody out."""
    try:
        actions.disable(actor=request.user, person=found)
    except ValidationError as refused:
        return _page(request, found, refused=" ".join(refused.messages), status=422)
    return _back(request, found, f"{found} is disabled and logged out everywhere.")


@require_POST
@guarded(User, "administer")
def enable(request: UserRequest, found: User) -> HttpResponse:
    """Let somebody in again."""
    actions.enable(actor=request.user, person=found)
    return _back(request, found, f"{found} may log in again.")


@require_POST
@guarded(User, "administer")
def end_sessions(request: UserRequest, found: User) -> HttpResponse:
    """Log somebody out everywhere."""
    actions.end_sessions(actor=request.user, person=found)
    return _back(request, found, f"{found} is logged out everywhere.")
