"""What follows from the text of a document: what search finds, what links to it, how it is shown."""

from django.core.exceptions import ValidationError

from runbooks import guides, links
from runbooks.models import Document, DocumentLink, Version
from runbooks.problems import longest


def check_text(kind: str, body: str) -> None:
    """Refuse what cannot be kept at all; what is only wrong is refused when it is submitted.

    Raises:
        ValidationError: it is longer than a text of this kind may be.
    """
    if len(body) > longest(kind):
        raise ValidationError({"body": f"The text has {len(body):,} characters; {longest(kind):,} are the most."})


def keep_text(document: Document, version: Version) -> None:
    """Make search and links those of this version (inside an action that journals it)."""
    tags = " ".join(f"#{name} " for name in document.tags.order_by("name").values_list("name", flat=True))
    words = [document.title, document.slug, document.summary, tags, version.subject, version.body]
    Document.objects.filter(pk=document.pk).update(folded="\n".join(words).casefold())
    seen = links.found(document.kind, version.body)
    rows = [DocumentLink(source=document, slug=slug) for slug in sorted(seen.links)]
    rows += [DocumentLink(source=document, slug=slug, is_part=True) for slug in sorted(seen.parts)]
    document.links.all().delete()
    DocumentLink.objects.bulk_create(rows)


def render(version: Version) -> str:
    """What belongs into its `body_html`."""
    return guides.stored(version.document.kind, version.body)
