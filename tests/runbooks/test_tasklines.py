"""Task lines: what people write becomes the tree they meant, or they are told what to change; and back without loss."""

import ast
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core.text import clean_text
from runbooks.tasklines import Automation, Document, Task, TaskLineError, TaskLinesRefused, parse, render
from runbooks.tasklines.document import MOST_BYTES, MOST_ERRORS, MOST_LEVELS, MOST_LINES, MOST_TASKS, MOST_TITLE
from tests.architecture import ROOT
from tickets.models import Ticket

GUIDE = (ROOT / "docs/task-lines.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^~~~~(\w+)\n(.*?)^~~~~$", GUIDE, re.MULTILINE | re.DOTALL)


def examples(kind: str) -> list[str]:
    return [text for found, text in EXAMPLES if found == kind]


def only(text: str, **settings: Any) -> Task:
    (task,) = parse(text, **settings).tasks
    return task


def titles(text: str, **settings: Any) -> list[Any]:
    """The tree as titles: a ticket with something below it is a pair."""

    def tree(tasks: tuple[Task, ...]) -> list[Any]:
        return [(task.title, tree(task.children)) if task.children else task.title or task.slug for task in tasks]

    return tree(parse(text, **settings).tasks)


def refusals(text: str, **settings: Any) -> list[tuple[int, int, str]]:
    with pytest.raises(TaskLinesRefused) as refused:
        parse(text, **settings)
    return [(error.line, error.column, error.message) for error in refused.value.errors]


def places(text: str, **settings: Any) -> list[tuple[int, int]]:
    return [(line, column) for line, column, _ in refusals(text, **settings)]


# -- What people write ------------------------------------------------------------------------------------------------


def test_the_runbook_of_the_guide_reads_as_it_looks() -> None:
    document = parse(examples("tasks")[0])
    (containment,) = document.tasks
    isolate, ask, tell, reset = containment.children
    assert document.introduction == "Use this where somebody has lost control of a computer or an account."
    assert document.values == ("asset",)
    assert (containment.kind, containment.title, containment.line) == ("group", "Containment", 3)
    assert isolate == Task(
        title="Isolate {{ asset }} from the network",
        who="technical_lead",
        minutes=120,
        lead=True,
        description="Use the EDR console. If it is offline, pull the plug:\n\n"
        "- write down the switch port\n- take a photo of the screen",
        children=(Task(title="Take a memory image first", who="ada", minutes=30),),
    )
    assert ask == Task(title="Ask @grace whether #109 is the same host", done=True)
    assert tell == Task(
        title="Tell the customer",
        who="communications_lead",
        shared=True,
        action=Automation(name="send_update", parameters={"template": "initial-notice", "audience": "customer"}),
    )
    assert reset == Task(kind="runbook", slug="reset-a-compromised-account")
    assert [task.line for task in document.walk()] == [3, 5, 10, 11, 12, 16]


@pytest.mark.parametrize("text", examples("tasks"))
def test_every_example_of_the_guide_is_read_and_written_back(text: str) -> None:
    document = parse(text)
    assert document.tasks
    assert parse(render(document)) == document


def test_the_pasted_example_of_the_guide_becomes_tickets() -> None:
    (text,) = examples("pasted")
    document = parse(text, loose=True)
    after, bank, block, write = document.tasks
    assert [task.title for task in after.children] == ["isolate the host", "reset the passwords"]
    assert (after.children[0].who, after.children[0].minutes) == ("bob", 120)
    assert (bank.title, bank.description) == ("Call the bank", "They answer until 18:00.")
    assert (block.title, block.done, write.title) == ("Block the sender", True, "Write it down")
    assert parse(render(document)) == document


def test_the_wrong_example_of_the_guide_has_its_three_errors() -> None:
    (text,) = examples("wrong")
    assert places(text) == [(1, 24), (2, 2), (3, 6)]


def test_headings_hold_what_follows_and_nest_by_their_level() -> None:
    text = "# A\n- [ ] a\n### B\n- [ ] b\n  - [ ] c\n### D\n# E\n- [ ] e\n"
    assert titles(text) == [("A", ["a", ("B", [("b", ["c"])]), "D"]), ("E", ["e"])]


