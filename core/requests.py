"""Which request is being answered: its id and address, for the logs and the journal. It never says who acts."""

import ipaddress
import re
import uuid
from contextvars import ContextVar
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass(frozen=True)
class RequestInfo:
    """Request id (8–64 characters) and the client's address, or empty."""

    id: str = ""
    ip: str = ""


current: ContextVar[RequestInfo] = ContextVar("request_info", default=RequestInfo())  # noqa: B039 (frozen)


def client_ip(request: HttpRequest) -> str:
    """The address of the client; X-Forwarded-For counts only as far as PROXY_COUNT proxies wrote it."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    if settings.PROXY_COUNT:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= settings.PROXY_COUNT:
            address = hops[-settings.PROXY_COUNT]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def describe(request: HttpRequest) -> RequestInfo:
    """The request's id, taken from a sane X-Request-ID or made, and its address."""
    asked = request.headers.get("X-Request-ID", "")
    return RequestInfo(id=asked if SANE_ID.fullmatch(asked) else uuid.uuid4().hex, ip=client_ip(request))


def takes_bytes(request: HttpRequest) -> bool:
    """Whether a file goes out with the answer; HEAD takes nothing, so there is nothing to write down."""
    return request.method == "GET"
