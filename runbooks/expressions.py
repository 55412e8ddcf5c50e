"""Templates and conditions of automations: a small part of Jinja that can only read values. The one door to jinja2.

    fill({"url": "https://x.example/{{ asset }}", "n": "{{ steps.count.number }}"}, context)
    holds("affectedUsers > 50 and severity == 'high'", context)

What is allowed is a list of nodes of the syntax tree: names, `a.b`, `a["b"]`, `a[0]`, texts, numbers, lists,
comparisons, `and`, `or`, `not`, `if … else`, `+`, `-`, `is defined`, and the filters below. There is no call, no loop,
no statement and no multiplication, so the work is bounded by the length of the text; and a value is plain data
(`plain`), so there is no attribute that could lead anywhere. A value is put in once: what it holds is never read as a
template.

A secret stands alone, as `{{ secrets.name }}`: no filter and no comparison can turn it into something that masking does
not know.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ValidationError
from jinja2 import StrictUndefined, TemplateError, Undefined, nodes
from jinja2.environment import TemplateExpression
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runbooks.values import DEEPEST_DATA, MOST_INTEGER, Data, ExpressionError, plain, text_of

MOST_TEXT = 20_000
"""Characters of one template."""
MOST_CONDITION = 500
MOST_NODES, DEEPEST = 400, 25
"""Nodes of the syntax tree of one template, and how deep they nest."""
MOST_FILLED = 256 * 1024
"""Characters that any value on the way has, and all filled parameters together."""
SECRETS = "secrets"
BROKEN = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError)


def _missing(value: Undefined) -> str:
    return f"Nothing here is named “{value._undefined_name}”."


def _bounded(text: str) -> str:
    if len(text) > MOST_FILLED:
        raise ExpressionError(f"This would become longer than {MOST_FILLED:,} characters.")
    return text


# -- Filters: none can make more than it was given, but by a length that is asked before ------------------------------
def _default(value: Any, other: Any = "") -> Any:
    return other if value is None or isinstance(value, Undefined) else value


def _replace(value: Any, old: Any, new: Any) -> str:
    text = text_of(plain(value))
    if not isinstance(old, str) or not isinstance(new, str) or not old:
        raise ExpressionError("replace needs two texts, and the first must not be empty.")
    if len(text) + text.count(old) * len(new) > MOST_FILLED:
        raise ExpressionError(f"This would become longer than {MOST_FILLED:,} characters.")
    return text.replace(old, new)


def _join(value: Any, by: Any = "") -> str:
    parts = [text_of(one) for one in _list(value)]
    if not isinstance(by, str) or sum(map(len, parts)) + len(parts) * len(by) > MOST_FILLED:
        raise ExpressionError(f"This would become longer than {MOST_FILLED:,} characters.")
    return by.join(parts)


def _list(value: Any) -> list[Any]:
    found = plain(value)
    if isinstance(found, dict | str):
        return list(found)
    if not isinstance(found, list):
        raise ExpressionError("This filter needs a list.")
    return found


def _number(value: Any, other: Any = 0) -> Any:
    try:
        found = int(plain(value))
    except (ValueError, TypeError, OverflowError):
        return other
    return plain(found)


def _round(value: Any, digits: int = 0) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(digits, int):
        raise ExpressionError("round needs a number.")
    return round(value, max(0, min(digits, 10))) if digits else round(value)


FILTERS: dict[str, Callable[..., Any]] = {
    "default": _default,
    "lower": lambda value: text_of(plain(value)).lower(),
    "upper": lambda value: text_of(plain(value)).upper(),
    "trim": lambda value: text_of(plain(value)).strip(),
    "length": lambda value: len(_list(value)),
    "join": _join,
    "replace": _replace,
    "first": lambda value: next(iter(_list(value)), None),
    "last": lambda value: next(iter(_list(value)[-1:]), None),
    "int": _number,
    "round": _round,
    "tojson": lambda value: json.dumps(plain(value), ensure_ascii=False),
    "urlencode": lambda value: quote(text_of(plain(value)), safe="", errors="replace"),
}
TESTS = {"defined", "undefined", "none"}


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, and narrower: a name after a dot is looked up in data and nowhere else."""

    intercepted_binops = frozenset({"+", "-"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj  # as long as nothing but `default` and `is defined` looks at it
        if isinstance(obj, dict) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, list) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(name=str(argument))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        texts = isinstance(left, str) and isinstance(right, str) and operator == "+"
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (left, right))
        for one in (left, right):
            if isinstance(one, Undefined):
                raise ExpressionError(_missing(one))
        if not texts and not numbers:
            raise ExpressionError(f"{operator} needs two numbers{' or two texts' if operator == '+' else ''}.")
        return _bounded(left + right) if texts else plain(left + right if operator == "+" else left - right)


