#!/usr/bin/env python
"""Django's command line for Treeline."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        settings.INSTALLED_APPS  # noqa: B018 (reading one setting reads them all)
    except ImproperlyConfigured as wrong:
        sys.exit(f"Treeline does not start: {wrong}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
