"""Documents for pages: lists, one with all that belongs to it, what links to it, what a ticket could use."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone

from incidents.models import Incident
from people.models import User
from runbooks import links
from runbooks.models import Approval, Document, DocumentKind, DocumentLink, Review, Version, VersionState
from runbooks.models.documents import SOON
from tickets.models import Ticket

NEXT = (VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.APPROVED)
GUIDES = (DocumentKind.GUIDELINE, DocumentKind.PROCEDURE)
MOST_VERSIONS = 30
MOST_GUIDES = 5
MOST_LINKED = 50


def documents(user: User) -> QuerySet[Document]:
    """Those this person may see, as lists show them: without their texts, with owner and the version that comes."""
    coming = Version.objects.filter(state__in=NEXT).only("document_id", "number", "state")
    rows = Document.objects.visible_to(user).select_related("owner", "active").order_by("title", "pk")
    rows = rows.defer("folded", "escalations", "active__body", "active__body_html")
    return rows.prefetch_related(Prefetch("versions", queryset=coming, to_attr="coming"), "tags")


def owners(user: User) -> list[tuple[int, str]]:
    """Whom the list can be narrowed to."""
    rows = User.objects.filter(documents__in=Document.objects.visible_to(user)).distinct().order_by("name", "pk")
    return [(one.pk, str(one)) for one in rows]


@dataclass(frozen=True)
class Shelf:
    """One document with all that its page shows beside the text."""

    versions: list[Version]
    coming: Version | None
    backlinks: list[Document]
    related: list[Document]
    tags: list[str]
    approvers: list[User]
    reviews: list[Review]


def shelf(document: Document, user: User) -> Shelf:
    """A fixed number of queries."""
    versions = document.versions.select_related("author").defer("body", "body_html")[:MOST_VERSIONS]
    seen = Document.objects.visible_to(user).filter(archived_at=None).defer("folded").order_by("title")
    sources = DocumentLink.objects.filter(slug=document.slug).exclude(source=document).values("source")
    found = list(versions)
    return Shelf(
        versions=found, coming=next((one for one in found if one.state in NEXT), None),
        backlinks=list(seen.filter(pk__in=sources)[:MOST_LINKED]),
        related=list(seen.filter(pk__in=document.related.values("pk"))[:MOST_LINKED]),
        tags=sorted(document.tags.values_list("name", flat=True)), approvers=list(document.approvers.all()),
        reviews=list(document.reviews.select_related("reviewer")[:10]),
    )  # fmt: skip


def version_of(document: Document, number: int | None = None) -> Version | None:
    """One version: by number, or the one in force, or the newest."""
    rows = document.versions.select_related("author")
    found = rows.filter(pk=document.active_id) if number is None and document.active_id else rows
    version = (found.filter(number=number) if number is not None else found).first()
    if version is not None:
        version.document = document
    return version


def approvals(version: Version) -> list[Approval]:
    """What was said to it, newest round first."""
    return list(version.approvals.select_related("by").order_by("-round", "pk"))


def missing(names: Iterable[str]) -> set[str]:
    """Which of these are slugs of no document."""
    wanted = set(names)
    return wanted - set(Document.objects.filter(slug__in=wanted).values_list("slug", flat=True)) if wanted else wanted


def titles(slugs: Collection[str]) -> dict[str, str]:
    """What the documents of these slugs are called; all of our people may know that. No query for none."""
    return dict(Document.objects.filter(slug__in=slugs).values_list("slug", "title")) if slugs else {}


def may_decide(version: Version, user: User, permissions: frozenset[str]) -> bool:
    """Whether this person can approve it: they may, they did not write on it, and it is asked for."""
    if "approve" not in permissions or version.state not in (VersionState.IN_REVIEW, VersionState.APPROVED):
        return False
    return version.author_id != user.pk and not version.writers.filter(pk=user.pk).exists()


def guides_for(ticket: Ticket, user: User) -> list[Document]:
    """Guidelines and procedures in force that its description links to, or that have its tags or its incident's type.

    What is linked comes first, then what has a tag in common.
    """
    incident: Incident = ticket.incident
    rows = Document.objects.visible_to(user).in_use().filter(kind__in=GUIDES).order_by("title")
    rows = rows.only("kind", "slug", "title", "summary", "incident_types").prefetch_related("tags")
    named = links.links_in(ticket.description)
    words = {*ticket.tags.values_list("name", flat=True), *incident.tags.values_list("name", flat=True)}
    ranked: list[tuple[int, str, Document]] = []
    for one in rows:
        tags = {tag.name for tag in one.tags.all()}
        rank = 0 if one.slug in named else 1 if tags & words else 2 if incident.type in one.incident_types else 3
        ranked.append((rank, one.title, one))
    return [one for rank, _, one in sorted(ranked, key=lambda row: row[:2]) if rank < 3][:MOST_GUIDES]


def waiting_for(user: User) -> QuerySet[Version]:
    """Versions that this person could agree to now, what waits longest first."""
    rows = Version.objects.visible_to(user).filter(state=VersionState.IN_REVIEW, document__archived_at=None)
    if "oversee" not in user.rights:
        rows = rows.filter(document__approvers=user)
    said = Approval.objects.filter(of=OuterRef("pk"), round=OuterRef("round"), by=user, agrees=True)
    rows = rows.exclude(writers=user).exclude(author=user).filter(~Exists(said)).order_by("submitted_at", "pk")
    return rows.select_related("document", "author").defer("body", "body_html", "document__folded")


def open_incidents(user: User, workable: Any) -> QuerySet[Incident]:
    """Open incidents in which this person works, newest first."""
    rows = Incident.objects.visible_to(user).filter(pk__in=workable)
    return rows.exclude(status="closed").order_by("-detected_at")


def near_review() -> list[Document]:
    """Documents whose review is due within 14 days or late, and of which nobody was reminded today."""
    today = timezone.localdate()
    rows = Document.objects.filter(archived_at=None, review_due__lte=today + SOON)
    return list(rows.exclude(reminded_on=today).defer("folded").order_by("review_due", "pk"))
