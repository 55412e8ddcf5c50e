"""Talking on a ticket."""

import re

from django.db.models import F
from django.db.models.functions import Lower
from django.utils import timezone

from core import journal, markdown
from core.actions import action
from core.actors import Actor
from incidents.models import Incident
from people.models import User
from tickets import tree
from tickets.models import Comment, Ticket

MENTION = re.compile(r"(?<![\w@/.])@([A-Za-z0-9][\w.+-]{0,58}\w|[A-Za-z0-9])")
MOST_MENTIONS = 50


def mentioned(body: str, incident: Incident) -> list[User]:
    """The people named as @username who may see the incident; anybody else stays plain text."""
    names = {name.lower() for name in named(body)}
    if not names:
        return []
    people = User.objects.active().alias(called=Lower("username")).filter(called__in=names)
    return [user for user in people if "view" in incident.permissions_for(user)]


def named(body: str) -> list[str]:
    """What stands behind an @ in the text, each as it was first written."""
    return list({name.lower(): name for name in reversed(MENTION.findall(body)[:MOST_MENTIONS])}.values())[::-1]


def strangers(body: str, incident: Incident) -> list[str]:
    """Names called in the text that are nobody's who may see the incident."""
    known = {user.username.lower() for user in mentioned(body, incident)}
    return [name for name in named(body) if name.lower() not in known]


@action
def add_comment(*, actor: Actor, ticket: Ticket, body: str, shared: bool = False) -> Comment:
    """Say something on a ticket; who is mentioned hears of it by reaction.

    Raises:
        ValidationError: the incident is closed.
    """
    return _say(actor, tree.fresh(tree.lock(ticket.incident_id), ticket.number), body, shared=shared)


@action
def comment_on_incident(*, actor: Actor, incident: Incident, body: str, shared: bool = False) -> Comment:
    """Say something on the incident as a whole: it hangs on the root of its tree.

    Raises:
        ValidationError: the incident is closed.
    """
    return _say(actor, tree.root(tree.lock(incident.pk)), body, shared=shared)


def _say(actor: Actor, ticket: Ticket, body: str, *, shared: bool) -> Comment:
    comment = Comment.objects.create(
        ticket=ticket, author_id=actor.pk if actor.actor_kind == "user" else None, body=body,
        body_html=markdown.stored(body), shared=shared,
    )  # fmt: skip
    Ticket.objects.filter(pk=ticket.pk).update(comments_total=F("comments_total") + 1, updated_at=timezone.now())
    people = [user.pk for user in mentioned(body, ticket.incident)]
    journal.record(
        "comment.added", actor=actor, subject=comment, ticket=ticket.number, mentions=people, text=journal.shown(body)
    )
    return comment


@action
def edit_comment(*, actor: Actor, comment: Comment, version: int, body: str, shared: bool) -> Comment:
    """Change one's own comment; what it said before stays in history. People newly mentioned hear of it.

    Raises:
        Conflict: it was changed since `version`.
    """
    tree.lock(comment.ticket.incident_id)
    comment = Comment.objects.select_related("ticket__incident").get(pk=comment.pk)
    before = {user.pk for user in mentioned(comment.body, comment.ticket.incident)}
    changed = comment.merged(version=version, submitted={"body": body, "shared": shared})
    if not changed:
        return comment
    comment.apply({**changed, "body_html": markdown.stored(comment.body if "body" not in changed else body)})
    Ticket.objects.filter(pk=comment.ticket_id).update(updated_at=timezone.now())
    people = [user.pk for user in mentioned(body, comment.ticket.incident) if user.pk not in before]
    journal.record("comment.edited", actor=actor, subject=comment, ticket=comment.ticket.number, mentions=people)
    return comment


@action
def choose_for_report(*, actor: Actor, comment: Comment, in_report: bool) -> Comment:
    """Say whether the comment stands in the report."""
    tree.lock(comment.ticket.incident_id)
    comment = Comment.objects.select_related("ticket__incident").get(pk=comment.pk)
    if comment.in_report != in_report:
        comment.apply({"in_report": in_report})
        journal.record("comment.chosen", actor=actor, subject=comment, ticket=comment.ticket.number)
    return comment
