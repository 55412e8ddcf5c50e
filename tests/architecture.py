"""The house rules as functions over source text: each gives the places that break it, as `path:line what to do`.

They are kept apart from test_architecture.py, which runs them over the house and shows each one failing on a sample.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ["core", "people", "incidents", "tickets", "runbooks", "comms", "intake", "reporting", "config"]
ROOMS = FLOORS[1:-1]
TRACKED = {
    "Incident", "RoleAssignment", "Ticket", "Comment", "Attachment", "User", "Customer", "TicketStatus",
    "TicketPriority", "ClockTarget", "TimeEntry", "Handover", "ShiftHandover", "Document", "Version", "Run",
    "Suggestion", "Automation", "ActionSwitch", "Secret", "AllowedHost", "EscalationRule",
}  # fmt: skip
DERIVED = {
    "folded", "last_ticket", "tickets_total", "tickets_done", "leads_total", "leads_done", "comments_total",
    "files_total", "next_due_at", "updated_at", "category", "urgency", "start_by", "finish_by", "clock_at", "risk_at",
    "clock_state", "automated",
}  # fmt: skip
WRITES = {"save", "create", "delete", "apply", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
BULK = {"bulk_create", "bulk_update", "bulk_create_with_history", "bulk_update_with_history"}
METHODS = {"require_safe", "require_POST", "require_GET", "require_http_methods"}
ACCESS = {"guarded", "open_to"}
VERB = re.compile(r"[a-z_]+\.[a-z_]+")
UNSAFE_TEMPLATE = re.compile(
    r"\|\s*safe(?:seq)?\b|autoescape\s+off|<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|hx-on"
)
MOST_FILE, MOST_FUNCTION, MOST_TEMPLATE = 400, 40, 150
Function = ast.FunctionDef | ast.AsyncFunctionDef
Problems = list[str]


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Path (from the root) and text of every Python file below the folders, without migrations."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def templates() -> Iterator[tuple[str, str]]:
    """Path (from the root) and text of every template."""
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in (".html", ".txt"):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def called(node: ast.Call) -> str:
    """The last name of what is called: `journal.record(…)` is "record"."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def dotted(node: ast.AST) -> str:
    """`a.b.c` as text; what is not made of names alone gives what can be said of it from the left, or nothing."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def chain_root(node: ast.AST) -> str:
    """What a chain of calls begins with: `Incident.objects.filter(…).update(…)` is "Incident"."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


def decorators(function: Function) -> list[str]:
    """Their last names, outermost first."""
    found = (node.func if isinstance(node, ast.Call) else node for node in function.decorator_list)
    return [dotted(node).rsplit(".", 1)[-1] for node in found]


def is_room(path: str, *layers: str) -> bool:
    """Whether the path is in one of these layers (a folder or a module) of a room."""
    parts = Path(path).with_suffix("").parts
    return len(parts) > 1 and parts[0] in FLOORS and parts[1] in layers


def _is_queryset_update(node: ast.Call) -> bool:
    # A dict's update has positional arguments, a queryset's has none.
    return called(node) == "update" and isinstance(node.func, ast.Attribute) and not node.args and bool(node.keywords)


def _writes(function: Function) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if called(node) == "record" and dotted(node.func) == "journal.record":
                return True
            if _is_queryset_update(node) or (called(node) in WRITES and chain_root(node) != "default_storage"):
                return True
    return False


def writes_outside_actions(path: str, text: str, *, helpers: Collection[str] = ()) -> Problems:
    """Public functions of actions/ that write are actions, with `actor` and keyword arguments only."""
    if not is_room(path, "actions"):
        return []
    module, found = path.removesuffix(".py").replace("/", "."), []
    for function in ast.parse(text).body:
        if not isinstance(function, Function) or function.name.startswith("_"):
            continue
        names = {argument.arg for argument in function.args.kwonlyargs}
        if "action" in decorators(function):
            if "actor" not in names or function.args.args or function.args.posonlyargs:
                found.append(f"{path}:{function.lineno} {function.name} takes keywords only, `actor` among them")
        elif _writes(function) and f"{module}.{function.name}" not in helpers:
            found.append(f"{path}:{function.lineno} {function.name} writes: make it an @action or a _helper")
    return found


def helpers_in_doors(path: str, text: str, *, helpers: Collection[str]) -> Problems:
    """What writes inside an action is called by actions alone, never by a view, task, form, command or admin."""
    if not is_room(path, "views", "tasks", "forms", "queries", "admin", "api", "management"):
        return []
    names = {name.rsplit(".", 1)[-1] for name in helpers}
    return [
        f"{path}:{node.lineno} {called(node)} belongs inside an action"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and called(node) in names
    ]


