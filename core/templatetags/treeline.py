"""Small tags that every template may use: marks, times, bars. What they are given is escaped (format_html)."""

import datetime as dt
import re
from collections.abc import Collection
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select, Textarea
from django.template.defaultfilters import date
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html

from core import compare
from core.access import NEEDED

register = template.Library()

TEAM_RIGHTS = NEEDED["team"]
STAGES = {  # status: class that colours it, word
    "detected": ("detected", "Detected"),
    "analyzing": ("analyzing", "Analyzing"),
    "contained": ("contained", "Contained"),
    "eradicated": ("eradicated", "Eradicated"),
    "recovered": ("recovered", "Recovered"),
    "post_incident_review": ("review", "Post-Incident Review"),
    "closed": ("closed", "Closed"),
}
STATES = {
    "todo": "open",
    "doing": "doing",
    "blocked": "waiting",
    "done": "done",
    "dropped": "dropped",
}  # category: mark
LEADS = {  # disposition of a lead: mark, words
    "": ("open", "Lead"),
    "confirmed": ("confirmed", "Lead confirmed"),
    "ruled_out": ("ruledout", "Lead ruled out"),
    "dead_end": ("ruledout", "Lead, dead end"),
    "parked": ("parked", "Lead, parked"),
}
SEVERITIES = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
CLOCKS = {  # how a ticket stands with its clock: mark
    "on_track": "clock", "at_risk": "hourglass", "breached": "triangle-alert", "paused": "circle-pause",
    "met": "check", "late": "triangle-alert",
}  # fmt: skip
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
SOON = dt.timedelta(hours=1)
CURRENT = format_html(' aria-current="{}"', "page")
WAITING = '<span class="clock c-waiting" title="Waiting for {0}">{1}{0}</span>'
RELATIVE = (
    '<relative-time datetime="{}" format="relative" format-style="narrow" precision="minute" threshold="P7D" prefix=""'
    ' title="{}">{} ago</relative-time>'
)


# -- Marks ------------------------------------------------------------------------------------------------------------
@register.simple_tag
def icon(name: str, css: str = "") -> str:
    """An icon of the sprite, hidden from screen readers: the word beside it speaks."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"/></svg>', css, static("vendor/lucide.svg"), name
    )


@register.simple_tag
def glyph(name: str, css: str = "") -> str:
    """One of the product's own marks (static/icons.svg): sev-…, stage-1 to stage-7, tk-…, lead-…, brand."""
    return format_html(
        '<svg class="glyph {}" aria-hidden="true"><use href="{}#{}"/></svg>', css, static("icons.svg"), name
    )


@register.simple_tag
def severity_mark(severity: str) -> str:
    """How bad it is: shape, word and colour."""
    known = severity if severity in SEVERITIES else "low"
    return format_html('<span class="sev sev-{}">{}{}</span>', known, glyph(f"sev-{known}"), SEVERITIES[known])


@register.simple_tag
def stage_mark(status: str, css: str = "") -> str:
    """Where an incident stands: a pie that fills by sevenths, its word and colour."""
    known = status if status in STAGES else "detected"
    colour, word = STAGES[known]
    return format_html('<span class="tag c-{} {}">{}{}</span>', colour, css, stage_glyph(known), word)


@register.simple_tag
def stage_glyph(status: str) -> str:
    """Only the pie of a status."""
    return glyph(f"stage-{list(STAGES).index(status) + 1 if status in STAGES else 1}")


@register.simple_tag
def state_mark(category: str, words: str) -> str:
    """What is happening to a ticket: the mark of the status's category, and its name."""
    known = STATES.get(category, "open")
    return format_html('<span class="state c-{}">{}{}</span>', known, glyph(f"tk-{known}"), words)


@register.simple_tag
def lead_mark(disposition: str = "") -> str:
    """That a ticket is a lead, and what became of it."""
    mark, words = LEADS.get(disposition, LEADS[""])
    return format_html('<span class="flag is-{}">{}{}</span>', mark, glyph(f"lead-{mark}"), words)


@register.simple_tag
def bar(done: int, busy: int = 0, total: int = 0, css: str = "", label: bool = True) -> str:
    """How much of what is below is done, and how much is being worked on."""
    part = 100 / total if total else 0.0
    first, second = min(100.0, done * part), min(100.0 - min(100.0, done * part), busy * part)
    words = (
        format_html(
            '<span>{}<span class="visually-hidden"> of </span><span aria-hidden="true">/</span>{}</span>', done, total
        )
        if label
        else ""
    )
    return format_html(
        '<span class="rollup {}"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="d" height="6" width="{}"/><rect class="p" height="6" x="{}" width="{}"/></svg>{}</span>',
        css, f"{first:.1f}", f"{first:.1f}", f"{second:.1f}", words,
    )  # fmt: skip