_environment = _Environment(undefined=StrictUndefined, optimized=False, autoescape=False, cache_size=0)
_environment.filters = dict(FILTERS)
_environment.globals = {}
_environment.tests = {name: _environment.tests[name] for name in TESTS} | {
    name: _environment.tests[name] for name in ("eq", "ne", "lt", "le", "gt", "ge", "in") if name in _environment.tests
}

# -- What is allowed --------------------------------------------------------------------------------------------------
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.List, nodes.Tuple, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Add, nodes.Sub, nodes.CondExpr, nodes.Filter,
    nodes.Test,
)  # fmt: skip
_WORDS: dict[type[nodes.Node], str] = {
    nodes.Call: "Nothing can be called here.",
    nodes.Mul: "There is no multiplication here.",
    nodes.Pow: "There is no power here.",
    nodes.Concat: "Put texts together with + or by writing them side by side.",
    nodes.Slice: "There are no slices here.",
    nodes.Dict: "Write mappings as parameters, not inside a template.",
}


def _check(expression: nodes.Node) -> None:
    """Refuse all that is not on the list.

    Raises:
        ExpressionError: says what.
    """
    if _secret(expression):
        return
    count = 0
    todo: list[tuple[nodes.Node, int]] = [(expression, 1)]
    while todo:
        node, depth = todo.pop()
        count += 1
        if count > MOST_NODES or depth > DEEPEST:
            raise ExpressionError("This is too long or nests too deep: do it in several steps.")
        _check_one(node)
        todo += [(child, depth + 1) for child in node.iter_child_nodes()]


def _check_one(node: nodes.Node) -> None:
    if type(node) not in _ALLOWED:
        raise ExpressionError(_WORDS.get(type(node), f"“{type(node).__name__}” is not allowed here."))
    if isinstance(node, nodes.Const) and isinstance(node.value, int | float) and abs(node.value) >= MOST_INTEGER:
        raise ExpressionError("A number is too large.")
    if isinstance(node, nodes.Name) and node.name == SECRETS:
        raise ExpressionError("A secret stands alone: {{ secrets.name }}, with nothing around it inside the braces.")
    name = node.attr if isinstance(node, nodes.Getattr) else node.name if isinstance(node, nodes.Name) else ""
    if name.startswith("_"):
        raise ExpressionError(f"No name begins with _: “{name}”.")
    if isinstance(node, nodes.Getitem) and not _is_constant_key(node.arg):
        raise ExpressionError("Between [ and ] stands a text in quotes or a whole number.")
    if isinstance(node, nodes.Filter) and (node.name not in FILTERS or node.node is None):
        raise ExpressionError(f"There is no filter “{node.name}”. Possible: {', '.join(sorted(FILTERS))}.")
    if isinstance(node, nodes.Filter | nodes.Test) and (node.kwargs or node.dyn_args or node.dyn_kwargs):
        raise ExpressionError("Filters take plain values, without names and stars.")
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        raise ExpressionError(f"There is no test “{node.name}”. Possible: is defined, is undefined, is none.")


def _is_constant_key(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Neg):
        return isinstance(node.node, nodes.Const) and type(node.node.value) is int
    return isinstance(node, nodes.Const) and type(node.value) in (int, str) and not str(node.value).startswith("_")


def _secret(node: nodes.Node) -> str:
    """The name, where the whole expression is a secret."""
    found = isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == SECRETS
    return node.attr if found and isinstance(node, nodes.Getattr) else ""


# -- Reading ----------------------------------------------------------------------------------------------------------
_Part = str | TemplateExpression


@lru_cache(maxsize=512)
def _parts(text: str) -> tuple[tuple[nodes.Expr | str, _Part], ...]:
    """A template as the texts and expressions it is made of.

    Raises:
        ExpressionError: it is not allowed.
    """
    if len(text) > MOST_TEXT:
        raise ExpressionError(f"A template has at most {MOST_TEXT:,} characters.")
    try:
        tree = _environment.parse(text)
    except BROKEN as problem:
        raise ExpressionError(_said(problem)) from problem
    found: list[tuple[nodes.Expr | str, _Part]] = []
    for block in tree.body:
        if not isinstance(block, nodes.Output):
            raise ExpressionError("There are no statements here: {% is not allowed.")
        for node in block.nodes:
            part = node.data if isinstance(node, nodes.TemplateData) else _compiled(node)
            found.append((node, part))
    return tuple(found)


def _compiled(expression: nodes.Expr) -> TemplateExpression:
    _check(expression)
    body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)]
    try:
        template = _environment.from_string(nodes.Template(body, lineno=1))
    except (*BROKEN, SyntaxError) as problem:
        raise ExpressionError("This is too long or nests too deep: do it in several steps.") from problem
    return TemplateExpression(template, undefined_to_none=False)