def unsafe_html(path: str, text: str, *, allowed: Collection[str] = ()) -> Problems:
    """Safe strings are made in the allowed files alone; format_html has a literal first."""
    if path in allowed:
        return []
    tree, found = ast.parse(text), []
    fixed = {
        name.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for name in node.targets
        if isinstance(name, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in {"mark_safe", "SafeString", "SafeText", "SafeData"}:
                found.append(f"{path}:{node.lineno} {name}: render text with core.markdown, markup with format_html")
        if isinstance(node, ast.Call) and called(node) in {"format_html", "format_html_join"}:
            at = 1 if called(node) == "format_html_join" else 0
            form = node.args[at] if len(node.args) > at else None
            if not isinstance(form, ast.Constant) and getattr(form, "id", "") not in fixed:
                found.append(f"{path}:{node.lineno} {called(node)} with a format that is no literal")
    return found


def unsafe_template(path: str, text: str) -> Problems:
    """No |safe, no autoescape off, no inline script, style or handler. Mails are plain text and escape nothing."""
    return [
        f"{path}:{number} {match[0].strip()}: autoescape everything; scripts and styles are files"
        for number, line in enumerate(text.splitlines(), 1)
        for match in UNSAFE_TEMPLATE.finditer(line)
        if not path.endswith(".txt")
    ]


def class_views(path: str, text: str) -> Problems:
    """Views are functions."""
    if not is_room(path, "views", "urls"):
        return []
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and any(dotted(base).endswith(("View", "Mixin")) for base in node.bases):
            found.append(f"{path}:{node.lineno} {node.name}: write a function view")
        if isinstance(node, ast.Call) and called(node) == "as_view":
            found.append(f"{path}:{node.lineno} as_view: write a function view")
    return found


def routed(path: str, text: str) -> set[str]:
    """The views that a room's urls.py leads to, as `room/views/module.py function`."""
    if not is_room(path, "urls"):
        return set()
    room = path.split("/", maxsplit=1)[0]
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and called(node) == "path" and len(node.args) > 1:
            module, _, name = dotted(node.args[1]).rpartition(".")
            found.add(f"{room}/views/{module}.py {name}")
    return found


def undeclared_methods(
    path: str, text: str, *, views: Collection[str], allowed: Mapping[str, str] | None = None
) -> Problems:
    """Every view that a URL leads to says outermost which methods it answers and right below who may use it."""
    found = []
    for function in ast.parse(text).body:
        if not isinstance(function, Function) or f"{path} {function.name}" not in {*views} - {*(allowed or {})}:
            continue
        names = decorators(function)
        if not names or names[0] not in METHODS or not set(names[1:]) & ACCESS:
            found.append(f"{path}:{function.lineno} {function.name}: @require_… first, then @guarded or @open_to")
    return found


def safe_views_that_write(path: str, text: str, *, allowed: Collection[str] = ()) -> Problems:
    """A view that answers GET alone calls no action."""
    if not is_room(path, "views"):
        return []
    tree, found = ast.parse(text), []
    doors = _imported_from_actions(tree)
    for function in functions(tree):
        if "require_safe" not in decorators(function) and "require_GET" not in decorators(function):
            continue
        found += [
            f"{path}:{node.lineno} {function.name} answers GET and calls {called(node)}: only POST writes"
            for node in ast.walk(function)
            if isinstance(node, ast.Call) and chain_root(node.func) in doors and called(node) not in allowed
        ]
    return found


def _imported_from_actions(tree: ast.AST) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and ".actions" in f".{node.module}."
        for alias in node.names
        if alias.name[:1].islower()
    }


def unfiltered_objects(path: str, text: str, *, allowed: Mapping[str, str] | None = None) -> Problems:
    """In a view, what comes from the database begins with `objects.visible_to(user)`, or with what the guard gave.

    That is: with `objects.filter(incident=incident)`, where the function has a parameter annotated with a model. A part
    of the URL (an int, a str) is no such thing.
    """
    if not is_room(path, "views", "api"):
        return []
    tree = ast.parse(text)
    fine = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "visible_to"}
    for function in functions(tree):
        fine |= _through_the_guarded(function)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}:
            if id(node) not in fine and f"{path} {dotted(node)}" not in (allowed or {}):
                found.append(f"{path}:{node.lineno} {dotted(node)}: begin with objects.visible_to(user), or a query")
        elif isinstance(node, ast.Call) and called(node) in {"get_object_or_404", "get_list_or_404"}:
            found.append(f"{path}:{node.lineno} {called(node)}: @guarded fetches the object")
    return found


