"""Documents of every kind, runs of runbooks in an incident, automations of its tickets."""

from django.urls import path, register_converter

from runbooks.models import DocumentKind
from runbooks.views import automations, branches, documents, executions, quick, runs, starts, suggestions, versions


class KindConverter:
    """A kind of document by its plural: policies."""

    kinds = {kind.plural: kind for kind in DocumentKind}
    regex = "|".join(kinds)

    def to_python(self, value: str) -> DocumentKind:
        """The kind."""
        return self.kinds[value]

    def to_url(self, value: str) -> str:
        """Its part of the address."""
        return DocumentKind(value).plural


register_converter(KindConverter, "kind")

app_name = "runbooks"
ROOT = "incidents/<str:number>/"
DOCUMENT = "<kind:kind>/<slug:slug>/"
RUN = f"{ROOT}runs/<int:run>/"
AUTOMATION = f"{ROOT}tickets/<int:ticket>/automation/"
EXECUTION = f"{AUTOMATION}executions/<int:execution>/"
urlpatterns = [
    path("documents/", documents.search, name="search"),
    path("documents/overdue/", documents.overdue, name="overdue"),
    path("documents/<slug:slug>/", documents.by_slug, name="by_slug"),
    path("<kind:kind>/", documents.library, name="library"),
    path("<kind:kind>/new/", documents.new, name="new"),
    path(DOCUMENT, documents.document, name="document"),
    path(f"{DOCUMENT}guide/", documents.guide, name="guide"),
    path(f"{DOCUMENT}facts/", documents.facts, name="facts"),
    path(f"{DOCUMENT}archive/", documents.archive, name="archive"),
    path(f"{DOCUMENT}insert/", documents.insert, name="insert"),

    path(f"{DOCUMENT}edit/", versions.edit, name="edit"),
    path(f"{DOCUMENT}versions/<int:version>/", versions.version, name="version"),
    path(f"{DOCUMENT}compare/", versions.compare, name="compare"),
    path(f"{DOCUMENT}submit/", versions.submit, name="submit"),
    path(f"{DOCUMENT}withdraw/", versions.withdraw, name="withdraw"),
    path(f"{DOCUMENT}approve/", versions.approve, name="approve"),
    path(f"{DOCUMENT}activate/", versions.activate, name="activate"),
    path(f"{DOCUMENT}review/", versions.review, name="review"),

    path(f"{ROOT}tickets/quick/", quick.quick, name="quick"),
    path(f"{ROOT}tickets/<int:ticket>/guides/", documents.guides, name="guides"),

    path(f"{ROOT}runbooks/", starts.palette, name="palette"),
    path(f"{ROOT}runbooks/<slug:slug>/run/", starts.start, name="start"),

    path(f"{ROOT}runs/", runs.runs, name="runs"),
    path(RUN, runs.run, name="run"),
    path(f"{RUN}finish/", runs.finish, name="finish"),
    path(f"{RUN}stop/", runs.stop, name="stop"),
    path(f"{RUN}suggestions/<int:suggestion>/", suggestions.answer, name="answer_suggestion"),
    path(f"{RUN}update/", branches.update_runbook, name="update_runbook"),
    path(f"{ROOT}tickets/<int:ticket>/save-as-runbook/", branches.save_branch, name="save_branch"),

    path(f"{ROOT}escalations/", automations.escalations, name="escalations"),
    path(f"{ROOT}automations/", automations.automations, name="automations"),
    path(AUTOMATION, automations.automation, name="automation"),
    path(f"{AUTOMATION}edit/", automations.edit, name="automation_edit"),
    path(f"{AUTOMATION}remove/", automations.remove, name="automation_remove"),
    path(f"{AUTOMATION}run/", executions.run, name="automation_run"),
    path(f"{AUTOMATION}dry-run/", executions.dry_run, name="automation_dry_run"),
    path(EXECUTION, executions.execution, name="execution"),
    path(f"{EXECUTION}approve/", executions.approve, name="execution_approve"),
    path(f"{EXECUTION}decline/", executions.decline, name="execution_decline"),
    path(f"{EXECUTION}answer/", executions.answer, name="execution_answer"),
    path(f"{EXECUTION}cancel/", executions.cancel, name="execution_cancel"),
]  # fmt: skip