# -- Times ------------------------------------------------------------------------------------------------------------
def duration(length: dt.timedelta) -> str:
    """In words as short as the mocks: 42 m, 3 h 05 m, 2 d 7 h 40 m; a sign is dropped."""
    minutes = int(abs(length).total_seconds()) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days > 6:
        return f"{days} d"
    if days:
        return f"{days} d {hours} h {rest:02d} m"
    return f"{hours} h {rest:02d} m" if hours else f"{rest} m"


def _time(moment: dt.datetime, text: str) -> str:
    utc = moment.astimezone(dt.UTC)
    title = date(utc, "D j M Y H:i:s") + " UTC"
    return format_html('<time datetime="{}" title="{}">{}</time>', utc.isoformat(timespec="seconds"), title, text)


@register.simple_tag
def when(moment: dt.datetime | None, form: str = "") -> str:
    """A moment in UTC: "14 Nov 06:52"; form "time" gives 06:52, "date" 14 Nov, "full" 14 Nov 2026 06:52 UTC."""
    if moment is None:
        return ""
    utc = moment.astimezone(dt.UTC)
    year = "" if utc.year == timezone.now().year and form != "full" else " Y"
    formats = {"time": "H:i", "date": f"j M{year}", "full": "j M Y H:i"}
    text = date(utc, formats.get(form, f"j M{year} H:i"))
    return _time(utc, f"{text} UTC" if form == "full" else text)


@register.simple_tag
def ago(moment: dt.datetime | None) -> str:
    """How long ago, kept right by the browser; without script it says what was right when the page was made."""
    if moment is None:
        return ""
    utc = moment.astimezone(dt.UTC)
    title = date(utc, "D j M Y H:i:s") + " UTC"
    return format_html(RELATIVE, utc.isoformat(timespec="seconds"), title, duration(timezone.now() - utc))


@register.simple_tag
def span(start: dt.datetime | None, end: dt.datetime | None = None) -> str:
    """How long from `start` to `end` (to now without it): "2 d 7 h 40 m"."""
    return duration((end or timezone.now()) - start) if start else ""


@register.simple_tag
def clock(due: dt.datetime | None, ended: dt.datetime | None = None, waiting: str = "") -> str:
    """What is left until `due`: hourglass within the hour, triangle when over, check when it ended in time."""
    late = due is not None and (ended or timezone.now()) > due
    if waiting and not ended and not late:
        return format_html(WAITING, waiting, icon("circle-pause"))
    if due is None:
        return ""
    left = due - (ended or timezone.now())
    if ended:
        kind, mark, text = ("late", "triangle-alert", f"{duration(left)} late") if late else ("met", "check", "met")
    elif late:
        kind, mark, text = "over", "triangle-alert", f"{duration(left)} over"
    else:
        kind, mark = ("soon", "hourglass") if left <= SOON else ("ok", "clock")
        text = duration(left)
    title = date(due.astimezone(dt.UTC), "j M Y H:i") + " UTC"
    return format_html('<span class="clock c-{}" title="Due {}">{}{}</span>', kind, title, icon(mark), text)


@register.filter
def minutes(count: int | None) -> str:
    """A length in minutes as people write it: 1h 30m."""
    if count is None:
        return ""
    hours, rest = divmod(count, 60)
    days, hours = divmod(hours, 24)
    return " ".join(f"{number}{unit}" for number, unit in zip((days, hours, rest), "dhm", strict=True) if number)


@register.filter
def lasting(count: int | None) -> str:
    """A length in minutes to be read, not typed: 1 h 30 m, as all other times on a page."""
    return re.sub(r"(?<=\d)(?=[dhm])", " ", minutes(count))


@register.simple_tag
def clock_icon(state: str) -> str:
    """The mark of how a ticket stands with its clock."""
    return icon(CLOCKS.get(state, "clock"))


@register.filter
def is_picture(name: str) -> bool:
    """Whether a file is called as pictures are that a page may show; what its bytes say is asked when it is served."""
    return str(name).lower().endswith(PICTURES)


# -- Frame ------------------------------------------------------------------------------------------------------------
@register.filter
def team(rights: Collection[str]) -> bool:
    """Whether these rights are those of our own people (not of a customer, not of nobody)."""
    return not TEAM_RIGHTS.isdisjoint(rights)


