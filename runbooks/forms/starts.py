"""Starting runbooks: what their values are, under what they go, and which of their steps are left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import VisibleText
from core.text import clean_text
from incidents.models import Incident
from people.models import User
from runbooks.crew import crew
from runbooks.expansion import Step, asked, book, expand, library, without
from runbooks.filling import MOST_VALUES, filled, length
from runbooks.models import Document
from runbooks.steps import role_or_name
from tickets.actions.quick import MOST_TITLE
from tickets.forms.moves import NumberField

# A form that is sent has at most DATA_UPLOAD_MAX_NUMBER_FIELDS fields, and a run up to 5,000 steps: those that are not
# shown are left out by name.
MOST_BOXES = 1000  # rows that are shown, each with a check box
MOST_BOOKS = 10  # at once


@dataclass(frozen=True)
class Row:
    """A step in the preview, as it will be; `key` names its check box, empty for the top of a runbook."""

    key: str
    step: Step
    title: str
    is_kept: bool  # checked, as far as it has a box
    is_in: bool  # it and all above it are
    assignee: User | None
    problem: str = ""

    @property
    def who(self) -> str:
        """Whom the line names, in words."""
        return role_or_name(self.step.task.who)

    @property
    def indent(self) -> range:
        """How deep it stands."""
        return range(self.step.depth - 1)


class StartForm(forms.Form):
    """What to insert where. After `is_valid`: `values`, `skip` by the name of the runbook; `asks` and `rows` to show.

    `versions` are those that the preview showed: who inserts another one than they saw is told.
    """

    under = NumberField(
        label="Below", required=False, help_text="Empty: at the top of the tree.",
        widget=forms.TextInput(attrs={"list": "parents", "autocomplete": "off"}),
    )  # fmt: skip

    out = VisibleText(label="Leave out as well", max_length=2000, required=False)

    def __init__(
        self, *args: Any, incident: Incident, documents: Sequence[Document], known: Mapping[str, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.incident, self.documents, self.known = incident, documents, known
        self.sent: Any = self.data  # a QueryDict where something was sent
        self.steps: dict[str, list[Step]] = {}
        self.broken: list[str] = []
        self.values: dict[str, str] = {}
        self.asks: list[tuple[str, str, str]] = []
        self._read()
        self.fields["out"].help_text = self._how_to_name()
        self.unknown: list[str] = []
        self.skip = self._skipped()
        self._ask()

    def _read(self) -> None:
        for document in self.documents:
            try:
                if document.active is None:
                    continue
                document.active.document = document
                top = book(document.active)
                self.steps[document.slug] = expand(top, library(top))
            except ValidationError as error:
                self.broken += error.messages

    @property
    def versions(self) -> list[str]:
        """Keys of the versions that its steps stand in, those of sub-playbooks among them."""
        every = [step for steps in self.steps.values() for step in steps]
        books = [book for step in every for book in (step.of, step.part) if book is not None]
        return sorted({str(one.version.pk) for one in books})

    def _skipped(self) -> dict[str, set[str]]:
        """Places whose box was shown and is not checked, and those that are named, by runbook."""
        found: dict[str, set[str]] = {slug: set() for slug in self.steps}
        for name in str(self.data.get("out", ""))[:2000].replace(",", " ").split():
            slug, _, place = name.rpartition(":")
            slug = slug or self.documents[0].slug
            if any(step.place == place for step in self.steps.get(slug, ())):
                found[slug].add(place)
            else:
                self.unknown.append(name)
        if "boxes" not in self.data:
            return found
        kept, shown = set(self.sent.getlist("keep")), self.sent.getlist("book")
        for slug, place in self._boxes():
            if slug in shown and f"{slug}:{place}" not in kept:
                found[slug].add(place)
        return found

    def _boxes(self) -> list[tuple[str, str]]:
        """Those of the rows that are shown; the top of a runbook is one of them and has none."""
        every = [(slug, step.place) for slug, steps in self.steps.items() for step in steps]
        return [(slug, place) for slug, place in every[:MOST_BOXES] if place]

    def _how_to_name(self) -> str:
        example = f"{self.documents[-1].slug}:12.3" if len(self.documents) > 1 else "12.3"
        return f"Steps that have no box here, by their place ({example}), each with all below it."

    def _ask(self) -> None:
        """What has to be given for the steps that are left, with what was typed or is known."""
        left = [step for slug, steps in self.steps.items() for step in without(steps, self.skip[slug])]
        names = asked(left)
        if len(names) > MOST_VALUES:
            self.broken.append(f"At most {MOST_VALUES} values can be asked for: these runbooks have {len(names)}.")
        for name in names[:MOST_VALUES]:
            key = f"value-{name}"
            text = str(self.data[key])[:10_000] if key in self.data else self.known.get(name, "")
            error = ""
            try:
                self.values[name] = clean_text(text, max_length=MOST_TITLE, multiline=False)
            except ValidationError as problem:
                error = " ".join(problem.messages) if text else "Give a value."
            self.asks.append((name, text[:2000], error))

    def clean(self) -> dict[str, Any]:
        if self.broken:
            raise ValidationError(self.broken)
        if self.unknown:
            self.add_error("out", f"There is no step {', '.join(self.unknown[:5])}.")
        seen = self.sent.getlist("version")
        if seen and sorted(seen) != self.versions:
            raise ValidationError("A newer version is in force by now. Look at its steps again, then insert it.")
        if any(error for _, _, error in self.asks):
            raise ValidationError("Some values are still missing.")
        if problems := [row.problem for row in self.rows if row.problem and row.is_in]:
            raise ValidationError(problems[:5])
        return dict(self.cleaned_data)

    @property
    def rows(self) -> list[Row]:
        """The branch as it will be."""
        people = crew(self.incident) if self.steps else None
        boxes = set(self._boxes())
        found = []
        for slug, steps in self.steps.items():
            left = {step.place for step in without(steps, self.skip[slug])}
            for step in steps:
                long = length(step.title, self.values) > MOST_TITLE
                found.append(
                    Row(
                        key=f"{slug}:{step.place}" if (slug, step.place) in boxes else "",
                        step=step,
                        title=filled(step.title, self.values, most=MOST_TITLE),
                        is_kept=step.place not in self.skip[slug],
                        is_in=step.place in left,
                        assignee=people.named(step.task.who) if people and step.task.who else None,
                        problem=f"With its values the title of step {step.place} is too long." if long else "",
                    )
                )
        return found
