"""What docs/automations.md shows works as it says."""

import re
from pathlib import Path
from typing import Any

from people.models import User
from runbooks import registry, tasklines
from runbooks.blocks import columns
from runbooks.problems import problems
from runbooks.registry import ACTIONS, ActionKind
from tests.runbooks.automating import carried_out, give

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "automations.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    return str(re.findall(rf"^(`{{3}}|~{{4}}){language}\n(.*?)^\1$", TEXT, re.MULTILINE | re.DOTALL)[0][1])


def test_the_plug_in_of_the_docs_is_an_action_in_ten_lines(monkeypatch, make_ticket, bob: User) -> None:
    code = example("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    package: dict[str, Any] = {}
    exec(compile(code, "acme_treeline", "exec"), package)  # noqa: S102 - our own docs

    class Point:
        name = "reverse"

        def load(self) -> ActionKind:
            kind: ActionKind = package["REVERSE"]
            return kind

    assert 'reverse = "acme_treeline:REVERSE"' in example("toml")
    monkeypatch.setattr(registry, "entry_points", lambda group: [Point()] if group == "treeline.actions" else [])
    registry.load_plugins()
    try:
        ticket = make_ticket("FS01")
        done = carried_out(give(ticket, bob, "reverse", {"text": "{{ ticket.title }}"}), bob)
        assert (done.state, done.output) == ("done", {"text": "10SF"})
        assert "4 characters" in done.log
        ticket.refresh_from_db()
        assert ticket.outcome == "Reverse a text: is 10SF backwards"
    finally:
        del ACTIONS["reverse"]


def test_the_runbook_of_the_docs_reads_well() -> None:
    tasks = tasklines.parse(example("tasks")).tasks
    found = [columns(task.action) for task in tasks if task.action]
    assert [one["name"] for one in found] == ["lookup", "decision"]
    assert (found[0]["trigger"], found[0]["retries"]) == ("start", 3)


def test_a_runbook_with_more_tries_than_are_made_is_refused_by_line_and_column() -> None:
    text = "- [ ] One\n\n- [ ] Two\n  ~~~action\n  ask_human: {text: Why, fields: [a], retries: %d}\n  ~~~\n"
    found = problems("runbook", text % 10)
    assert [str(one) for one in found] == [
        "Line 4, column 3: In the automation ask_human: retries is a number from 0 to 7."
    ]
    assert not problems("runbook", text % 7)


def test_every_action_stands_in_the_docs_with_its_parameters() -> None:
    for kind in ACTIONS.values():
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{kind.name}` |"))
        assert [one.name for one in kind.parameters if f"`{one.name}`" not in row] == []
