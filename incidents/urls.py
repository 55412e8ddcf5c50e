"""The list of incidents, and one incident."""

from django.urls import path, register_converter

from incidents.views import incidents, journal, lifecycle, links, team


class IncidentNumber:
    """IR-2026-1120-001; anything else is no address."""

    regex = r"IR-[0-9]{4}-[0-9]{4}-[0-9]{3,9}"

    def to_python(self, value: str) -> str:
        """As it is stored."""
        return value

    def to_url(self, value: str) -> str:
        """As it is stored."""
        return value


register_converter(IncidentNumber, "incident")
ONE = "incidents/<incident:number>/"

app_name = "incidents"
urlpatterns = [
    path("", incidents.list_all, name="list"),
    path("incidents/new/", incidents.declare, name="declare"),
    path("break-glass/", team.break_glass, name="break_glass"),
    path(ONE, incidents.overview, name="overview"),
    path(f"{ONE}head/", incidents.head, name="head"),
    path(f"{ONE}edit/<slug:part>/", incidents.edit, name="edit"),
    path(f"{ONE}status/", lifecycle.status, name="status"),
    path(f"{ONE}severity/", lifecycle.severity, name="severity"),
    path(f"{ONE}post-mortem/", lifecycle.approve_post_mortem, name="approve_post_mortem"),
    path(f"{ONE}restrict/", lifecycle.restrict, name="restrict"),
    path(f"{ONE}members/", team.members, name="members"),
    path(f"{ONE}members/add/", team.assign, name="assign"),
    path(f"{ONE}members/<int:assignment>/end/", team.unassign, name="unassign"),
    path(f"{ONE}join/", team.join, name="join"),
    path(f"{ONE}command/", team.take_command, name="take_command"),
    path(f"{ONE}links/add/", links.link, name="link"),
    path(f"{ONE}links/<int:link>/remove/", links.unlink, name="unlink"),
    path(f"{ONE}log/", journal.log, name="log"),
    path(f"{ONE}audit/", journal.audit, name="audit"),
    path(f"{ONE}audit/csv/", journal.audit_csv, name="audit_csv"),
]
