"""One URL, two shapes: a page, or with htmx the fragment of it that was asked for."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_page
from django.utils.http import url_has_allowed_host_and_scheme


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asked (a fragment is wanted, not a page)."""
    return request.headers.get("HX-Request") == "true"


def render(
    request: HttpRequest, page: str, context: dict[str, Any] | None = None, *, fragment: str = "", status: int = 200
) -> HttpResponse:
    """The page, or for htmx its fragment where there is one."""
    response = render_page(request, fragment if fragment and is_htmx(request) else page, context, status=status)
    response.setdefault("Vary", "HX-Request")
    return response


def not_modified(request: HttpRequest, tag: str) -> HttpResponse | None:
    """304 without a body if the polled part is what the page already shows (HX-PTag); access was checked before."""
    return HttpResponse(status=304) if request.headers.get("HX-PTag") == tag else None


def toast(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Say what was done, in plain text; `undo` is a URL to post to that takes it back."""
    messages.success(request, text, extra_tags=undo)


def safe_next(request: HttpRequest, fallback: str) -> str:
    """Where to go after this: `next` only if it is a path on this site (control characters are refused first)."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    printable = wanted.isprintable() and not any(ord(c) > 0x7E for c in wanted) and "\\" not in wanted
    if printable and wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return fallback


def done(request: HttpRequest, to: str) -> HttpResponse:
    """After a write: send the browser on; htmx is told to load the place itself (204 with HX-Redirect)."""
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": to})
    return HttpResponseRedirect(to)


def trigger(response: HttpResponse, event: str, detail: dict[str, Any] | None = None) -> HttpResponse:
    """Tell the page's scripts that something happened (HX-Trigger)."""
    response["HX-Trigger"] = json.dumps({event: detail or {}})
    return response
