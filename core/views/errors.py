"""Error pages: fixed words and the request id, never what went wrong inside."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from core.htmx import is_htmx
from core.requests import current


def _page(request: HttpRequest, status: int) -> HttpResponse:
    template = "errors/_error.html" if is_htmx(request) else f"errors/{status}.html"
    return render(request, template, {"status": status, "request_id": current.get().id}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request could not be understood; 413 where it was larger than we take."""
    return _page(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the person may see it, but not do this."""
    return _page(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: it does not exist, or not for this person; both look the same."""
    return _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault; the request id leads to the log line. Asks no session or database: they may be broken."""
    template = "errors/_error.html" if is_htmx(request) else "errors/500.html"
    return HttpResponse(render_to_string(template, {"status": 500, "request_id": current.get().id}), status=500)


def csrf_failure(request: HttpRequest, reason: str = "", **_: Any) -> HttpResponse:
    """403 for a form without a valid token."""
    return _page(request, 403)
