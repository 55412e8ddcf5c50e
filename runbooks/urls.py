"""Documents of every kind, runs of runbooks in an incident, automations of its tickets."""

from django.urls import path

from runbooks.views import quick

app_name = "runbooks"
ROOT = "incidents/<str:number>/"
urlpatterns = [
    path(f"{ROOT}tickets/quick/", quick.quick, name="quick"),
]
