"""My work: what one person has to do, over all their incidents."""

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from core import htmx
from core.access import open_to
from people.requests import UserRequest
from reporting.actions.looks import see_all
from reporting.queries import my as queries


@require_safe
@open_to("team")
def my(request: UserRequest) -> HttpResponse:
    """My tickets by urgency, and what waits for me; 304 while nothing changed."""
    tag = queries.tag(request.user)
    unchanged = htmx.not_modified(request, tag)
    if unchanged:
        return unchanged
    context = {"my": queries.my(request.user), "tag": tag}
    return htmx.render(request, "reporting/my/page.html", context, fragment="reporting/my/_my.html")


@require_safe
@open_to("team")
def news(request: UserRequest) -> HttpResponse:
    """What others did in my incidents since I last looked at them."""
    tag = queries.tag(request.user)
    return htmx.not_modified(request, tag) or _news(request, tag)


def _news(request: UserRequest, tag: str) -> HttpResponse:
    context = {"news": queries.news(request.user), "tag": tag, "most": queries.MOST_NEWS}
    return htmx.render(request, "reporting/my/news.html", context, fragment="reporting/my/_news.html")


@require_POST
@open_to("team")
def seen(request: UserRequest) -> HttpResponse:
    """I know all of it: nothing of my incidents is new to me."""
    see_all(user=request.user, incidents=queries.my_incidents(request.user))
    if htmx.is_htmx(request):
        return _news(request, queries.tag(request.user))
    return htmx.done(request, reverse("reporting:my"))
