"""Reference data of this room. People are not here: they are invited, and changed by actions on their own pages."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin import JournalledAdmin, site
from people.models import Customer


@admin.register(Customer, site=site)
class CustomerAdmin(JournalledAdmin):
    """Customers."""

    list_display = ["name", "slug", "active"]
    list_filter = ["active"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug", "notes", "active"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only while nothing hangs on it: afterwards it is set inactive."""
        used = obj is not None and (obj.people.exists() or obj.invitations.exists())
        return not used and super().has_delete_permission(request, obj)
