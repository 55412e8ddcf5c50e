"""Is it alive, can it work? For load balancers and the people who are called when it does not."""

import time
from dataclasses import dataclass, field
from datetime import timedelta

from celery import current_app
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from core.access import open_to
from core.models import Reaction
from core.models.work import WorkState

FRESH = 5.0  # seconds


@dataclass
class Known:
    """The last answer of this process."""

    at: float = -FRESH
    parts: dict[str, str] = field(default_factory=dict)


_known = Known()


@require_safe
@open_to("anyone")
def live(request: HttpRequest) -> HttpResponse:
    """200 while the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        return "migrations wait" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"
    except DatabaseError:
        return "down"


def _cache() -> str:
    try:
        cache.set("health", "ok", 10)
        return "ok" if cache.get("health") == "ok" else "down"
    except Exception:  # noqa: BLE001 (each cache backend has its own family of errors)
        return "down"


def _broker() -> str:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=1)
        return "ok"
    except (OperationalError, OSError):
        return "down"


def _backlog() -> str:
    try:
        late = timezone.now() - timedelta(minutes=2)
        waiting = Reaction.objects.filter(state=WorkState.QUEUED, attempts=0, created_at__lt=late).exists()
    except DatabaseError:
        return "unknown"
    return "workers are behind" if waiting else "ok"


def _parts() -> dict[str, str]:
    """What was found within the last five seconds: anybody may ask, and asking must cost nothing."""
    if time.monotonic() - _known.at > FRESH:
        _known.parts = {"database": _database(), "cache": _cache(), "queue": _broker(), "workers": _backlog()}
        _known.at = time.monotonic()
    return _known.parts


@require_safe
@open_to("anyone")
def ready(request: HttpRequest) -> HttpResponse:
    """200 if the database can be used; 503 if not. A dead broker or cache is named, and does not stop pages."""
    parts = _parts()
    return JsonResponse({"parts": parts}, status=200 if parts["database"] == "ok" else 503)