def test_a_heading_carries_markers_text_and_an_automation() -> None:
    text = "## Tell people @dora #comms\nWho must know.\n\n## \n"
    group = only(text.removesuffix("## \n") + "```action\nnotify: {}\n```\n- [ ] Legal\n")
    assert (group.who, group.tags, group.description) == ("dora", ("comms",), "Who must know.")
    assert group.action == Automation(name="notify")
    assert places(text) == [(4, 4)]


def test_tickets_nest_by_indentation_in_steps_of_two_or_more() -> None:
    assert titles("- [ ] a\n    - [ ] b\n      - [ ] c\n    - [ ] d\n- [ ] e") == [("a", [("b", ["c"]), "d"]), "e"]
    assert titles("- [ ] a\n\t- [ ] b\n\t\t- [ ] c") == [("a", [("b", ["c"])])]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    assert parse("\ufeff- [ ] a\r\n  text\r\n\r\n  more\r\n") == parse("- [ ] a\n  text\n\n  more\n")


def test_a_description_is_kept_as_it_stands() -> None:
    text = "- [ ] a\n    First.  \n\n      indented\n   less\n    ```sh\n    - [ ] no ticket\n\n      # none\n    ```"
    description = "First.  \n\n  indented\nless\n```sh\n- [ ] no ticket\n\n  # none\n```"
    assert only(text) == Task(title="a", description=description)


def test_markers_stand_around_the_title_and_within_it_are_text() -> None:
    task = only(
        "- [ ] !30m @eve@customer-a.example Ask @bob about #12 ~5 C# a@b.example now! #Web #Web #LEAD ~Customer"
    )
    assert task == Task(
        title="Ask @bob about #12 ~5 C# a@b.example now!",
        who="eve@customer-a.example",
        minutes=30,
        lead=True,
        tags=("Web",),
        shared=True,
    )


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (r"\@ada", "@ada"),
        (r"\#lead", "#lead"),
        (r"\!2h", "!2h"),
        (r"tell \~customer", "tell ~customer"),
        (r"\\@ada", r"\@ada"),
        (r"\\server\share", r"\\server\share"),
        (r"C:\@x a\@b", r"C:\@x a\@b"),
        ("#109", "#109"),
        ("[ ] twice", "[ ] twice"),
        ("a\tb  c", "a b  c"),
        (r"\![[runbook:x]]", "![[runbook:x]]"),
        ("日本 \U0001f469\u200d\U0001f4bb e\u0301", "日本 \U0001f469\u200d\U0001f4bb e\u0301"),
    ],
)
def test_a_title_can_say_anything(written: str, title: str) -> None:
    task = only(f"- [ ] {written}")
    assert task == Task(title=title)
    assert only(render(Document(tasks=(task,)))) == task


@pytest.mark.parametrize(
    ("written", "minutes", "again"),
    [
        ("!30m", 30, "!30m"), ("!2h", 120, "!2h"), ("!1h30m", 90, "!1h30m"), ("!3d", 4320, "!3d"),
        ("!90m", 90, "!1h30m"), ("!1d1h1m", 1501, "!1d1h1m"), ("!48h", 2880, "!2d"), ("!365d", 525_600, "!365d"),
    ],
)  # fmt: skip
def test_a_time_limit_is_minutes(written: str, minutes: int, again: str) -> None:
    document = parse(f"- [ ] a {written}")
    assert document.tasks[0].minutes == minutes
    assert render(document) == f"- [ ] a {again}\n"


def test_values_are_listed_once_in_order_wherever_they_stand() -> None:
    text = "{{ z }}\n\n- [ ] {{b}} {{ not a name }}\n  {{ a }}\n"
    action = "  ```action\n  x: {y: {{ c }}, w: ['{{ d }}', 1, {{ steps.e }}]}\n  ```\n"
    assert parse(text + action + "  - [ ] {{ b }} {{ f }}").values == ("z", "b", "a", "c", "d", "f")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("word", "word"), ("10.0.0.1", "10.0.0.1"), ("a@b.example", "a@b.example"), ("/var/log", "/var/log"),
        ("007", "007"), ("12", 12), ("-1.5e3", -1500.0), ("true", True), ("False", False), ("null", None),
        ('"true"', "true"), ("'it''s'", "it's"), (r'"a\n\"\u00e9"', 'a\n"é'), ("[]", []), ("[1, [2], ]", [1, [2]]),
        ("{a: {b: c}}", {"a": {"b": "c"}}),
        ("{{ asset }}", "{{ asset }}"), ("{'a b': {{ x | upper }}}", {"a b": "{{ x | upper }}"}),
    ],
)  # fmt: skip
def test_parameters_mean_what_they_show(written: str, value: object) -> None:
    action = only(f"- [ ] a\n  ```action\n  do_it: {{p:\n    {written}\n  }}\n  ```\n").action
    assert action is not None
    assert action.parameters == {"p": value}
    assert type(action.parameters["p"]) is type(value)


