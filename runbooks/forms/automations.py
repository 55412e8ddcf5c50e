"""Forms about automations: what a ticket does by itself, the parameters of each action, and what people are asked."""

import json
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import AsciiIntegerField, MultilineText, VisibleText
from core.models.versions import Conflict
from runbooks.expressions import MOST_TEXT, SECRETS, check_condition, check_template, secrets_in
from runbooks.models import Automation, Trigger
from runbooks.models.automations import MOST_RETRIES
from runbooks.registry import ACTIONS, ActionKind, Parameter
from runbooks.values import ExpressionError, plain, text_of

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MOST_LINES = 200


class LinesField(MultilineText):
    """A list: one text on each line; or JSON, for more than texts."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text.startswith("["):
            return _json(text, list)
        return [line.strip() for line in text.split("\n") if line.strip()][:MOST_LINES]

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        simple = all(isinstance(one, str) and "\n" not in one for one in value)
        return "\n".join(value) if simple else json.dumps(value, ensure_ascii=False, indent=2)


class PairsField(MultilineText):
    """A mapping: `name: value` on each line; or JSON, for more than texts."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text.startswith("{") and not text.startswith("{{"):
            return _json(text, dict)
        found: dict[str, str] = {}
        for line in [line for line in text.split("\n") if line.strip()][:MOST_LINES]:
            name, colon, rest = line.partition(":")
            if not colon or not name.strip():
                raise ValidationError(f"Write name: value on each line; this is none: {line[:60]}")
            found[name.strip()] = rest.strip()
        return found

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        simple = all(isinstance(one, str) and "\n" not in one for one in value.values())
        if simple:
            return "\n".join(f"{name}: {one}" for name, one in value.items())
        return json.dumps(value, ensure_ascii=False, indent=2)


def _json(text: str, kind: type[Any]) -> Any:
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as problem:
        raise ValidationError("This begins like JSON and is none.") from problem
    if not isinstance(found, kind):
        raise ValidationError("This is JSON, but of another kind.")
    try:
        return plain(found)
    except ExpressionError as problem:
        raise ValidationError(str(problem)) from problem


def _refuse(word: str) -> None:
    raise ValueError(word)


def field_of(one: Parameter, *, template: bool) -> forms.Field:
    """The form's field of a parameter. Where a `template` may stand, a number is text at first."""
    shared: dict[str, Any] = {"label": one.label or one.name, "required": one.required, "help_text": one.help}
    if one.kind == "choice":
        empty = [] if one.required or one.default else [("", "–")]
        return forms.ChoiceField(choices=[*empty, *one.choices], **shared)
    if one.kind == "flag":
        return forms.BooleanField(**{**shared, "required": False})
    if one.kind == "list":
        return LinesField(max_length=MOST_TEXT, **shared)
    if one.kind == "mapping":
        return PairsField(max_length=MOST_TEXT, **shared)
    if one.kind == "long":
        return MultilineText(max_length=MOST_TEXT, **shared)
    if one.kind == "number" and not template:
        return AsciiIntegerField(**shared)
    return VisibleText(max_length=2000, **shared)


class ParametersForm(forms.Form):
    """The parameters of one action, each a template where it is text."""

    def __init__(self, data: Any = None, *, kind: ActionKind, given: Mapping[str, Any] | None = None) -> None:
        given = given or {}
        first = {f"p-{one.name}": given.get(one.name, one.default) for one in kind.parameters}
        super().__init__(data, initial=first)
        self.kind = kind
        self.more = {name: value for name, value in given.items() if name not in {one.name for one in kind.parameters}}
        for one in kind.parameters:
            self.fields[f"p-{one.name}"] = field = field_of(one, template=True)
            if isinstance(field, MultilineText):
                field.widget.attrs["rows"] = 5  # an action may have several of them in one dialog

    def clean(self) -> dict[str, Any]:
        """Every template reads well, and secrets are only where they may be."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in list(data.items()):
            try:
                for text in _texts(value):
                    check_template(text)
                if not self.kind.outward and secrets_in(value):
                    raise ValidationError(f"{{{{ {SECRETS}.… }}}} is only for actions that reach out of Treeline.")
            except ValidationError as problem:
                self.add_error(name, problem)
            except ExpressionError as problem:
                self.add_error(name, str(problem))
        return data

    @property
    def parameters(self) -> dict[str, Any]:
        """What is kept: what was given, numbers as numbers; and what the form does not know of."""
        found = dict(self.more)
        for one in self.kind.parameters:
            value = self.cleaned_data.get(f"p-{one.name}")
            if value in (None, "", [], {}):
                continue
            number = one.kind == "number" and isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value)
            found[one.name] = int(value) if number else value
        return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    return [text for one in value for text in _texts(one)] if isinstance(value, list) else []


class AutomationForm(forms.Form):
    """What is done and when. `fields_of` is the action whose parameters are sent along."""

    version = AsciiIntegerField(required=False, widget=forms.HiddenInput)
    fields_of = VisibleText(required=False, max_length=60, widget=forms.HiddenInput)
    action = forms.ChoiceField(label="What is done")
    trigger = forms.ChoiceField(label="When", choices=Trigger.choices)
    condition = VisibleText(
        max_length=500, required=False, label="Only if",
        help_text="A condition, as: affectedUsers > 50 and severity == 'high'",
    )  # fmt: skip
    name = VisibleText(
        max_length=40, required=False, label="Name",
        help_text="Later steps use what comes out by it: {{ steps.name.… }}",
    )  # fmt: skip
    needs_approval = forms.BooleanField(required=False, label="Somebody who leads has to agree each time")
    retries = AsciiIntegerField(
        required=False, min_value=0, max_value=MOST_RETRIES, label="Further tries", initial=0,
        help_text="Where the other side is in trouble; the time between them grows.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = sorted((kind.label, kind.name) for kind in ACTIONS.values())
        self.fields["action"].choices = [(name, label) for label, name in known]  # type: ignore[attr-defined]

    @classmethod
    def initial_of(cls, automation: Automation | None) -> dict[str, Any]:
        """What the form begins with."""
        if automation is None:
            return {"trigger": Trigger.CLICK, "retries": 0}
        names = ("version", "action", "trigger", "condition", "name", "needs_approval", "retries")
        return {name: getattr(automation, name) for name in names}

    def clean_condition(self) -> str:
        """It reads well."""
        condition: str = self.cleaned_data["condition"]
        if condition:
            check_condition(condition)
        return condition

    def clean_name(self) -> str:
        """It can stand in a template."""
        name: str = self.cleaned_data["name"]
        if name and not NAME.fullmatch(name):
            raise ValidationError("Small letters, digits and _, beginning with a letter.")
        return name

    def clean_retries(self) -> int:
        """None is none."""
        return self.cleaned_data["retries"] or 0

    def clean(self) -> dict[str, Any]:
        """What waits for a condition has one."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("trigger") == Trigger.CONDITION and not data.get("condition") and "condition" not in self.errors:
            self.add_error("condition", "Say what it waits for.")
        return data


class BothForm(forms.Form):
    """All that was sent, and what two people changed of it: each parameter is a field of its own.

    Where they chose different actions, that is one choice, with all their parameters.
    """

    def __init__(self, form: AutomationForm, parameters: ParametersForm, conflict: Conflict) -> None:
        super().__init__(form.data)
        self.fields.update({**form.fields, **parameters.fields})
        rows = {"theirs": conflict.theirs, "base": conflict.base}
        said = {who: self._said(row, parameters.kind) if row is not None else None for who, row in rows.items()}
        mine = {**conflict.mine, **_named(conflict.mine["parameters"], parameters.kind)}
        self.conflict = Conflict(theirs=said["theirs"], base=said["base"], mine=mine, fields=conflict.fields)
        if "parameters" in conflict.fields:
            self.conflict.fields = self._clashing(conflict, parameters.kind)

    @staticmethod
    def _said(row: Any, kind: ActionKind) -> SimpleNamespace:
        names = (*AutomationForm.base_fields, "parameters")
        columns = {name: getattr(row, name) for name in names if name != "fields_of"}
        return SimpleNamespace(**columns, **_named(row.parameters, kind), fields_of=row.action)

    def _clashing(self, conflict: Conflict, kind: ActionKind) -> list[str]:
        others = [name for name in conflict.fields if name not in ("action", "parameters")]
        theirs, mine = self.conflict.theirs, self.conflict.mine
        if theirs.action != kind.name:
            told = {theirs.action: theirs.parameters, kind.name: mine["parameters"]}
            self.fields["action"].choices = [(name, _told(name, given)) for name, given in told.items()]  # type: ignore[attr-defined]
            return ["action", *others]
        names = [name for name in _named({}, kind) if getattr(theirs, name) != mine[name]]
        changed = [name for name in names if name not in self.conflict.untouched]
        base = self.conflict.base
        both = [name for name in changed if base is None or getattr(base, name) != getattr(theirs, name)]
        return [*(both or changed), *others]


def _named(parameters: Mapping[str, Any], kind: ActionKind) -> dict[str, Any]:
    """By the names of their fields."""
    return {f"p-{one.name}": parameters.get(one.name, one.default) for one in kind.parameters}


def _told(name: str, parameters: Mapping[str, Any]) -> str:
    """An action with its parameters, to be read."""
    label = ACTIONS[name].label if name in ACTIONS else name
    return "\n".join([label, *(f"{key}: {text_of(value)}" for key, value in parameters.items())])


class AnswerForm(forms.Form):
    """What `ask_human` asks for: the fields that its question names."""

    def __init__(self, data: Any = None, *, question: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.names: list[str] = []
        for given in question.get("fields", []):
            choices = tuple((text_of(key), text_of(words)) for key, words in given.get("choices", []))
            one = Parameter(**{**given, "choices": choices})
            self.fields[f"a-{one.name}"] = field_of(one, template=False)
            self.names.append(one.name)

    @property
    def answers(self) -> dict[str, Any]:
        """By their names, those left empty among them."""
        return {name: self.cleaned_data.get(f"a-{name}") for name in self.names}


class ApproveForm(forms.Form):
    """Agreeing to what `seen` names; to what one asked for oneself only with a second look."""

    seen = forms.RegexField(r"\A[0-9a-f]{64}\Z", widget=forms.HiddenInput)

    alone = forms.BooleanField(required=False, label="I asked for it myself, and nobody else here can agree")


class DeclineForm(forms.Form):
    """Why not."""

    reason = VisibleText(max_length=300, label="Why not")
