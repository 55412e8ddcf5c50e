"""A text of a document as its pages show it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.urls import reverse

from core import markdown
from runbooks import guides, links, placeholders, problems, steps
from runbooks.models import Document, DocumentKind, Version
from runbooks.queries import documents as queries

VIEWS = {"steps": "Steps", "guide": "Guide", "markdown": "Markdown"}


def guide(kind: str, body: str, stored: str = "") -> tuple[str, list[markdown.Heading]]:
    """The text to be read, and its contents; links to what is not written yet lead to where one writes it."""
    text = markdown.html(guides.text_of(kind, body), stored, wiki=links.BASE)
    missing = queries.missing(markdown.wiki_names(text, links.BASE))
    write = reverse("runbooks:new", kwargs={"kind": DocumentKind.GUIDELINE}) + "?slug="
    return markdown.with_contents(
        markdown.with_missing(text, wiki=links.BASE, missing=missing, write=write)
    )  # fmt: skip


def text_of(document: Document, version: Version, view: str, medians: Mapping[str, str] = {}) -> dict[str, Any]:
    """What runbooks/documents/_text.html shows of a version; `medians` are times of its steps by written title."""
    is_runbook = document.kind == DocumentKind.RUNBOOK
    names = {name: words for name, words in VIEWS.items() if is_runbook or name != "steps"}
    view = view if view in names else next(iter(names))
    found: dict[str, Any] = {"view": view, "views": names}
    if document.kind == DocumentKind.TEMPLATE:
        found["braces"] = placeholders.used(version.subject, version.body)
    if view == "steps":
        found |= steps_of(version.body, medians)
    elif view == "guide":
        found |= _guide(document.kind, version)
    return found


def steps_of(body: str, medians: Mapping[str, str] = {}) -> dict[str, Any]:
    """The steps of a runbook, as many as a page bears."""
    text = links.read(body)
    rows = steps.rows(text, medians)
    titles = queries.titles({row.task.slug for row in rows if row.task.slug})
    rows = [replace(row, part=titles.get(row.task.slug, row.task.slug)) if row.task.slug else row for row in rows]
    return {"steps": rows[: steps.MOST_SHOWN], "left_out": max(0, len(rows) - steps.MOST_SHOWN), "values": text.values}


def _guide(kind: str, version: Version) -> dict[str, Any]:
    if not version.body_html and guides.is_too_long(kind, version.body):
        return {"is_too_long": True}
    text, contents = guide(kind, version.body, version.body_html)
    return {"guide": text, "contents": contents if len(contents) > 1 else []}


def preview(kind: str, body: str, subject: str = "") -> dict[str, Any]:
    """What runbooks/documents/_preview.html shows of a text that is being written, and what is wrong with it."""
    found: dict[str, Any] = {"kind": kind, "problems": problems.problems(kind, body, subject)}
    if len(body) > problems.longest(kind):
        return found
    if kind == DocumentKind.RUNBOOK:
        return found | steps_of(body)
    if kind == DocumentKind.TEMPLATE:
        example = placeholders.EXAMPLES
        body = placeholders.fill(body, example)
        found["subject"] = placeholders.fill(subject, example)
    text, contents = guide(kind, body)
    return found | {"guide": text, "contents": contents if len(contents) > 1 else []}
