"""The organisations incidents are handled for, and their people."""

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from core.access import guarded, open_to
from core.htmx import done, render, toast
from core.lists import listing
from people.actions import customers as actions
from people.forms.customers import CustomerForm, EditCustomerForm
from people.models import Customer
from people.queries import people as queries
from people.requests import UserRequest


@require_safe
@open_to("team")
def customers(request: UserRequest) -> HttpResponse:
    """All of them."""
    return render(request, "people/customers/list.html", {"listing": listing(request, queries.customers())})


@require_safe
@guarded(Customer, "view")
def customer(request: UserRequest, found: Customer) -> HttpResponse:
    """One customer with its people."""
    context = {
        "customer": found,
        "listing": listing(request, queries.contacts(found)),
        "invitations": list(queries.invitations(customer=found)),
    }
    return render(request, "people/customers/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@open_to("admins")
def add_customer(request: UserRequest) -> HttpResponse:
    """Add an organisation."""
    form = CustomerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            added = actions.add_customer(actor=request.user, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            toast(request, f"{added} is added.")
            return done(request, added.get_absolute_url())
    status = 422 if request.method == "POST" else 200
    return render(request, "people/customers/form.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Customer, "administer")
def edit_customer(request: UserRequest, found: Customer) -> HttpResponse:
    """Change an organisation."""
    shown = Customer.objects.get(pk=found.pk)  # validation writes into the form's instance; the page names the real one
    form = EditCustomerForm(request.POST if request.method == "POST" else None, instance=shown)
    if request.method == "POST" and form.is_valid():
        try:
            changed = actions.change_customer(actor=request.user, customer=found, fields=form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            toast(request, "Saved.")
            return done(request, changed.get_absolute_url())
    status = 422 if request.method == "POST" else 200
    return render(request, "people/customers/form.html", {"form": form, "customer": found}, status=status)
