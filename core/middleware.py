"""Request ids and the headers that every answer carries (G16)."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from core import requests

LAST_PORT, LONGEST_PORT = 65535, 5

Handler = Callable[[HttpRequest], HttpResponse]


class RequestIdFilter(logging.Filter):
    """Puts the request id into every log line and keeps one record on one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = requests.current.get().id or "-"
        if isinstance(record.msg, str):
            record.msg = "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in record.msg)
        return True


def request_ids(get_response: Handler) -> Handler:
    """Name the request in logs, journal and answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        info = requests.describe(request)
        token = requests.current.set(info)
        try:
            response = get_response(request)
        finally:
            requests.current.reset(token)
        response["X-Request-ID"] = info.id
        return response

    return middleware


def _has_sane_port(request: HttpRequest) -> bool:
    """Whether the port that the client named is one (ALLOWED_HOSTS looks at the name alone)."""
    _, colon, port = str(request.META.get("HTTP_HOST", "")).rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():  # no port, or nonsense that the check of names refuses
        return True
    return len(port) <= LONGEST_PORT and 1 <= int(port) <= LAST_PORT


def security_headers(get_response: Handler) -> Handler:
    """Pages of a person are never kept by a cache; only static files may be. Framed is neither.

    Stands outside of everything that may refuse a request, so that refusals carry the headers too.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not _has_sane_port(request):
            request.META["HTTP_HOST"] = ""  # no name of ours: refused where names are
        response = get_response(request)
        if not request.path.startswith("/static/"):
            response.setdefault("Cache-Control", "no-store, private")
            response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        response.setdefault("X-Frame-Options", "DENY")
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware
