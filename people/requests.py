"""The request of somebody who is logged in."""

from django.http import HttpRequest

from people.models import User


class UserRequest(HttpRequest):
    """`user` is a person; `permissions` is what they may do with the object of this page (core.access)."""

    user: User
    permissions: frozenset[str]
