"""Alerts and imports."""

from django.urls import path

from intake.views import alerts, imports, joined

app_name = "intake"
urlpatterns = [
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<int:alert>/", alerts.alert, name="alert"),
    path("alerts/<int:alert>/promote/", alerts.promote, name="promote"),
    path("alerts/<int:alert>/join/", alerts.join, name="join"),
    path("alerts/<int:alert>/dismiss/", alerts.dismiss, name="dismiss"),
    path("alerts/<int:alert>/put-back/", alerts.put_back, name="put_back"),
    path("incidents/<str:number>/alerts/", joined.joined, name="joined"),
    path("intake/", imports.imports, name="imports"),
    path("intake/jobs/<uuid:job>/", imports.job, name="job"),
    path("intake/jobs/<uuid:job>/errors/", imports.errors, name="errors"),
    path("intake/jobs/<uuid:job>/cancel/", imports.cancel, name="cancel"),
]
