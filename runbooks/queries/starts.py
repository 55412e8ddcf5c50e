"""What can be run in an incident, what would become of it, and what its values could be."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from core.templatetags.treeline import duration
from incidents.models import Incident, RoleAssignment
from people.models import User
from runbooks.expansion import Book, book, expand
from runbooks.links import parts_in_force, reached
from runbooks.models import Document, DocumentKind, Run, RunState

MOST_BOOKS = 300  # on one palette; a filter finds the others
MOST_RUNS = 5_000  # that figures are made from, the newest


@dataclass
class Offer:
    """A runbook as the palette shows it. `tickets` is 0 where it cannot run, then `problem` says why."""

    document: Document
    number: int
    tickets: int = 0
    automated: int = 0
    shared: int = 0
    problem: str = ""
    median: str = ""  # time of finished runs that the reader may see
    fits: bool = False


@dataclass
class Palette:
    """Runbooks in force: those made for the type of the incident first."""

    fitting: list[Offer] = field(default_factory=list)
    others: list[Offer] = field(default_factory=list)
    total: int = 0


def runbooks() -> QuerySet[Document]:
    """Those that can be run."""
    found = Document.objects.in_use().filter(kind=DocumentKind.RUNBOOK)
    return found.select_related("active").order_by("title", "pk")


def named() -> QuerySet[Document]:
    """The same without their texts, which may be large: to be chosen from."""
    return runbooks().defer("folded", "active__body", "active__body_html")


def applies(document: Document, incident: Incident) -> bool:
    """Whether it is for incidents of this type and severity; what says nothing is for all."""
    types, severities = document.incident_types, document.severities
    return (not types or incident.type in types) and (not severities or incident.severity in severities)


def palette(incident: Incident, reader: User, *, text: str = "") -> Palette:
    """All runbooks (or those that have these words in title or summary) with their figures; four queries."""
    documents = list(named()[: MOST_BOOKS * 4])
    words = text.casefold()
    shown = [one for one in documents if words in f"{one.title}\n{one.summary}".casefold()][:MOST_BOOKS]
    books, medians = _books(shown), _medians(reader)
    found = Palette(total=len(documents))
    for document in shown:
        offer = Offer(document=document, number=document.active.number if document.active else 0)
        offer.median = medians.get(document.pk, "")
        try:
            steps = expand(books[document.slug], books)
        except KeyError:
            offer.problem = "Its text cannot be read."
        except ValidationError as error:
            offer.problem = " ".join(error.messages)
        else:
            offer.tickets = len(steps)
            offer.automated = sum(step.task.action is not None for step in steps)
            offer.shared = sum(step.task.shared for step in steps)
        offer.fits = bool(document.incident_types) and applies(document, incident)
        (found.fitting if offer.fits else found.others).append(offer)
    return found


def _books(shown: Iterable[Document]) -> dict[str, Book]:
    """These and the sub-playbooks in them by name, but for those that cannot be read; no other text is loaded."""
    slugs = reached({one.slug for one in shown}, parts_in_force())
    found = {}
    for document in runbooks().filter(slug__in=slugs).defer("folded", "active__body_html"):
        if document.active is not None:
            document.active.document = document
            try:
                found[document.slug] = book(document.active)
            except ValidationError:
                continue
    return found


def _medians(reader: User) -> dict[int, str]:
    """Median time from start to end, by the key of the document, from runs in incidents the reader may see."""
    runs = Run.objects.visible_to(reader).filter(state=RunState.DONE, finished_at__isnull=False).order_by("-pk")
    spans: dict[int, list[float]] = defaultdict(list)
    for document, started, finished in runs.values_list("of__document", "started_at", "finished_at")[:MOST_RUNS]:
        if finished is not None:
            spans[document].append((finished - started).total_seconds())
    return {document: duration(dt.timedelta(seconds=median(found))) for document, found in spans.items()}


def starting_by_themselves(incident: Incident) -> list[Document]:
    """Runbooks that start when such an incident opens."""
    return [one for one in runbooks().filter(starts_by_itself=True) if applies(one, incident)]


def suggestions(incident: Incident) -> dict[str, str]:
    """What values are likely to be, by name: facts of the incident, holders of roles, what earlier runs were given."""
    found: dict[str, str] = {}
    for values in Run.objects.filter(incident=incident).order_by("pk").values_list("values", flat=True):
        found |= {name: text for name, text in values.items() if isinstance(text, str)}
    held = RoleAssignment.objects.filter(incident=incident, until=None).select_related("user").order_by("-since", "-pk")
    roles = {one.role: str(one.user) for one in held}
    facts = {
        "incident_number": incident.number, "incident_title": incident.title, "tlp": incident.tlp,
        "severity": incident.get_severity_display(), "incident_type": incident.get_type_display(),
        "customer": str(incident.customer) if incident.customer_id else "",
        "commander": roles.get("incident_commander", ""), "date": timezone.now().strftime("%Y-%m-%d"),
        "affected_systems": ", ".join(map(str, incident.affected_systems)),
        "affected_services": ", ".join(map(str, incident.affected_services)),
        "affected_users": str(incident.affected_users or ""), "detection_source": incident.detection_source,
    }  # fmt: skip
    return {**found, **roles, **{name: text[:200] for name, text in facts.items() if text}}


def ideas(incident: Incident, known: Iterable[str]) -> list[str]:
    """What may be typed as any value: affected systems and services, and what was given before."""
    return list(dict.fromkeys([*map(str, incident.affected_systems), *map(str, incident.affected_services), *known]))[
        :50
    ]
