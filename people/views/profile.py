"""A person's own page."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from core.access import open_to
from core.htmx import done, render, toast
from people.actions import people as actions
from people.forms.people import ProfileForm
from people.models import User
from people.requests import UserRequest


@require_http_methods(["GET", "HEAD", "POST"])
@open_to("everyone")
def profile(request: UserRequest) -> HttpResponse:
    """Name, job title, phone, time zone, density, shortcuts; and the way to password, second factor and sessions."""
    mine = User.objects.get(pk=request.user.pk)  # validation writes into the form's instance, not into request.user
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=mine)
    if request.method == "POST" and form.is_valid():
        actions.change_details(actor=request.user, person=request.user, fields=form.cleaned_data)
        toast(request, "Saved.")
        return done(request, request.path)
    status = 422 if request.method == "POST" else 200
    return render(request, "account/profile.html", {"form": form}, status=status)


@open_to("anyone")
def nothing(request: HttpRequest, **_: str) -> HttpResponse:
    """What the login library offers and we do not: signing up, changing the address by oneself, logging in by mail."""
    raise Http404
