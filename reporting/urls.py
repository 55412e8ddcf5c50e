"""Reports of incidents."""

from django.urls import path

from reporting.views import reports

app_name = "reporting"
urlpatterns = [
    path("incidents/<str:number>/report/", reports.report, name="report"),
    path("incidents/<str:number>/report/make/", reports.make, name="make"),
    path("incidents/<str:number>/report/<uuid:job>/", reports.job, name="job"),
    path("incidents/<str:number>/report/<uuid:job>/cancel/", reports.cancel, name="cancel"),
    path("incidents/<str:number>/report/<uuid:job>/pdf/", reports.pdf, name="pdf"),
]
