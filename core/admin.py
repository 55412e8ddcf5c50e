"""Django admin for reference data, under the house's rules: who administers may use it, every change is journalled.

Rooms register here, `@admin.register(Thing, site=core.admin.site)`. Django's own site stays unused: libraries register
models there (groups, addresses, second factors) that only actions may change.
"""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db import models, transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core import journal
from core.actions import acting

MOST_ASKED, MOST_WORDS = 200, 10  # characters and words of a search


class ReferenceSite(admin.AdminSite):
    """The admin at /admin/, logged in to like the rest: with rate limits and the second factor."""

    site_header = site_title = "Treeline reference data"
    index_title = "Reference data"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """For who administers."""
        return bool(request.user.is_active and request.user.is_staff and _administers(request))

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Where everybody changes it: journalled, limited, ending the other sessions."""
        return redirect("account_change_password")


site = ReferenceSite(name="admin")
site.login = secure_admin_login(site.login)  # type: ignore[method-assign]


def _administers(request: HttpRequest) -> bool:
    return "administer" in getattr(request.user, "rights", frozenset())


class JournalledAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Reference data whose additions, changes and deletions are journalled in the transaction that makes them.

    Rights come from the groups of people, not from Django's table of model permissions. Verbs are the model's name with
    added, changed or deleted; the stream is the model's `journal_stream`, or "reference".
    """

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _administers(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _administers(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _administers(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _administers(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _administers(request)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """By the first words only: each is a condition of its own, and databases have a limit of those."""
        return super().get_search_results(request, queryset, " ".join(search_term[:MOST_ASKED].split()[:MOST_WORDS]))

    def save_model(self, request: HttpRequest, obj: models.Model, form: "ModelForm[Any]", change: bool) -> None:
        """Save, and journal it."""
        with transaction.atomic(), acting(request.user):  # type: ignore[arg-type]
            super().save_model(request, obj, form, change)
            self._record(request, obj, "changed" if change else "added", fields=list(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        """Delete, and journal it: the entry names the last history row, which holds what is gone."""
        pk = obj.pk
        with transaction.atomic(), acting(request.user):  # type: ignore[arg-type]
            super().delete_model(request, obj)
            obj.pk = pk
            self._record(request, obj, "deleted")

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """One by one, so that each is journalled."""
        with transaction.atomic():
            for obj in queryset:
                self.delete_model(request, obj)

    def _record(self, request: HttpRequest, obj: models.Model, what: str, **data: Any) -> None:
        stream = str(getattr(obj, "journal_stream", "reference"))
        verb = f"{obj._meta.model_name}.{what}"
        journal.record(verb, actor=request.user, subject=obj, stream=stream, **data)  # type: ignore[arg-type]
