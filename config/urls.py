"""The table of contents of the whole house."""

from django.urls import include, path

from core.admin import site

urlpatterns = [
    path("", include("people.urls")),  # before the login library's: some of its pages are closed there
    path("accounts/", include("allauth.urls")),
    path("admin/", site.urls),
    path("", include("core.urls")),
    path("", include("runbooks.urls")),
    path("", include("tickets.urls")),
    path("", include("incidents.urls")),
    path("", include("comms.urls")),
    path("", include("intake.urls")),
    path("", include("reporting.urls")),
]
handler400 = "core.views.errors.bad_request"
handler403 = "core.views.errors.forbidden"
handler404 = "core.views.errors.not_found"
handler500 = "core.views.errors.server_error"
