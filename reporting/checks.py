"""Said at start if reports cannot be made here; everything else works."""

from typing import Any

from django.core.checks import CheckMessage, Warning, register  # noqa: A004 (Django's name)

from reporting import pdf


@register()
def pdf_libraries(**_: Any) -> list[CheckMessage]:
    """A warning that names the Debian packages."""
    return [] if pdf.available() else [Warning(pdf.MISSING, id="reporting.W001")]
