"""The board of an incident: its leaf tickets in columns, to be dragged from one to the next."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from core import htmx
from core.access import guarded
from incidents.models import Incident
from incidents.queries.incidents import fetched_tag, tagged
from people.requests import UserRequest
from tickets.queries import board as boards
from tickets.queries import frame as frames
from tickets.queries.outline import outline
from tickets.queries.vocabulary import statuses
from tickets.views import answers


@require_safe
@guarded(Incident, "view", along=tagged())
def board(request: UserRequest, incident: Incident) -> HttpResponse:
    """`?show=` `?branch=` filter it, `?group=` makes lanes, `?done=all` and `?dropped=1` show more. With htmx what is
    polled of it.
    """
    if htmx.is_htmx(request):
        tag = fetched_tag(incident)
        if unchanged := htmx.not_modified(request, tag):
            return unchanged
        response = htmx.render(
            request, "tickets/_board.html", {**_context(request, incident), "tag": tag, "alone": True}
        )
        response["HX-PTag"] = tag
        return response
    frame = frames.frame(incident)  # before the rows: a tag is never newer than what it stands for
    context = _context(request, incident) | {"team": frame.team, "tag": frame.tag}
    return htmx.render(request, "tickets/board.html", context)


def _asked(query: QueryDict) -> boards.Asked:
    show, group, branch = (query.get(name, "") for name in ("show", "group", "branch"))
    return boards.Asked(
        show=show if show in boards.SHOWS else "all", group=group if group in boards.GROUPS else "status",
        branch=int(branch) if branch.isascii() and branch.isdigit() and len(branch) < 10 else 0,
        all_done=query.get("done") == "all", dropped=query.get("dropped") == "1",
    )  # fmt: skip


def _said(asked: boards.Asked, **other: str) -> str:
    """The query string of a board; what is usual is left out."""
    said = {
        "show": asked.show if asked.show != "all" else "", "group": asked.group if asked.group != "status" else "",
        "branch": str(asked.branch or ""), "done": "all" if asked.all_done else "",
        "dropped": "1" if asked.dropped else "", **other,
    }  # fmt: skip
    return urlencode({name: value for name, value in said.items() if value})


def _context(request: UserRequest, incident: Incident) -> dict[str, Any]:
    asked = _asked(request.GET)
    found = outline(incident, user_id=request.user.pk)
    shown = boards.board(found, statuses(), asked=asked, reader=request.user)
    return {
        "incident": incident, "tab": "board", "board": shown, "asked": asked, "now": found.now,
        "query": _said(asked), "can_work": "work" in request.permissions and incident.is_open,
        "base": answers.url("tree", incident).removesuffix("tree/") + "tickets/", "has_tickets": bool(found.rows),
        "pills": [(key, words, count, _said(asked, show=key)) for key, words, count in shown.pills],
        "groups": [(key, words, _said(asked, group=key)) for key, words in boards.GROUPS.items()],
        "done_query": _said(asked, done="" if asked.all_done else "all"),
        "dropped_query": _said(asked, dropped="" if asked.dropped else "1"),
    }  # fmt: skip