def test_bob_pastes_what_he_has() -> None:
    text = "  Follow up\n   - a @bob @alice\n • b !2x\n\n-----\n[x] c\n+ d\n10) e #f.\n# G\n- h\n"
    document = parse(text, loose=True)
    assert titles(text, loose=True) == ["Follow up", "a @bob", "b !2x", "c", "d", "e #f.", ("G", ["h"])]
    assert document.tasks[1].who == "alice"
    assert document.tasks[3].done
    assert titles("- a\n  - b\n ![[runbook:x]]\n- ![[runbook:y]]", loose=True) == [("a", ["b"]), "x", "y"]
    assert parse("", loose=True) == parse(" \n\u200b\n***", loose=True) == Document()


def test_without_a_box_a_list_is_text_unless_it_is_pasted() -> None:
    assert only("- [ ] a\n  - b\n  1. c") == Task(title="a", description="- b\n1. c")
    assert titles("- [ ] a\n  - b\n  1. c", loose=True) == [("a", ["b", "c"])]


# -- What is refused, and where ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("- [ ]", 1, 6, "no title"),
        ("- [ ] @bob", 1, 7, "no title"),
        ("- [ ] \u200b", 1, 7, "no title"),
        ("##", 1, 3, "no title"),
        ("- [ ] a\n\nplain", 3, 1, "write - [ ] before it"),
        ("- [ ] a\n  - [ ] b\n  late", 3, 3, "belongs to no ticket"),
        ("- [ ] a\n-[ ] b", 2, 1, "write - [ ] before it"),
        ("- [ ] a\n - [ ] b", 2, 2, "at least 2 spaces"),
        ("- [ ] a\n    - [ ] b\n  - [ ] c", 3, 3, "by 4 spaces"),
        ("- [ ] a @x @y", 1, 12, "for @x already"),
        ("- [ ] @x a @y,", 1, 12, "not a name"),
        ("- [ ] a !1h !2h", 1, 13, "time limit already"),
        ("- [ ] a !0m", 1, 9, "between 1 minute and 365 days"),
        ("- [ ] a !366d", 1, 9, "between 1 minute and 365 days"),
        ("- [ ] a !2x", 1, 9, "write !30m, !2h"),
        ("- [ ] a #b.c", 1, 9, "not a tag"),
        ("- [ ] a #" + "b" * 41, 1, 9, "at most 40"),
        ("- [ ] a" + "".join(f" #t{n}" for n in range(21)), 1, 99, "at most 20 tags"),
        ("- [ ] a" + " #b" * 25, 1, 7, "too many markers"),
        ("- [ ] a ~friend", 1, 9, "only ~customer"),
        ("- [ ] " + "x" * 201, 1, 7, "at most 200 characters (this has 201)"),
        ("- [ ] " + "@a " * 5000, 1, 7, "at most 200 characters"),
        ("- [ ] a\u202eb", 1, 8, "direction of writing"),
        ("## a\u2066", 1, 5, "direction of writing"),
        ("- [ ] a\n  x\x00", 2, 4, "Null characters"),
        ("- [ ] a\x1b[0m", 1, 8, "U+001B"),
        ("- [ ] a\ud800", 1, 8, "U+D800"),
        ("![[runbook:Big]]", 1, 1, "![[runbook:its-name]]"),
        ("![[runbook:a]] b", 1, 1, "nothing else on the line"),
        ("- [ ] ![[runbook:a]]", 1, 7, "alone on its line"),
        ("![[runbook:a]]\n  text", 2, 3, "no text here"),
        ("![[runbook:a]]\n  - [ ] b", 2, 3, "below a sub-playbook"),
        ("- [ ] a\n  ```\n  - [ ] b\n- [ ] c", 2, 3, "never closed"),
        ("```action\nx: {}\n```\n- [ ] a", 1, 1, "belongs to a ticket"),
        ("- [ ] a\n  ```action\n  x: {}\n  ```\n  ```action\n  y: {}\n  ```", 5, 3, "automation already"),
        ("- [ ] a\n  " + "x" * 65_537, 2, 1, "at most 65,536"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_where_it_stands(text: str, line: int, column: int, words: str) -> None:
    found = refusals(text)
    assert [place[:2] for place in found] == [(line, column)]
    assert words in found[0][2]


@pytest.mark.parametrize(
    ("block", "line", "column", "words"),
    [
        ("", 2, 3, "name: {parameter: value}"),
        ("Send: {}", 3, 3, "small letters"),
        ("send {}", 3, 8, "colon after the name"),
        ("send: now", 3, 9, "in braces"),
        ("send: {}\n  tell: {}", 4, 3, "one automation"),
        ("send: {a: 1,\n    a: 2}", 4, 5, "there twice"),
        ("send: {a 1}", 3, 12, "colon and a value"),
        ("send: {a: 1 b: 2}", 3, 15, "comma"),
        ("send: {a: [1 2]}", 3, 16, "comma"),
        ("send: {a: }", 3, 13, "missing"),
        ("send: {a: 1", 3, 14, "closing brace"),
        ("send: {a: 'x}", 3, 13, "no closing '"),
        (r'send: {a: "\x"}', 3, 14, "backslash"),
        (r'send: {a: "\u0000"}', 3, 13, "U+0000"),
        ("send: {a: b\u202ec}", 3, 14, "U+202E"),
        ("send: {a: !!python/object:os.system}", 3, 13, "quotes"),
        ("send: {a: &x, b: *x}", 3, 13, "quotes"),
        ("send: {a: http://x}", 3, 17, "comma"),
        ("send: {<<: {}}", 3, 10, "quotes"),
        ("send: {a: 1e999}", 3, 13, "too large"),
        ("send: {a: 9223372036854775808}", 3, 13, "too large"),
        ("send: {a: " + "9" * 5000 + "}", 3, 13, "too large"),
        ("send: {a: " + "[" * 30 + "]" * 30 + "}", 3, 32, "20 deep"),
        ("send: {a: 1} # why", 3, 16, "Nothing may follow"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_automation_is_named_where_it_stands(block: str, line: int, column: int, words: str) -> None:
    found = refusals(f"- [ ] a\n  ```action\n  {block}\n  ```\n" if block else "- [ ] a\n  ```action\n  ```\n")
    assert [place[:2] for place in found] == [(line, column)]
    assert words in found[0][2]


def test_an_error_reads_as_a_sentence_with_its_place() -> None:
    assert str(TaskLineError(line=3, column=5, message="Write a title.")) == "Line 3, column 5: Write a title."


def test_all_errors_come_at_once_and_what_could_be_read_comes_along() -> None:
    with pytest.raises(TaskLinesRefused) as refused:
        parse("- [ ] a !2x\n- [ ] b\n- [ ]\n")
    assert len(refused.value.errors) == 2
    assert [task.title for task in refused.value.document.tasks] == ["a", "b", ""]
    assert len(refusals("- [ ]\n" * 100)) == len(refusals("\x00" * 100)) == MOST_ERRORS


def test_fifty_levels_are_fine_and_one_more_is_refused_at_its_line() -> None:
    def deep(levels: int) -> str:
        return "".join(f"{' ' * 2 * level}- [ ] a\n" for level in range(levels))

    assert len(list(parse(deep(MOST_LEVELS)).walk())) == MOST_LEVELS
    assert places(deep(MOST_LEVELS + 1)) == places(deep(900)) == [(MOST_LEVELS + 1, 2 * MOST_LEVELS + 1)]
    assert places("# a\n" + deep(MOST_LEVELS)) == [(MOST_LEVELS + 1, 2 * MOST_LEVELS - 1)]


def test_what_is_too_large_is_refused() -> None:
    assert len(parse("- [ ] a\n" * MOST_TASKS).tasks) == MOST_TASKS
    assert places("- [ ] a\n" * (MOST_TASKS + 3)) == [(MOST_TASKS + 1, 1)]
    assert places("\n" * MOST_LINES) == [(MOST_LINES + 1, 1)]
    assert parse(" " * MOST_BYTES) == Document()
    assert places(" " * (MOST_BYTES + 1)) == places("é" * (MOST_BYTES // 2 + 1)) == [(1, 1)]


def test_a_title_takes_as_much_as_the_column_of_a_ticket() -> None:
    assert Ticket._meta.get_field("title").max_length == MOST_TITLE


@given(st.characters())
def test_a_character_is_refused_in_a_title_where_the_house_refuses_it(char: str) -> None:
    try:
        clean_text(f"a{char}b", max_length=None, multiline=False)
    except ValidationError as error:
        if error.code != "newline":
            assert places(f"- [ ] a{char}b") == [(1, 8)]
    else:
        parse(f"- [ ] a{char}b")


# -- There and back ---------------------------------------------------------------------------------------------------

SPECIAL = [
    "@ada", "#lead", "#109", "!2h", "!2x", "~customer", "~x", "\\", "\\@a", "\\\\#b", "C#", "a@b.example", "{{ x }}",
    "[x]", "- [ ]", "![[runbook:a]]", "##", "```", "*", "@", "1.", "|", "é", "\u00a0x", "日本",
]  # fmt: skip
PRINTED = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # noqa: E501  # fmt: skip
WORDS = st.lists(st.sampled_from(SPECIAL) | st.text(PRINTED, min_size=1, max_size=8), min_size=1, max_size=6)
TITLES = (
    WORDS.map(" ".join)
    .map(lambda text: f"{text} a".strip() if text.endswith("x") else text.strip())
    .filter(lambda text: any(char.isalnum() for char in text))
)
LINES = st.sampled_from(
    [
        "", "  ", "text", "\ttab", "    code", "- item", "- [ ] box", "* [x] box", "\\- [ ] box", "  - [x]", "#",
        "## heading", "\\# a", "![[runbook:a]]", "![[picture.png]]", "```", "````", "```sh", "~~~", "~~~~~",
        "```action", "\\```", "x: {}", "> quote", "a  ", "\\\\", "{{ value }}", "\u202eright to left", "\u3000",
    ]
)  # fmt: skip
TEXTS = st.lists(LINES | st.text(PRINTED, max_size=12), max_size=8).map("\n".join).map(str.strip)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["true", "Null", "12", "1e5", "a b", "it's", '"', "\\", "{{ x }}", "", "a\n\tb", "\u2028", "```"])
    | st.text(PRINTED, max_size=8)
)  # fmt: skip
KEYS = st.sampled_from(["a", "to", "true", "1", "a b", "", "{"]) | st.text(PRINTED, max_size=5)
VALUES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=3), max_leaves=6
)
ACTIONS = st.builds(Automation, name=st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), parameters=st.dictionaries(KEYS, VALUES, max_size=3))  # noqa: E501  # fmt: skip
RUNBOOKS = st.builds(Task, kind=st.just("runbook"), slug=st.from_regex(r"[a-z0-9][a-z0-9_-]{0,9}", fullmatch=True))
TAGS = st.lists(
    st.from_regex(r"[a-zäж][a-z0-9-]{0,5}", fullmatch=True).filter(lambda tag: tag != "lead"), max_size=3, unique=True
)


def tasks(children: st.SearchStrategy[tuple[Task, ...]], **more: Any) -> st.SearchStrategy[Task]:
    return st.builds(
        Task,
        title=TITLES,
        who=st.sampled_from(["", "ada", "technical_lead", "a.b-c+d@b.example", "4"]),
        minutes=st.none() | st.integers(1, 365 * 24 * 60),
        lead=st.booleans(),
        tags=TAGS.map(tuple),
        shared=st.booleans(),
        description=st.just("") | TEXTS,
        action=st.none() | ACTIONS,
        children=children,
        **more,
    )


def several(part: st.SearchStrategy[Task]) -> st.SearchStrategy[tuple[Task, ...]]:
    return st.lists(part, max_size=3).map(tuple)


def groups(below: st.SearchStrategy[tuple[Task, ...]]) -> st.SearchStrategy[tuple[Task, ...]]:
    """Tickets, and then headings: what stands after a heading is below it."""
    return st.tuples(BRANCHES, several(tasks(below, kind=st.just("group")))).map(lambda pair: pair[0] + pair[1])


BRANCHES = st.recursive(
    st.just(()), lambda below: several(RUNBOOKS | tasks(below, done=st.booleans())), max_leaves=4
)  # fmt: skip
DOCUMENTS = st.builds(Document, tasks=st.recursive(BRANCHES, groups, max_leaves=3), introduction=TEXTS)


@given(DOCUMENTS)
def test_a_document_is_read_back_as_it_was(document: Document) -> None:
    text = render(document)
    assert parse(text) == document
    assert repr(parse(text).values) == repr(document.values)
    assert render(parse(text)) == text


@given(ACTIONS)
def test_parameters_keep_their_types(action: Automation) -> None:
    again = only(render(Document(tasks=(Task(title="a", action=action),)))).action
    assert repr(again) == repr(action)


@given(
    st.lists(st.tuples(st.sampled_from(["", " ", "  ", "    ", "\t"]), LINES | TITLES | st.just("- [ ] a"))),
    st.booleans(),
)
def test_any_text_is_refused_with_places_in_it_or_written_the_same_for_good(
    typed: list[tuple[str, str]], loose: bool
) -> None:
    text = "\n".join(indent + line for indent, line in typed)
    errors: tuple[TaskLineError, ...] = ()
    try:
        document = parse(text, loose=loose)
    except TaskLinesRefused as refused:
        errors, document = refused.errors, Document()
    lines = text.split("\n")
    assert len(errors) <= MOST_ERRORS
    assert all(1 <= error.column <= len(lines[error.line - 1]) + 1 for error in errors)
    assert parse(render(document)) == document
    assert render(parse(render(document))) == render(document)


@pytest.mark.parametrize(
    "task",
    [
        Task(),
        Task(title=" a"),
        Task(title="a\nb"),
        Task(title="a", description=" b"),
        Task(title="a", description="b\x00"),
        Task(title="a", who="a b"),
        Task(title="a", tags=("lead",)),
        Task(title="a", tags=("b", "b")),
        Task(title="a", minutes=0),
        Task(title="a", minutes=-5),
        Task(title="a", kind="group", done=True),
        Task(title="a", children=(Task(title="b", kind="group"),)),
        Task(kind="runbook", slug="A"),
        Task(kind="runbook", slug="a", title="b"),
        Task(title="a", action=Automation(name="a", parameters={"b": float("inf")})),
        Task(title="a", action=Automation(name="a: {} b")),
    ],
)
def test_what_no_text_can_say_is_not_written(task: Task) -> None:
    with pytest.raises(TaskLinesRefused):
        render(Document(tasks=(Task(title="before"), task)))


def test_a_branch_that_is_too_deep_is_not_written() -> None:
    task = Task(title="a")
    for _ in range(2000):
        task = Task(title="a", children=(task,))
    with pytest.raises(TaskLinesRefused) as refused:
        render(Document(tasks=(task,)))
    assert refused.value.errors[0].line == MOST_LEVELS + 1


def test_headings_are_written_from_the_second_level_while_there_is_room() -> None:
    assert render(parse("# a\n### b\n- [ ] c\n")) == "## a\n\n### b\n\n- [ ] c\n"
    six = "".join(f"{'#' * level} a\n" for level in range(1, 7))
    assert render(parse(six)).startswith("# a\n")


# -- The package ------------------------------------------------------------------------------------------------------


def test_the_language_needs_nothing_but_python() -> None:
    files = [*sorted((ROOT / "runbooks/tasklines").glob("*.py")), ROOT / "core/characters.py"]
    assert len(files) > 6
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                ours = name.startswith("runbooks.tasklines") or name == "core.characters"
                assert ours or name.split(".")[0] in sys.stdlib_module_names, path
    assert not ast.parse((ROOT / "core/__init__.py").read_text(encoding="utf-8")).body[1:]  # it is imported, too
    assert ast.get_docstring(ast.parse(Path(ROOT / "tickets/__init__.py").read_text(encoding="utf-8")))
