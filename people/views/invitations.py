"""Inviting people, and accepting an invitation."""

from allauth.account.utils import perform_login
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from core.access import guarded, open_to
from core.actors import Machine
from core.htmx import done, render, toast
from people.actions import invitations as actions
from people.forms.invitations import AcceptForm, InviteForm
from people.models import Customer, Invitation
from people.models.invitations import digest
from people.requests import UserRequest


@require_http_methods(["GET", "HEAD", "POST"])
@open_to("admins")
@sensitive_variables("token")
def invite(request: UserRequest) -> HttpResponse:
    """Invite somebody; the answer shows the link, this once."""
    if request.method != "POST":
        customer = Customer.objects.active().filter(slug=request.GET.get("customer", "")).first()
        form = InviteForm(initial={"customer": customer})
        return render(request, "people/invitations/form.html", {"form": form})
    form = InviteForm(request.POST)
    if form.is_valid():
        try:
            invitation, token = actions.invite(actor=request.user, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            told = {"invitation": invitation, "link": Invitation.link(token)}
            return render(request, "people/invitations/sent.html", told, status=201)
    return render(request, "people/invitations/form.html", {"form": form}, status=422)


@require_POST
@guarded(Invitation, "administer")
def revoke(request: UserRequest, invitation: Invitation) -> HttpResponse:
    """Take an invitation back."""
    try:
        actions.revoke(actor=request.user, invitation=invitation)
    except ValidationError as refused:
        toast(request, " ".join(refused.messages))
    else:
        toast(request, f"The invitation of {invitation.name} is revoked.")
    to = invitation.customer.get_absolute_url() if invitation.customer else reverse("people:team")
    return done(request, to)


@require_http_methods(["GET", "HEAD", "POST"])
@open_to("anyone")
@sensitive_post_parameters("password", "again")
@sensitive_variables("token", "form")
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Set a name and a password, once. Unknown, used, revoked and expired links look the same: 404."""
    invitation = Invitation.objects.open().filter(token_digest=digest(token)).first()
    if invitation is None:
        raise Http404
    form = AcceptForm(request.POST or None, invitation=invitation, initial={"name": invitation.name})
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.accept(
                actor=Machine("invitation", f"Invitation of {invitation.email}", invitation.pk), token=token,
                username=form.cleaned_data["username"], name=form.cleaned_data["name"],
                password=form.cleaned_data["password"],
            )  # fmt: skip
        except Invitation.DoesNotExist as gone:
            raise Http404 from gone
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            response: HttpResponse = perform_login(request, user)
            return response
    told = {"form": form, "invitation": invitation}
    return render(request, "people/invitations/accept.html", told, status=422 if request.method == "POST" else 200)
