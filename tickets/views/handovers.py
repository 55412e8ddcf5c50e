"""Handing tickets over: offering them, and answering an offer."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST

from core import htmx
from core.access import guarded
from incidents.models import Incident
from people.models import User
from people.requests import UserRequest
from people.views.drafts import drafted
from tickets.actions import handovers as actions
from tickets.forms.handovers import ONE, DeclineForm, HandOverForm
from tickets.models import Handover, Ticket
from tickets.queries import frame as frames
from tickets.queries.handovers import offerable
from tickets.views import answers


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
@drafted("note")
def hand_over(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Offer one ticket, or all that its assignee has here: one's own, or as a lead of the incident anybody's."""
    giver = ticket.assignee
    if giver is None:
        form = forms.Form({})
        form.add_error(None, f"#{ticket.number} is nobody's yet: assign it instead of handing it over.")
        return answers.page(request, ticket.incident, "refused", {"form": form, "ticket": ticket}, status=422)
    if giver.pk != request.user.pk and "lead" not in request.permissions:
        raise PermissionDenied
    form_of = partial(HandOverForm, ticket=ticket, giver=giver, numbers=offerable(ticket.incident, giver))
    if request.method != "POST":
        return _offer_page(request, ticket, form_of())
    offer = form_of(request.POST)
    if not offer.is_of_giver:
        return _offer_page(request, ticket, _anew(request, form_of, ticket, giver), status=409)
    if offer.is_valid():
        receiver, note = offer.cleaned_data["receiver"], offer.cleaned_data["note"]
        if not answers.refused(
            offer,
            lambda: actions.hand_over(
                actor=request.user, incident=ticket.incident, numbers=offer.numbers, receiver=receiver, note=note,
                giver=giver,
            ),
        ):  # fmt: skip
            words = f"{actions.named(offer.numbers)} offered to {receiver}."
            return answers.saved(request, ticket, f"{words} Until they accept, nothing changes.")
    return _offer_page(request, ticket, offer, status=422)


def _anew(request: UserRequest, form_of: Callable[..., HandOverForm], ticket: Ticket, giver: User) -> HandOverForm:
    """The form about the tickets of who has it now, with what was typed: all of theirs is never chosen by itself."""
    data = request.POST.copy()
    data["giver"], data["what"] = str(giver.pk), ONE
    form = form_of(data)
    words = (
        f"#{ticket.number} was given to {giver} meanwhile: nothing was offered. Offer it if it shall go on from there."
    )
    form.add_error(None, words)
    return form


def _offer_page(request: UserRequest, ticket: Ticket, form: HandOverForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "ticket": ticket, "giver": ticket.assignee}
    return _page(request, ticket.incident, "hand_over", context, status=status)


def _page(
    request: UserRequest, incident: Incident, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A form: alone for the dialog, or on a page of the incident."""
    fragment = f"tickets/handovers/_{name}.html"
    context = {"incident": incident, "tab": "tree", "fragment": fragment, **context}
    if not htmx.is_htmx(request):
        frame = frames.frame(incident)
        context |= {"team": frame.team, "tag": frame.tag}
    return htmx.render(request, "tickets/page.html", context, fragment=fragment, status=status)


def _answered(
    request: UserRequest, handover: Handover, act: Callable[[], object], text: Callable[[], str]
) -> HttpResponse:
    form = forms.Form({})
    if answers.refused(form, act):
        context = {"form": form, "ticket": handover.tickets.select_related("incident").first()}
        return answers.page(request, handover.incident, "refused", context, status=422)
    return _done(request, handover, text())


def _done(request: UserRequest, handover: Handover, text: str) -> HttpResponse:
    htmx.toast(request, text)
    if htmx.is_htmx(request):
        return htmx.render(request, "components/toasts.html")
    first = handover.tickets.select_related("incident").order_by("number").first()
    return HttpResponseRedirect(htmx.safe_next(request, (first or handover.incident).get_absolute_url()))


@require_POST
@guarded(Handover, "view")
def accept(request: UserRequest, handover: Handover) -> HttpResponse:
    """Take the tickets over: the receiver alone says so."""
    if handover.receiver_id != request.user.pk:
        raise PermissionDenied
    done: list[actions.Taken] = []

    def words() -> str:
        left = f" No longer to be had: {actions.named(done[0].left)}." if done[0].left else ""
        return f"You took over {actions.named(done[0].taken) or 'nothing'}.{left}"

    return _answered(
        request, handover, lambda: done.append(actions.accept_handover(actor=request.user, handover=handover)), words
    )


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Handover, "view")
def decline(request: UserRequest, handover: Handover) -> HttpResponse:
    """Say no, and why: the receiver alone."""
    if handover.receiver_id != request.user.pk:
        raise PermissionDenied
    form = DeclineForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = form.cleaned_data["answer"]
        if not answers.refused(
            form, lambda: actions.decline_handover(actor=request.user, handover=handover, answer=answer)
        ):
            return _done(request, handover, "Declined. Whoever offered it is told.")
    numbers = actions.named(handover.tickets.values_list("number", flat=True))
    context = {"form": form, "handover": handover, "numbers": numbers}
    status = 422 if request.method == "POST" else 200
    return _page(request, handover.incident, "decline", context, status=status)


@require_POST
@guarded(Handover, "work")
def withdraw(request: UserRequest, handover: Handover) -> HttpResponse:
    """Take an offer back: whose tickets they are, or a lead of the incident."""
    if handover.giver_id != request.user.pk and "lead" not in request.permissions:
        raise PermissionDenied
    return _answered(
        request, handover, lambda: actions.withdraw_handover(actor=request.user, handover=handover),
        lambda: "Taken back: nothing changes hands.",
    )  # fmt: skip
