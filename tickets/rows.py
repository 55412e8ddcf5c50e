"""The lines of the tree as HTML: strings of escaped values, because a template takes twenty times as long.

Every value that a person or a tool wrote goes through `escape`; numbers are integers of the database; all else is
fixed text of this module and marks of core.templatetags.treeline.
"""

import datetime as dt
from collections.abc import Callable
from functools import cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from core.templatetags import treeline
from people.models import User
from tickets.models import Category
from tickets.queries.outline import Outline, Row, is_late

ALL_LEVELS = 99
GRIP, TWISTY = "grip-vertical", "chevron-right"
_icon = cache(treeline.icon)
_state = cache(treeline.state_mark)
_flag = cache(treeline.lead_mark)


@cache
def _mark(name: str, words: str) -> str:
    return f'<span title="{words}">{_icon(name)}<span class="visually-hidden">{words}</span></span>'


def _count(name: str, count: int, words: str) -> str:
    return f'<span>{_icon(name)}{count}<span class="visually-hidden"> {words}</span></span>' if count else ""


def clock(row: Row, now: dt.datetime) -> str:
    """Hourglass within the hour, triangle when over, check when it ended in time; whom or what it waits for."""
    if row.waiting_for and row.category == Category.BLOCKED and not is_late(row, now):
        words = escape(row.waiting_for)
        return f'<span class="clock c-waiting" title="Waiting for {words}">{_icon("circle-pause")}{words}</span>'
    if row.clock_at is None:
        return ""
    left = row.clock_at - (row.finished_at or now)
    if row.is_ended:
        late = left < dt.timedelta(0)
        kind, mark, text = (
            ("late", "triangle-alert", f"{treeline.duration(left)} late") if late else ("met", "check", "met")
        )
    elif left < dt.timedelta(0):
        kind, mark, text = "over", "triangle-alert", f"{treeline.duration(left)} over"
    else:
        kind, mark = ("soon", "hourglass") if left <= treeline.SOON else ("ok", "clock")
        text = treeline.duration(left)
    due = row.clock_at.astimezone(dt.UTC).strftime("%d %b %Y %H:%M UTC").lstrip("0")
    return f'<span class="clock c-{kind}" title="Due {due}">{_icon(mark)}{text}</span>'


def _who(row: Row) -> str:
    if row.assignee_id is None:
        return '<span class="who"><span class="av is-none" aria-hidden="true">?</span><span>Nobody yet</span></span>'
    user = User(pk=row.assignee_id, name=row.name or "", username=row.username or "", customer_id=row.customer_id)
    name, outside = escape(str(user)), " is-ext" if row.customer_id else ""
    return (
        f'<span class="who"><span class="av a{user.colour}{outside}" title="{name}" aria-hidden="true">'
        f"{escape(user.initials)}</span><span>{name}</span></span>"
    )


def _bar(row: Row, is_open: bool) -> str:
    if not row.total:
        return ""
    done, busy = 100 * row.done / row.total, 100 * row.busy / row.total
    over = ""
    if row.over and not is_open:
        over = f'<span class="clock c-over ms-1" title="Overdue below">{row.over}</span>'
    return (
        '<span class="rollup"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="d" height="6" width="{done:.1f}"/>'
        f'<rect class="p" height="6" x="{done:.1f}" width="{busy:.1f}"/></svg>'
        f'<span>{row.done}<span class="visually-hidden"> of </span><span aria-hidden="true">/</span>{row.total}</span>'
        f"</span>{over}"
    )


def _title_cell(row: Row, url: str, is_open: bool, can_work: bool) -> str:
    number, title, grip = row.number, escape(row.title), ""
    if can_work:
        grip = f'<button class="grip" type="button" tabindex="-1" aria-label="Move #{number}">{_icon(GRIP)}</button>'
    twisty = '<span class="twisty" aria-hidden="true"></span>'
    if row.total:
        what = "Collapse" if is_open else "Expand"
        twisty = (
            f'<button class="twisty" type="button" tabindex="-1" aria-label="{what} #{number}">{_icon(TWISTY)}</button>'
        )
    flag = _flag(row.disposition) if row.lead else ""
    shared = _mark("eye", "Shared with the customer") if row.shared else ""
    talk, files = _count("message-square", row.comments, "comments"), _count("paperclip", row.files, "files")
    return (
        f'<td role="gridcell" class="k-t"><div class="tcell">{grip}{twisty}<span class="id">#{number}</span>'
        f'<a class="t" href="{url}" tabindex="-1" title="{title}">{title}</a>{flag}'
        f'<span class="meta not-s">{shared}{talk}{files}</span></div></td>'
    )


def _opening(row: Row, url: str, *, levels: int, selected: bool, reached: bool) -> str:
    css = f"{'is-done' if row.is_ended else ''} {'' if row.is_hit else 'is-dim'}".strip()
    branch = f' aria-expanded="{"true" if row.level < levels else "false"}"' if row.total else ""
    picked, hidden = ' aria-selected="true"' if selected else "", ""
    if row.level > levels:
        hidden = " hidden"
    return (
        f'<tr role="row" id="t{row.number}" data-id="{row.number}" data-version="{row.version}"'
        f' data-parent="{row.parent or ""}" data-assignee="{row.assignee_id or ""}" data-url="{url}"'
        f' aria-level="{row.level}" aria-posinset="{row.position}" aria-setsize="{row.siblings}"{branch}{picked}'
        f' tabindex="{0 if reached else -1}" class="{css}"{hidden}>'
    )


def rows_html(
    outline: Outline, *, base: str, levels: int = ALL_LEVELS, selected: int | None = None, can_work: bool = False
) -> SafeString:
    """The `<tr>`s of the tree. `base` is the URL of the incident's tickets ("/incidents/IR-…/tickets/").

    Branches deeper than `levels` are closed and what is in them is hidden. Under a filter there is only what it found,
    with the branches above, all open. The selected row (else the first) is the one stop of the Tab key.
    """
    levels = ALL_LEVELS if outline.is_filtered else levels
    base, people = escape(base), _people()
    seen = [row for row in outline.rows if row.is_shown]
    stop = selected if any(row.number == selected for row in seen) else seen[0].number if seen else None
    out = []
    for row in seen:
        number, is_open, url, when = row.number, row.level < levels, f"{base}{row.number}/", clock(row, outline.now)
        small = f'<span class="only-s">{when}</span>' if when else ""
        out.append(
            f"{_opening(row, url, levels=levels, selected=number == selected, reached=number == stop)}"
            f"{_title_cell(row, url, is_open, can_work)}"
            f'<td role="gridcell" class="k-who">{people(row)}</td>'
            f'<td role="gridcell" class="k-state">{_state(row.category, row.status)}{small}</td>'
            f'<td role="gridcell" class="k-sla">{when}</td>'
            f'<td role="gridcell" class="k-roll">{_bar(row, is_open)}</td>'
            f'<td role="gridcell" class="k-act"><button class="rowact" type="button" tabindex="-1"'
            f' aria-label="Actions for #{number}">{_icon("ellipsis")}</button></td></tr>\n'
        )
    return mark_safe("".join(out))


def _people() -> Callable[[Row], str]:
    """The cell of a person, made once for each of them."""
    made: dict[int | None, str] = {}

    def cell(row: Row) -> str:
        if row.assignee_id not in made:
            made[row.assignee_id] = _who(row)
        return made[row.assignee_id]

    return cell
