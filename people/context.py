"""What every page's frame needs to know of who looks at it."""

from typing import Any

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, Any]:
    """`rights` everywhere and `can` for this page's object, for templates to show what may be done."""
    user = getattr(request, "user", None)
    return {
        "rights": getattr(user, "rights", frozenset()),
        "can": getattr(request, "permissions", frozenset()),
    }
