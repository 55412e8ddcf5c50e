"""The bell and the page behind it."""

from django.http import HttpResponse
from django.shortcuts import render as render_page
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from comms.actions.notifications import mark_read
from comms.forms.notifications import ReadForm
from comms.models import Notification
from comms.queries.bell import bell
from core.access import open_to
from core.htmx import done, not_modified, render
from core.lists import listing
from people.requests import UserRequest


@require_safe
@open_to("everyone")
def notifications(request: UserRequest) -> HttpResponse:
    """What the person was told of, newest first."""
    rows = Notification.objects.visible_to(request.user).select_related("incident", "document", "ticket__incident")
    context = {"listing": listing(request, rows), "unread": bell(request.user).unread}
    return render(request, "comms/notifications/list.html", context)


@require_POST
@open_to("everyone")
def read(request: UserRequest) -> HttpResponse:
    """Mark one as read and go where it leads, or mark all."""
    form = ReadForm(request.POST)
    page = reverse("comms:notifications")
    if not form.is_valid():
        return done(request, page)
    pk = form.cleaned_data["notification"]
    mark_read(user=request.user, pks=[pk] if pk else None)
    found = (
        Notification.objects.visible_to(request.user)
        .select_related("incident", "document", "ticket__incident")
        .filter(pk=pk)
    )
    return done(request, found[0].url if pk and found else page)


@require_safe
@open_to("everyone")
def count(request: UserRequest) -> HttpResponse:
    """How many are new, for the bell of every page; 304 while nothing changed."""
    now = bell(request.user)
    return not_modified(request, now.tag) or render_page(
        request, "components/bell.html", {"unread": now.unread, "tag": now.tag}
    )
