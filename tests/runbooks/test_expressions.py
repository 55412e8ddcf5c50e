"""Templates and conditions of automations read values, and nothing else, however they are written."""

import json
import time
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from runbooks.expressions import (
    MOST_FILLED,
    check_condition,
    check_template,
    fill,
    holds,
    secrets_in,
)
from runbooks.values import ExpressionError, plain

CONTEXT: dict[str, Any] = {
    "asset": "FS01", "affectedUsers": 80, "severity": "high", "tags": ["a", "b"], "nothing": None,
    "incident": {"number": "IR-1", "items": "mine", "affectedUsers": 80, "tags": ["mail"]},
    "steps": {"lookup": {"status": 200, "body": {"verdict": "bad"}, "text": "{{ secrets.token }} {{ 7+7 }}"}},
    "secrets": {"token": "hunter22"},
}  # fmt: skip


# -- What they are for ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain text, even with { and }", "plain text, even with { and }"),
        ("https://x.example/{{ asset }}?n={{ affectedUsers }}", "https://x.example/FS01?n=80"),
        ("{{ affectedUsers }}", 80),
        ("{{ tags }}", ["a", "b"]),
        ("tags: {{ tags }}", 'tags: ["a", "b"]'),
        ("{{ tags|join(', ') }}", "a, b"),
        ("{{ tags|first }}{{ tags|last }}", "ab"),
        ("{{ tags[0] }}{{ tags[-1] }}", "ab"),
        ("{{ steps.lookup.body.verdict|upper }}", "BAD"),
        ("{{ steps['lookup']['status'] }}", 200),
        ("{{ incident.items }}", "mine"),
        ("{{ steps.other.status|default('unknown') }}", "unknown"),
        ("{{ nothing }}", None),
        ("[{{ nothing }}]", "[]"),
        ("{{ 'big' if affectedUsers > 50 else 'small' }}", "big"),
        ("{{ asset is defined and other is undefined }}", True),
        ("{{ asset|lower|replace('fs', 'host-') }}", "host-01"),
        ("{{ affectedUsers + 1 - 2 }}", 79),
        ("{{ 'a' + 'b' }}", "ab"),
        ("{{ '7'|int + 1 }}{{ 2.5|round }}", "82"),
        ("{{ tags|length }}", 2),
        ("{{ incident.tags|tojson }}", '["mail"]'),
        ("{{ '\ud800' | urlencode }}", "%3F"),
        ("who={{ 'a&b=/ü ?' | urlencode }}", "who=a%26b%3D%2F%C3%BC%20%3F"),
        ("Bearer {{ secrets.token }}", "Bearer hunter22"),
        ("{% raw %}{{ as it is }}{% endraw %}", "{{ as it is }}"),
    ],
)
def test_a_template_becomes_its_value(template: str, value: Any) -> None:
    assert fill(template, CONTEXT) == value
    assert type(fill(template, CONTEXT)) is type(value)


def test_parameters_are_filled_wherever_they_stand_and_names_are_not() -> None:
    given = {"a": ["{{ asset }}", 1, None, {"{{ asset }}": "{{ tags }}"}]}
    assert fill(given, CONTEXT) == {"a": ["FS01", 1, None, {"{{ asset }}": ["a", "b"]}]}


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("affectedUsers > 50", True), ("affectedUsers > 80", False),
        ("severity == 'high' and affectedUsers >= 80", True),
        ("severity in ['high', 'critical']", True), ("'mail' in incident.tags", True), ("not nothing", True),
        ("nothing > 50", False), ("other > 50", False), ("not (other > 50)", False), ("other", False),
        ("steps.lookup.status == 200", True), ("steps.later.status == 200", False), ("asset > 5", False), ("'x'", True),
    ],
)  # fmt: skip
def test_a_condition_holds_or_not_and_what_is_unknown_does_not(condition: str, value: bool) -> None:
    assert holds(condition, CONTEXT) is value


# -- What they cannot do ----------------------------------------------------------------------------------------------
HOSTILE = [
    "{{ asset.__class__ }}",
    "{{ asset['__class__'] }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ asset|attr('__class__') }}",
    "{{ incident.items() }}",
    "{{ asset.upper() }}",
    "{{ '%s'|format(asset) }}",
    "{{ '{0.__class__}'.format(asset) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ range(1000000000) }}",
    "{% for x in tags %}{{ x }}{% endfor %}",
    "{% set x = 1 %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% if 1 %}x{% endif %}",
    "{{ self }}{{ self._TemplateReference__context }}",
    "{{ lipsum.__globals__ }}",
    "{{ cycler }}",
    "{{ _context }}",
    "{{ asset ~ asset }}",
    "{{ tags[0:1] }}",
    "{{ {'a': 1} }}",
    "{{ tags|map('upper') }}",
    "{{ tags|sort }}",
    "{{ tags|join(attribute='x') }}",
    "{{ asset|default(*tags) }}",
    "{{ asset is callable }}",
    "{{ asset is filter }}",
    "{{ secrets }}",
    "{{ secrets|tojson }}",
    "{{ secrets.token|upper }}",
    "{{ secrets['token'] }}",
    "{{ secrets.token == 'h' }}",
    "{{ 'x' if secrets.token > 'a' else 'y' }}",
    "{{ [secrets.token]|first }}",
    "{{",
    "{{ }}",
    "{{ a b }}",
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "{{ " + "not " * 3000 + "1 }}",
    "{{ " + "1+" * 4000 + "1 }}",
    "{{ " + "a." * 3000 + "a }}",
    "{{ 1" + "0" * 5000 + " }}",
    "{{ 1e999 }}",
    "x" * 20_001 + "{{ a }}",
    "{{ asset[asset] }}",
    "{{ true.real }}",
    "{{ 1 // 0 }}",
    "{{ 5 % 2 }}",
    "{{ namespace }}",
    "{{ joiner() }}",
    "{{ loop }}",
    "{{ caller() }}",
    "{{ asset|tojson|safe }}",
    "{{ asset|pprint }}",
    "{{ asset|xmlattr }}",
    "{{ (1, 2).count }}",
]


