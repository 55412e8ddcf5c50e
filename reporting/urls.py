"""Reports of incidents, and the page of one's own work."""

from django.urls import path

from reporting.views import my, reports

app_name = "reporting"
urlpatterns = [
    path("my/", my.my, name="my"),
    path("my/news/", my.news, name="news"),
    path("my/seen/", my.seen, name="seen"),

    path("incidents/<str:number>/report/", reports.report, name="report"),
    path("incidents/<str:number>/report/make/", reports.make, name="make"),
    path("incidents/<str:number>/report/<uuid:job>/", reports.job, name="job"),
    path("incidents/<str:number>/report/<uuid:job>/cancel/", reports.cancel, name="cancel"),
    path("incidents/<str:number>/report/<uuid:job>/pdf/", reports.pdf, name="pdf"),
]  # fmt: skip
