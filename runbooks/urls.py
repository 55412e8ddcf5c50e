"""Documents of every kind, runs of runbooks in an incident, automations of its tickets."""

from django.urls import path

from runbooks.views import branches, quick, runs, starts

app_name = "runbooks"
ROOT = "incidents/<str:number>/"
RUN = f"{ROOT}runs/<int:run>/"
urlpatterns = [
    path(f"{ROOT}tickets/quick/", quick.quick, name="quick"),

    path(f"{ROOT}runbooks/", starts.palette, name="palette"),
    path(f"{ROOT}runbooks/<slug:slug>/run/", starts.start, name="start"),

    path(f"{ROOT}runs/", runs.runs, name="runs"),
    path(RUN, runs.run, name="run"),
    path(f"{RUN}finish/", runs.finish, name="finish"),
    path(f"{RUN}stop/", runs.stop, name="stop"),
    path(f"{RUN}update/", branches.update_runbook, name="update_runbook"),
    path(f"{ROOT}tickets/<int:ticket>/save-as-runbook/", branches.save_branch, name="save_branch"),
]  # fmt: skip