@pytest.mark.parametrize("template", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_not_on_the_list_is_refused_with_a_reason_at_once(template: str) -> None:
    began = time.monotonic()
    with pytest.raises(ExpressionError) as refused:
        fill(template, CONTEXT)
    assert str(refused.value).endswith(".")
    assert time.monotonic() - began < 2


CONDITIONS = [
    "", "affectedUsers >", "affectedUsers > 50; 1", "incident.__class__", "asset.upper()", "secrets.token", "a" * 501,
    "secrets.token == 'x'", "{{ a }}", "a }} b", "a b", "9**9", "(" * 200 + "1" + ")" * 200, "x if", "import os",
]  # fmt: skip


@pytest.mark.parametrize("condition", CONDITIONS, ids=range(len(CONDITIONS)))
def test_a_condition_that_is_none_is_refused_where_it_is_written(condition: str) -> None:
    with pytest.raises(ValidationError):
        check_condition(condition)


@pytest.mark.parametrize("template", [one for one in HOSTILE if "1 // 0" not in one][:30])
def test_the_form_refuses_what_running_would_refuse(template: str) -> None:
    try:
        check_template(template)
    except ValidationError:
        return
    with pytest.raises(ExpressionError, match="Nothing here is named"):  # well written, of something there is not
        fill(template, CONTEXT)


@pytest.mark.parametrize(
    "template",
    [
        "{{ long|replace('a', long) }}", "{{ many|join(long) }}", "{{ long + long + long + long + long }}",
        "{{ long }}{{ long }}{{ long }}{{ long }}{{ long }}",
    ],
)  # fmt: skip
def test_nothing_grows_beyond_the_limit(template: str) -> None:
    began = time.monotonic()
    with pytest.raises(ExpressionError, match=f"{MOST_FILLED:,}"):
        fill(template, {"long": "a" * 65_000, "many": ["b"] * 5000})
    assert time.monotonic() - began < 2


def test_many_parameters_do_not_grow_beyond_it_together() -> None:
    with pytest.raises(ExpressionError, match=f"{MOST_FILLED:,}"):
        fill(["{{ long }}"] * 5, {"long": "a" * 65_000})


def test_a_value_that_looks_like_a_template_stays_text() -> None:
    assert fill("got {{ steps.lookup.text }}", CONTEXT) == "got {{ secrets.token }} {{ 7+7 }}"
    assert fill({"a": "{{ steps.lookup.text }}"}, CONTEXT) == {"a": "{{ secrets.token }} {{ 7+7 }}"}


def test_secrets_are_known_by_name_before_anything_is_filled() -> None:
    parameters = {
        "headers": {"a": "Bearer {{ secrets.token }}"},
        "x": ["{{ secrets.other }}"],
        "y": "{{ steps.secrets }}",
    }
    assert secrets_in(parameters) == {"token", "other"}
    with pytest.raises(ExpressionError):
        fill(parameters, {key: value for key, value in CONTEXT.items() if key != "secrets"})


class Sly(str):  # noqa: SLOT000
    """A text with something behind it."""

    secret = "found"

    def __str__(self) -> str:
        return "sly"


def test_templates_see_data_only() -> None:
    found = plain({"a": Sly("x"), "b": object, 3: {1, 2}, "nan": float("nan"), "nul": "a\x00b\ud800"})
    assert type(found["a"]) is str
    assert json.loads(json.dumps(found))["3"] == [1, 2]
    assert found["nul"] == "ab?"
    with pytest.raises(ExpressionError):
        fill("{{ a.secret }}", {"a": Sly("x")})


@pytest.mark.parametrize("value", [[[]] * 20_000, 2**70])
def test_data_has_limits(value: Any) -> None:
    with pytest.raises(ExpressionError):
        plain(value)


def test_data_that_nests_without_end_is_refused() -> None:
    deep: list[Any] = []
    deep.append(deep)
    with pytest.raises(ExpressionError):
        plain(deep)
