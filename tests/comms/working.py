"""A worker without a broker: does what waits, in the order it was asked for, through the tasks' own doors."""

from celery import current_app

from core.models import Work
from core.models.work import WorkState
from core.work import kinds


def work_off(*only: type[Work], most: int = 1000) -> int:
    """Run every queued row's task until none is left (rows put back wait for their time); gives how many ran."""
    current_app.loader.import_default_modules()
    ran = 0
    tried: set[tuple[type[Work], int, int]] = set()
    while ran < most:
        waiting = [
            (kind, pk, attempts)
            for kind in only or kinds()
            for pk, attempts in kind._default_manager.filter(state=WorkState.QUEUED).values_list("pk", "attempts")
            if attempts == 0 and (kind, pk, attempts) not in tried
        ]
        if not waiting:
            return ran
        for kind, pk, attempts in waiting:
            tried.add((kind, pk, attempts))
            current_app.tasks[kind.task](pk)
            ran += 1
    raise AssertionError("The work does not end.")
