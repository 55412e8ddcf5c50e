"""The forms of a page, as a browser finds them: where they go, and what they would send untouched.

A form with several buttons is several forms here, since a browser sends the one that was pressed and no other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any


@dataclass(frozen=True)
class Button:
    """One that sends its form: what it adds to it (a name, or nothing), and whether the form is only shown again."""

    name: str = ""
    value: str = ""
    shows: bool = False


@dataclass
class Form:
    """One form and the button that is pressed: `values` is what it sends untouched, `files` names its file inputs."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    pressed: Button = Button()
    main: bool = True  # there is one such among the forms that differ by their button: the one most like a save

    @property
    def key(self) -> tuple[str, str, tuple[str, ...], Button]:
        """The same for the same form on another page."""
        return self.method, self.action, tuple(sorted([*self.values, *self.files])), self.pressed


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms = page, list[Form]()
        self.form: Form | None = None
        self.buttons: list[Button] = []
        self.select = self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = given.get("action") or given.get("hx-post") or self.page
            method = "post" if given.get("method", "").lower() == "post" or "hx-post" in given else "get"
            self.form, self.buttons = Form(action=action.split("#")[0], method=method), []
        elif self.form is not None and tag in ("input", "textarea", "select", "option"):
            self._control(self.form, tag, given)
        elif self.form is not None and tag == "button" and given.get("type", "submit") == "submit":
            self.buttons.append(Button(given.get("name", ""), given.get("value", ""), "formnovalidate" in given))

    def _control(self, form: Form, tag: str, given: dict[str, Any]) -> None:
        name, kind = given.get("name", ""), given.get("type", "")
        if tag == "option":
            if self.select and ("selected" in given or self.select not in form.values):
                form.values[self.select] = given.get("value", "")
        elif tag == "select":
            self.select = name
        elif not name:
            return
        elif kind == "file":
            form.files.append(name)
        elif tag == "textarea":
            self.area = name
            form.values[name] = ""
        elif kind in ("checkbox", "radio"):
            if "checked" in given or name not in form.values:
                form.values[name] = given.get("value", "on")
        elif tag == "input":
            form.values[name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.form is not None and self.area:
            self.form.values[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self.form is not None:
            self.forms += list(_pressed(self.form, self.buttons))
            self.form = None
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""


def _pressed(form: Form, buttons: list[Button]) -> Iterator[Form]:
    """The form as each of its buttons sends it, the main one first."""
    found = sorted(dict.fromkeys(buttons), key=lambda one: (one.shows, bool(one.name)))
    for number, button in enumerate(found or [Button()]):
        sent = {button.name: button.value} if button.name else {}
        yield replace(form, values={**form.values, **sent}, pressed=button, main=number == 0)


def forms(html: str, page: str) -> list[Form]:
    """All forms of the page at this address, once for each button."""
    reader = _Reader(page)
    reader.feed(html)
    return reader.forms
