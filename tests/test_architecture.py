"""The house rules, run over the house; and each rule shown to notice what it forbids."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import architecture as rules
from tests.architecture import FLOORS, over, sources, templates

# What writes inside somebody else's action, and why it is public: another module of the same layer calls it.
HELPERS = {
    "incidents.actions.incidents.keep_tags": "part of opening and editing",
    "incidents.actions.incidents.refold": "keeps a derived column; part of editing and of renaming customers",
    "incidents.actions.team.begin_role": "part of opening an incident and of every change of the team",
    "tickets.actions.batches.ready": "adds the words that are missing; part of every change that gives tags",
    "core.actions.save_together": "saves what a batch of changes decided; their history goes with it",
    "tickets.actions.clocks.wind": "winds clocks, which are derived; part of new targets, severities and merging",
    "people.actions.drafts.forget_below": "part of deleting for good what was being written about",
    "runbooks.actions.texts.keep_text": "keeps what search and backlinks are found by; part of every change of a text",
    "people.actions.groups.put_into": "part of accepting an invitation and of changing groups",
}
# Writes that are no action: what they do is told by the entry they come from, or is nobody's business but one's own.
OWN = {
    "comms.actions.notifications.notify": "runs in a reaction; the entry it tells of is the record",
    "comms.actions.notifications.mark_read": "what one has read is one's own",
    "incidents.actions.looks.look": "how one looks at a tree is one's own",
    "reporting.actions.looks.see_all": "as above, for several incidents at once",
    "people.actions.drafts.keep": "what one is still writing is one's own; saving it is an action",
    "people.actions.drafts.forget": "as above",
    "people.actions.drafts.sweep": "as above, after thirty days",
    "comms.actions.messages.deliver": "sends what an entry led to; the outbox row says what became of it",
}
SAFE_HTML = {"core/markdown.py", "core/templatetags/rendered.py", "tickets/map.py", "tickets/rows.py"}
BULK = {
    "core/access.py": "grants, written from roles inside the action that journals them",
    "core/journal.py": "heads of chains, under their lock",
    "core/reactions.py": "what is due because of entries; the rows are work, not tracked",
    "core/work.py": "claims and leases of work, by conditional update",
    "reporting/tasks.py": "how far a job is; the row is work, not tracked",
    "people/tasks.py": "forgets the sealed text of a mail; the row is work, not tracked",
}
HIDDEN_IMPORTS = {"reporting/pdf_process.py": "limits are set before the library is loaded"}
LISTENS = {"people/logins.py", "core/actions.py"}  # the doors of the login library and of simple-history
READS_THAT_ARE_NOTED = {"note_download", "note_journal_export", "note_table_export"}
UNFILTERED = {
    "core/views/health.py Reaction.objects": "whether work waits; nobody's rows are shown",
    "people/views/profile.py User.objects": "one's own row",
    "people/views/invitations.py Invitation.objects": "the token in the link is the right to see it",
    "people/views/invitations.py Customer.objects": "for admins, who see every customer",
}
OF_THEIR_OWN = {  # verbs that a room may react to although it records them itself
    "automation.set": "what it waits for may hold already; that is found out in a worker, as for all others",
    "automation.done": "what a step gave may be what another step waits for",
    "automations.planted": "as for automation.set",
    "automation.failed": "while it was asked for by hand its condition may have begun to hold",
    "automation.dried": "as above",
    "automation.declined": "as above",
    "automation.cancelled": "as above",
    "run.started": "a runbook brings its criteria for escalation along, which are looked at in a worker",
    "run.stopped": "as above: they go with it",
    "report.made": "telling who asked is the work of comms, which cannot know of reports",
    "report.failed": "as above",
    "clocktarget.added": "written by Django's admin, whose verbs are made from the model's name",
    "clocktarget.changed": "as above",
    "clocktarget.deleted": "as above",
    "ticketpriority.changed": "as above",
    "incident.merged": "the offers of an incident end once its merge is done, as they do when it is closed",
}
ANSWERS_NOTHING = {"people/views/profile.py nothing": "404 to every method: doors of the library that stay shut"}


def _house() -> Any:
    return sources(*FLOORS)


def _none(problems: list[str]) -> None:
    assert not problems, "\n".join(["", *problems])


def test_every_public_write_is_an_action_with_an_actor() -> None:
    _none(over(_house(), rules.writes_outside_actions, helpers={*HELPERS, *OWN}))


def test_what_writes_inside_an_action_is_not_called_from_outside() -> None:
    _none(over(_house(), rules.helpers_in_doors, helpers=HELPERS))


def test_safe_html_is_made_behind_its_doors_only() -> None:
    _none(over(_house(), rules.unsafe_html, allowed=SAFE_HTML))
    _none(over(templates(), rules.unsafe_template))


def test_views_are_functions_that_say_method_and_access() -> None:
    _none(over(_house(), rules.class_views))
    views = {view for path, text in _house() for view in rules.routed(path, text)}
    assert len(views) > 20
    _none(over(_house(), rules.undeclared_methods, views=views, allowed=ANSWERS_NOTHING))


def test_a_view_that_answers_get_alone_calls_no_action() -> None:
    _none(over(_house(), rules.safe_views_that_write, allowed=READS_THAT_ARE_NOTED))


def test_views_begin_with_what_the_user_may_see() -> None:
    _none(over(_house(), rules.unfiltered_objects, allowed=UNFILTERED))


def test_tracked_rows_are_not_changed_behind_historys_back() -> None:
    _none(over(_house(), rules.bulk_writes, allowed=BULK))


def test_imports_stand_at_the_top() -> None:
    _none(over(_house(), rules.hidden_imports, allowed=HIDDEN_IMPORTS))


def test_nobody_listens_to_signals() -> None:
    _none(over(_house(), rules.signals, allowed=LISTENS))


def test_files_functions_and_templates_are_short() -> None:
    _none(over(_house(), rules.too_long))
    _none(over(templates(), rules.too_long))


def test_every_component_declares_its_inputs() -> None:
    _none(over(templates(), rules.undeclared_inputs))


def test_a_room_reacts_only_to_rooms_below() -> None:
    verbs: dict[str, str] = {}
    for path, text in _house():
        verbs |= rules.recorded_verbs(path, text)
    assert len(verbs) > 20
    _none(over(_house(), rules.reactions_from_above, verbs=verbs, allowed=OF_THEIR_OWN))


ACTION = "tickets/actions/tickets.py"
VIEW = "tickets/views/tickets.py"
ROUTED = {"views": {f"{VIEW} tree"}}
SAMPLES: list[tuple[str, Callable[..., list[str]], str, str, dict[str, Any]]] = [
    ("a write that is no action", rules.writes_outside_actions, ACTION, "def close(*, actor, t):\n    t.save()", {}),
    ("an entry and no action", rules.writes_outside_actions, ACTION, "def f(*, a):\n    journal.record('a.b')", {}),
    ("an update without an action", rules.writes_outside_actions, ACTION, "def f(*, q):\n    q.update(a=1)", {}),
    ("an action without actor", rules.writes_outside_actions, ACTION, "@action\ndef f(*, t):\n    t.save()", {}),
    ("positional arguments", rules.writes_outside_actions, ACTION, "@action\ndef f(t, *, actor):\n    t.save()", {}),
    ("a helper in a view", rules.helpers_in_doors, VIEW, "def v(r):\n    begin_role(1)", {"helpers": ["a.begin_role"]}),
    ("mark_safe", rules.unsafe_html, VIEW, "x = mark_safe(user_text)", {}),
    ("a safe string", rules.unsafe_html, VIEW, "x = safestring.SafeString(t)", {}),
    ("a user's format", rules.unsafe_html, VIEW, "x = format_html(user_text, 1)", {}),
    ("a format by f-string", rules.unsafe_html, VIEW, "x = format_html(f'<b>{t}</b>')", {}),
    ("|safe", rules.unsafe_template, "templates/x.html", "{{ text|safe }}", {}),
    ("| safeseq", rules.unsafe_template, "templates/x.html", "{{ text | safeseq }}", {}),
    ("autoescape off", rules.unsafe_template, "templates/x.html", "{% autoescape off %}", {}),
    ("an inline script", rules.unsafe_template, "templates/x.html", "<script>alert(1)</script>", {}),
    ("an inline style", rules.unsafe_template, "templates/x.html", '<p style="color:red">', {}),
    ("an inline handler", rules.unsafe_template, "templates/x.html", '<p onclick="x()">', {}),
    ("a class view", rules.class_views, VIEW, "class Tree(TemplateView): pass", {}),
    ("as_view", rules.class_views, "tickets/urls.py", "x = Tree.as_view()", {}),
    ("a view without access", rules.undeclared_methods, VIEW, "@require_safe\ndef tree(request): ...", ROUTED),
    ("a view without method", rules.undeclared_methods, VIEW, "@open_to('team')\ndef tree(request): ...", ROUTED),
    (
        "access outside of the method", rules.undeclared_methods, VIEW,
        "@open_to('team')\n@require_safe\ndef tree(request): ...", ROUTED,
    ),
    (
        "a GET that writes", rules.safe_views_that_write, VIEW,
        "from tickets.actions import tickets\n@require_safe\n@open_to('team')\ndef v(r):\n    tickets.drop(1)", {},
    ),
    ("all objects", rules.unfiltered_objects, VIEW, "x = Ticket.objects.filter(pk=1)", {}),
    (
        "an object by the URL's number", rules.unfiltered_objects, VIEW,
        "def v(request, incident: Incident, link: int):\n    Link.objects.filter(pk=link)", {},
    ),
    ("a hidden manager", rules.unfiltered_objects, VIEW, "x = Ticket._default_manager.all()", {}),
    ("get_object_or_404", rules.unfiltered_objects, VIEW, "x = get_object_or_404(Ticket, pk=1)", {}),
    ("update in a view", rules.bulk_writes, VIEW, "q.filter(pk=1).update(read=True)", {"allowed": {}}),
    ("update of a tracked row", rules.bulk_writes, ACTION, "Ticket.objects.update(title='')", {"allowed": {}}),
    ("bulk_create of tracked rows", rules.bulk_writes, ACTION, "User.objects.bulk_create([])", {"allowed": {}}),
    ("a hidden import", rules.hidden_imports, VIEW, "def v():\n    import json", {"allowed": {}}),
    ("a signal", rules.signals, VIEW, "from django.db.models.signals import post_save", {"allowed": ()}),
    ("a receiver", rules.signals, VIEW, "from django.dispatch import receiver", {"allowed": ()}),
    ("a library's signal", rules.signals, VIEW, "from allauth.account import signals", {"allowed": ()}),
    ("a long function", rules.too_long, VIEW, "def f():\n" + "    x = 1\n" * 41, {}),
    ("a long file", rules.too_long, VIEW, "x = 1\n" * 401, {}),
    ("a long template", rules.too_long, "templates/x.html", "<p>\n" * 151, {}),
    ("a silent component", rules.undeclared_inputs, "templates/components/x.html", "<b>{{ label }}</b>", {}),
    (
        "a reaction to a room above", rules.reactions_from_above, "people/reactions.py",
        "@on('ticket.moved')\ndef f(entry): ...", {"verbs": {"ticket.moved": "tickets"}},
    ),
    (
        "a reaction to nothing", rules.reactions_from_above, "comms/reactions.py",
        "@on('ticket.eaten')\ndef f(entry): ...", {"verbs": {"ticket.moved": "tickets"}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "path", "text", "settings"), [s[1:] for s in SAMPLES], ids=[s[0] for s in SAMPLES])
def test_each_rule_notices(rule: Callable[..., list[str]], path: str, text: str, settings: dict[str, Any]) -> None:
    found = rule(path, text, **settings)
    assert found
    assert found[0].startswith(f"{path}:")


GOOD = '''
@require_safe
@guarded(Ticket, "view")
def tree(request: UserRequest, ticket: Ticket):
    """A page."""
    {}.update({1: 2})
    again = Ticket.objects.get(pk=ticket.pk)
    return render(request, "x.html", {"rows": Ticket.objects.visible_to(request.user).open(), "again": again})
'''


def test_no_rule_cries_about_good_code() -> None:
    settings: dict[Any, dict[str, Any]] = {
        rules.undeclared_methods: ROUTED,
        rules.bulk_writes: {"allowed": {}},
        rules.hidden_imports: {"allowed": {}},
        rules.signals: {"allowed": ()},
    }
    checks: list[Callable[..., list[str]]] = [
        rules.class_views, rules.undeclared_methods, rules.safe_views_that_write, rules.unfiltered_objects,
        rules.bulk_writes, rules.hidden_imports, rules.signals, rules.too_long, rules.unsafe_html,
    ]  # fmt: skip
    assert [problem for rule in checks for problem in rule(VIEW, GOOD, **settings.get(rule, {}))] == []
