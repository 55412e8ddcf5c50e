"""The forms of a page, as a browser finds them: where they go, and what they would send untouched."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any


@dataclass
class Form:
    """One form: `values` is what it sends untouched, `files` the names of its file inputs."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        """The same for the same form on another page."""
        return self.method, self.action, tuple(sorted([*self.values, *self.files]))


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms = page, []  # type: ignore[var-annotated]
        self.form: Form | None = None
        self.select = self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = given.get("action") or given.get("hx-post") or self.page
            method = "post" if given.get("method", "").lower() == "post" or "hx-post" in given else "get"
            self.form = Form(action=action.split("#")[0], method=method)
        elif self.form is not None and tag in ("input", "textarea", "select", "button", "option"):
            self._control(self.form, tag, given)

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
        elif tag == "input" or (tag == "button" and name not in form.values):
            form.values[name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.form is not None and self.area:
            self.form.values[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self.form is not None:
            self.forms.append(self.form)
            self.form = None
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""


def forms(html: str, page: str) -> list[Form]:
    """All forms of the page at this address."""
    reader = _Reader(page)
    reader.feed(html)
    return reader.forms