def _through_the_guarded(function: Function) -> set[int]:
    """Managers of which `filter` or `get` is called with an object that came as an argument."""
    given = {
        argument.arg
        for argument in function.args.args
        if argument.arg != "request" and argument.annotation is not None and dotted(argument.annotation)[:1].isupper()
    }
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"filter", "get"}:
            used = {name.id for keyword in node.keywords for name in ast.walk(keyword) if isinstance(name, ast.Name)}
            if used & given:
                found.add(id(node.func.value))
    return found


def bulk_writes(path: str, text: str, *, allowed: Mapping[str, str]) -> Problems:
    """Tracked rows are saved one by one; update() sets derived columns alone, and stands in actions and models."""
    found = []
    at_home = is_room(path, "actions", "models", "tree")
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        bulk = called(node) in BULK
        if not bulk and not _is_queryset_update(node):
            continue
        root = chain_root(node.func)
        columns = {keyword.arg for keyword in node.keywords}
        if root in TRACKED and (bulk or not columns - {None} <= DERIVED):
            found.append(f"{path}:{node.lineno} {root}: history sees no {called(node)}; save each row in an action")
        elif not at_home and path not in allowed:
            found.append(f"{path}:{node.lineno} {called(node)}: writes belong in actions/")
    return found


def hidden_imports(path: str, text: str, *, allowed: Mapping[str, str]) -> Problems:
    """Imports stand at the top; a circle is a design fault."""
    if path in allowed or path.endswith("/apps.py"):
        return []
    return [
        f"{path}:{node.lineno} {function.name}: move the import to the top"
        for function in functions(ast.parse(text))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def signals(path: str, text: str, *, allowed: Collection[str]) -> Problems:
    """Nobody listens to signals but the one door to the login library's."""
    if path in allowed:
        return []
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        module = getattr(node, "module", None) or ""
        names = [module, *(f"{module}.{alias.name}".lstrip(".") for alias in node.names)]
        if any(name.endswith(".signals") or name == "django.dispatch" for name in names):
            found.append(f"{path}:{node.lineno} signals: write an action, and a reaction to its entry")
    return found


def too_long(path: str, text: str) -> Problems:
    """A file has at most 400 lines, a function's body (docstring aside) 40, a template 150."""
    lines = len(text.splitlines())
    if not path.endswith(".py"):
        return [f"{path}:1 {lines} lines: make it two parts"] if lines > MOST_TEMPLATE else []
    found = [f"{path}:1 {lines} lines: two nouns live here"] if lines > MOST_FILE else []
    for function in functions(ast.parse(text)):
        body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
        length = (body[-1].end_lineno or 0) - body[0].lineno + 1
        if length > MOST_FUNCTION:
            found.append(f"{path}:{function.lineno} {function.name} has {length} lines: name its steps")
    return found


def undeclared_inputs(path: str, text: str) -> Problems:
    """A component says in its first line what it takes: {# components/badge.html — label: str #}."""
    name = path.removeprefix("templates/")
    first, short = text.split("\n", 1)[0], name.removeprefix("components/")
    if name != short and not re.match(r"\{# (components/)?" + re.escape(short) + r" — .+ #\}", first):
        return [f"{path}:1 begin with {{# {short} — what it takes #}}"]
    return []


def recorded_verbs(path: str, text: str) -> dict[str, str]:
    """The verbs that a room writes, each with the room."""
    if not is_room(path, "actions", "logins", "admin"):
        return {}
    constants = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return {
        value: path.split("/", maxsplit=1)[0] for value in constants if isinstance(value, str) and VERB.fullmatch(value)
    }


def reactions_from_above(path: str, text: str, *, verbs: Mapping[str, str], allowed: Collection[str] = ()) -> Problems:
    """A room reacts to what rooms below it record, and lives in reactions.py."""
    found = []
    room = path.split("/", maxsplit=1)[0]
    for function in functions(ast.parse(text)):
        for node in function.decorator_list:
            if not isinstance(node, ast.Call) or called(node) != "on":
                continue
            for word in (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)):
                if word in allowed:
                    continue
                if word not in verbs:
                    found.append(f"{path}:{function.lineno} nobody records {word}")
                elif FLOORS.index(room) <= FLOORS.index(verbs[word]):
                    found.append(f"{path}:{function.lineno} {word} is recorded by {verbs[word]}: call, don't react")
            if not path.endswith("/reactions.py"):
                found.append(f"{path}:{function.lineno} @on belongs in reactions.py")
    return found


def over(files: Iterator[tuple[str, str]], rule: Callable[..., Problems], **settings: object) -> Problems:
    """What a rule finds in all these files."""
    return [problem for path, text in files for problem in rule(path, text, **settings)]
