"""What somebody left unfinished."""

from django.urls import Resolver404, resolve

from people.models import Draft, User


def drafts_at(user: User, path: str) -> dict[str, Draft]:
    """The person's own drafts in the form at this address, by field; one query."""
    return {draft.field: draft for draft in Draft.objects.filter(user_id=user.pk, path=path)}


def kept_fields(path: str) -> tuple[str, ...]:
    """Of which fields the form at this address keeps drafts."""
    try:
        found: tuple[str, ...] = getattr(resolve(path).func, "drafts", ())
    except Resolver404:
        return ()
    return found