@lru_cache(maxsize=512)
def _condition(text: str) -> TemplateExpression:
    if len(text) > MOST_CONDITION:
        raise ExpressionError(f"A condition has at most {MOST_CONDITION} characters.")
    try:
        parser = Parser(_environment, text, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise ExpressionError(f"A condition is one expression; “{parser.stream.current.value}” is too much.")
    except BROKEN as problem:
        raise problem if isinstance(problem, ExpressionError) else ExpressionError(_said(problem)) from problem
    if _secret(expression):
        raise ExpressionError("A condition cannot use secrets.")
    return _compiled(expression)


def _said(problem: Exception) -> str:
    message = getattr(problem, "message", "") or "it cannot be read"
    return f"This does not read well: {str(message)[:200]}."


def _value(expression: TemplateExpression, context: Mapping[str, Data]) -> Data:
    try:
        found = expression(context)
    except ExpressionError:
        raise
    except BROKEN as problem:
        raise ExpressionError(_why(problem)) from problem
    return _known(found)


def _known(value: Any) -> Data:
    """As plain data; a name that means nothing has no value."""
    for one in value if isinstance(value, list | tuple) else [value]:
        if isinstance(one, Undefined):
            raise ExpressionError(_missing(one))
    return plain(value)


def _why(problem: Exception) -> str:
    message = str(getattr(problem, "message", "") or problem)
    if message.endswith("is undefined"):
        return f"Nothing here is named “{message.split(chr(39))[1] if chr(39) in message else message}”."
    return f"This cannot be worked out: {message[:200]}."


def pieces(text: str, context: Mapping[str, Data]) -> Iterator[tuple[str, bool]]:
    """A template in its order: what is written there, and each value as text, with whether it is one."""
    for _, part in _parts(text):
        yield (part, False) if isinstance(part, str) else (text_of(_value(part, context)), True)


def _filled(text: str, context: Mapping[str, Data]) -> Data:
    parts = _parts(text)
    if len(parts) == 1 and not isinstance(parts[0][1], str):
        return _value(parts[0][1], context)
    found = ""
    for piece, _ in pieces(text, context):
        found = _bounded(found + piece)
    return found


def _walk(value: Data, text: Callable[[str], Data], depth: int = 0) -> Data:
    if depth > DEEPEST_DATA:
        raise ExpressionError("The parameters nest too deep.")
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return {key: _walk(item, text, depth + 1) for key, item in value.items()}
    return [_walk(item, text, depth + 1) for item in value] if isinstance(value, list) else value


def _texts(value: Data) -> Iterator[str]:
    found: list[str] = []
    _walk(value, found.append)
    return iter(found)


# -- Doors ------------------------------------------------------------------------------------------------------------
def fill(parameters: Data, context: Mapping[str, Any]) -> Data:
    """The parameters with their templates filled. A text that is one template alone keeps the type of its value.

    Raises:
        ExpressionError: a template is not allowed, a value is missing, or it becomes too much.
    """
    known = {name: plain(value) for name, value in context.items()}
    left = [MOST_FILLED]

    def text(template: str) -> Data:
        found = _filled(template, known) if "{" in template else template
        left[0] -= len(text_of(found))
        if left[0] < 0:
            raise ExpressionError(f"The parameters would become longer than {MOST_FILLED:,} characters.")
        return found

    return _walk(parameters, text)


def holds(condition: str, context: Mapping[str, Any]) -> bool:
    """Whether the condition holds. What speaks of something that is not known (yet) does not.

    Raises:
        ExpressionError: it is not allowed.
    """
    expression = _condition(condition.strip())
    known = {name: plain(value) for name, value in context.items()}
    try:
        return bool(_value(expression, known))
    except ExpressionError:
        return False


def secrets_in(parameters: Data) -> set[str]:
    """The names of the secrets that templates in these parameters use.

    Raises:
        ExpressionError: a template is not allowed.
    """
    nodes_ = (node for text in _texts(parameters) if "{" in text for node, _ in _parts(text))
    return {name for node in nodes_ if not isinstance(node, str) and (name := _secret(node))}


def check_template(text: str) -> None:
    """Say what is wrong with a template.

    Raises:
        ValidationError: it is not allowed.
    """
    try:
        _parts(text)
    except ExpressionError as problem:
        raise ValidationError(str(problem)) from problem


def check_condition(text: str) -> None:
    """Say what is wrong with a condition.

    Raises:
        ValidationError: it is empty or not allowed.
    """
    if not text.strip():
        raise ValidationError("Write a condition, for example: affectedUsers > 50")
    try:
        _condition(text.strip())
    except ExpressionError as problem:
        raise ValidationError(str(problem)) from problem