@register.simple_tag(takes_context=True)
def place(
    context: template.Context,
    view: str,
    name: str,
    mark: str,
    *,
    under: str = "",
    more: bool = False,
    key: str = "",
    **parts: str,
) -> str:
    """A link of the side navigation; nothing where the place does not exist. `more` places are not on a phone's bar.

    `key` is what leads there: "g m" is G, then M; `parts` are those of its address.
    """
    try:
        url = reverse(view, kwargs=parts)
    except NoReverseMatch:
        return ""
    path = context["request"].path if "request" in context else ""
    here = path == url or path.startswith(under or (url if url != "/" else "//"))
    return format_html(
        '<a class="nav-link {}" href="{}" title="{}"{}{}>{}<span class="label">{}</span></a>',
        "more not-s" if more else "", url, name, CURRENT if here else "",
        format_html(' data-hotkey="{}"', key) if key else "", icon(mark), name,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def tab(context: template.Context, key: str, name: str, view: str, count: int = 0) -> str:
    """A tab of the incident in `context`; nothing where its page does not exist. The n-th tab answers to the key n."""
    try:
        url = reverse(view, kwargs={"number": context["incident"].number})
    except NoReverseMatch:
        return ""
    here = CURRENT if context.get("tab") == key else ""
    number = format_html('<span class="count">{}</span>', count) if count else ""
    return format_html('<a href="{}" data-tab{}>{}{}</a>', url, here, name, number)


# -- Forms ------------------------------------------------------------------------------------------------------------
def _widget_class(field: BoundField) -> str:
    widget = field.field.widget
    if isinstance(widget, (CheckboxInput, CheckboxSelectMultiple, RadioSelect)):
        return "form-check-input"
    return "form-select" if isinstance(widget, Select) else "form-control"


@register.simple_tag
def control(field: BoundField, autofocus: object = False) -> str:
    """The field's widget in the product's clothes, tied to its help and error by id."""
    css = " ".join(filter(None, [field.field.widget.attrs.get("class", ""), _widget_class(field)]))
    return field.as_widget(attrs={"class": css, **({"autofocus": True} if autofocus else {})})


@register.filter
def is_check(field: BoundField) -> bool:
    """A single checkbox, whose label stands behind it."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_markdown(field: BoundField) -> bool:
    """A text in Markdown, with a preview beside it."""
    return "data-markdown" in field.field.widget.attrs


@register.filter
def is_bare(field: BoundField) -> bool:
    """A text in Markdown without a preview: there is no object yet that it would be shown in."""
    return bool(field.field.widget.attrs.get("data-markdown") == "bare")


@register.filter
def is_choices(field: BoundField) -> bool:
    """Several checkboxes or radio buttons: a group with a legend."""
    return isinstance(field.field.widget, (CheckboxSelectMultiple, RadioSelect))


@register.simple_tag
def clashes(conflict: Any, form: Any) -> list[dict[str, Any]]:
    """Fields that two people changed: name, label, theirs and mine as text to read and as value to post.

    Long text has `pieces` as well, which lead from theirs to mine (core.compare; None if that is too much to compare).

    `conflict` is a core.models.versions.Conflict, `form` the bound form that was refused.
    """
    rows: list[dict[str, Any]] = []
    for name in conflict.fields:
        bound, theirs, mine = form[name], getattr(conflict.theirs, name), conflict.mine.get(name)
        row = {"name": bound.html_name, "label": str(bound.label)}
        row |= {"theirs": _shown(bound, theirs), "their_value": _posted(bound, theirs)}
        row |= {"mine": _shown(bound, mine), "my_value": _posted(bound, mine)}
        if theirs and mine and isinstance(bound.field.widget, Textarea):
            row |= {"is_long": True, "pieces": compare.difference(row["theirs"], row["mine"])}
        rows.append(row)
    return rows


@register.simple_tag
def carried(conflict: Any, form: Any) -> list[tuple[str, str]]:
    """Name and value of everything else: what was submitted, but what its editor left alone as it is by now."""
    rest: list[tuple[str, str]] = []
    for name in form.fields:
        bound, sent = form[name], form.data.getlist(form.add_prefix(name))
        if name in conflict.fields or name == "version":
            continue
        if name in conflict.untouched:
            sent = [_posted(bound, getattr(conflict.theirs, name))]
        rest += [(bound.html_name, value) for value in sent]
    return rest


def _posted(bound: BoundField, value: Any) -> str:
    """What a browser would have sent for this value."""
    prepared = bound.field.prepare_value(value)
    if isinstance(bound.field.widget, CheckboxInput):
        return "on" if prepared else ""
    if isinstance(prepared, (list, tuple)):
        return "\n".join(str(item) for item in prepared)
    if isinstance(bound.field.widget, (Select, RadioSelect)):
        return "" if prepared is None else str(prepared)
    return str(bound.field.widget.format_value(prepared) or "")


def _shown(bound: BoundField, value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, dt.datetime):
        return date(value.astimezone(dt.UTC), "j M Y H:i") + " UTC"
    choices = dict(getattr(bound.field, "choices", ()) or ()) if isinstance(value, str) else {}
    return str(choices.get(value, value))
