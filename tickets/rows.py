"""The lines of the tree as HTML: strings of escaped values, because a template takes twenty times as long.

Every value that a person or a tool wrote goes through `escape`; numbers are integers of the database; all else is
fixed text of this module and marks of core.templatetags.treeline.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from core.templatetags import treeline
from people.models import User
from tickets.models import Category, ClockState
from tickets.models.vocabulary import NORMAL_URGENCY
from tickets.queries.outline import SHALLOW, Outline, Row, is_late

ALL_LEVELS = 99
Lines = list[tuple[Row, bool]]
MOST = 2000  # rows of a big tree that one page carries
GRIP, TWISTY = "grip-vertical", "chevron-right"
_icon = cache(treeline.icon)
_glyph = cache(treeline.glyph)
_state = lru_cache(maxsize=256)(treeline.state_mark)
_flag = cache(treeline.lead_mark)


@cache
def _mark(name: str, words: str) -> str:
    return f'<span title="{words}">{_icon(name)}<span class="visually-hidden">{words}</span></span>'


def _count(name: str, count: int, words: str) -> str:
    return f'<span>{_icon(name)}{count}<span class="visually-hidden"> {words}</span></span>' if count else ""


def clock(row: Row, now: dt.datetime) -> str:
    """Hourglass within the hour, triangle when over, check when it ended in time; whom or what it waits for."""
    if row.category == Category.BLOCKED and not is_late(row, now):
        return _waiting(row)
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


def _waiting(row: Row) -> str:
    """Whom or what a blocked ticket waits for, and that its clock stands still meanwhile."""
    words, paused = escape(row.waiting_for), row.clock_state == ClockState.PAUSED
    if not words and not paused:
        return ""
    title = f"Waiting for {words}" if words else "Waiting"
    stands = '<span class="visually-hidden">, clock paused</span>' if paused and words else ""
    title += "; the clock is paused" if paused else ""
    return f'<span class="clock c-waiting" title="{title}">{_icon("circle-pause")}{words or "paused"}{stands}</span>'


@lru_cache(maxsize=64)
def _priority(urgency: int, words: str) -> str:
    """Its mark where it is not normal: up or down, and the word."""
    if urgency == NORMAL_URGENCY:
        return ""
    kind, mark = ("up", "chevron-up") if urgency > NORMAL_URGENCY else ("down", "chevron-down")
    hidden = '<span class="visually-hidden"> priority</span>'
    return f'<span class="prio is-{kind}" title="Priority">{_icon(mark)}{escape(words)}{hidden}</span>'


def _who(row: Row) -> str:
    if row.assignee_id is None:
        return '<span class="who"><span class="av is-none" aria-hidden="true">?</span><span>Nobody yet</span></span>'
    user = User(pk=row.assignee_id, name=row.name or "", username=row.username or "", customer_id=row.customer_id)
    name, outside = escape(str(user)), " is-ext" if row.customer_id else ""
    return (
        f'<span class="who"><span class="av a{user.colour}{outside}" title="{name}" aria-hidden="true">'
        f"{escape(user.initials)}</span><span>{name}</span></span>"
    )


def _below(row: Row, url: str) -> str:
    """The cell of a branch: how much below it is done; and, seen while it is closed, what calls for a look."""
    if not row.total:
        return ""
    done, busy = 100 * row.done / row.total, 100 * row.busy / row.total
    calls = (
        _call("clock c-over", _icon("triangle-alert"), row.over, "overdue below")
        + _call("flag is-open", _glyph("lead-open"), row.leads, "open leads below")
        + _call("news", DOT, row.news, "changed below since you last looked")
    )
    return (
        '<span class="rollup"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="d" height="6" width="{done:.1f}"/>'
        f'<rect class="p" height="6" x="{done:.1f}" width="{busy:.1f}"/></svg>'
        f'<a href="{url}tree/" tabindex="-1" title="This branch alone">{row.done}'
        '<span class="visually-hidden"> of </span><span aria-hidden="true">/</span>'
        f'{row.total}<span class="visually-hidden"> done</span></a></span>'
        f'<span class="calls">{calls}</span>'
    )


def _call(css: str, shape: str, count: int, words: str) -> str:
    """A figure of a branch with its mark; nothing for none."""
    said = f'<span class="visually-hidden"> {words}</span>'
    return f'<span class="{css}" title="{count} {words}">{shape}{count}{said}</span>' if count else ""


DOT = '<span class="dot"></span>'
CHANGED = (
    '<span class="news" title="Changed since you last looked"><span class="dot"></span>'
    '<span class="visually-hidden">changed since you last looked</span></span>'
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
    words = escape(row.headline)
    headline = f'<span class="headline" title="{words}">{words}</span>' if words else ""
    shared = _mark("eye", "Shared with the customer") if row.shared else ""
    auto = _mark("zap", "Carries something out by itself") if row.automated else ""
    talk, files = _count("message-square", row.comments, "comments"), _count("paperclip", row.files, "files")
    return (
        f'<td role="gridcell" class="k-t"><div class="tcell">{grip}{twisty}<span class="id">#{number}</span>'
        f'{CHANGED if row.changed else ""}<a class="t" href="{url}" tabindex="-1" title="{title}">{title}</a>'
        f"{_priority(row.urgency, row.priority)}{_flag(row.disposition) if row.lead else ''}"
        f'<span class="meta not-s">{auto}{shared}{talk}{files}</span>{headline}</div></td>'
    )


@dataclass(frozen=True)
class Folding:
    """Which branches of a tree are open: those above `levels`, but for the flipped; all of them under a filter.

    What is above the `selected` ticket is open in any case.
    """

    outline: Outline
    levels: int = ALL_LEVELS
    flipped: frozenset[int] = frozenset()
    unfolded: frozenset[int] = frozenset()

    def is_open(self, row: Row) -> bool:
        """Whether what is just below the row is shown."""
        if self.outline.is_filtered or row.number in self.unfolded:
            return True
        return (row.level < self.levels) != (row.number in self.flipped)


def folding(outline: Outline, *, levels: int = 0, flipped: Iterable[int] = (), selected: int | None = None) -> Folding:
    """As the reader keeps the tree (`levels` 0: nobody said how deep), as far as a page can carry that."""
    if outline.is_big:
        levels = min(levels or outline.depth(SHALLOW), outline.depth(MOST))
    return Folding(
        outline=outline, levels=levels or ALL_LEVELS, flipped=frozenset(flipped),
        unfolded=frozenset(outline.above(selected)),
    )  # fmt: skip


def _opening(row: Row, url: str, *, folds: Folding, is_open: bool, hidden: bool, selected: bool, reached: bool) -> str:
    css = f"{'is-done' if row.is_ended else ''} {'' if row.is_hit else 'is-dim'}".strip()
    branch = ""
    if row.total:
        usual = "1" if row.level < folds.levels else "0"  # what the levels alone would say
        away = " data-away" if not is_open and folds.outline.is_big else ""  # its rows are not on the page
        branch = f' aria-expanded="{"true" if is_open else "false"}" data-usual="{usual}"{away}'
    shown = ' aria-current="true"' if selected else ""
    return (
        f'<tr role="row" id="t{row.number}" data-id="{row.number}" data-version="{row.version}"'
        f' data-parent="{row.parent or ""}" data-assignee="{row.assignee_id or ""}" data-url="{url}"'
        f' aria-level="{row.level}" aria-posinset="{row.position}" aria-setsize="{row.siblings}"{branch}{shown}'
        f' tabindex="{0 if reached else -1}" class="{css}"{" hidden" if hidden else ""}>'
    )


def rows_html(
    folds: Folding, lines: Lines, *, base: str, selected: int | None = None, can_work: bool = False
) -> SafeString:
    """The `<tr>`s of the tree. `base` is the URL of the incident's tickets ("/incidents/IR-…/tickets/").

    `lines` are the rows by `shown_rows`. The selected row (else the first) is the one stop of the Tab key.
    """
    base, people, now = escape(base), _people(), folds.outline.now
    stop = selected if any(row.number == selected for row, _ in lines) else lines[0][0].number if lines else None
    out = []
    for row, hidden in lines:
        number, is_open, url, when = row.number, folds.is_open(row), f"{base}{row.number}/", clock(row, now)
        small = f'<span class="only-s">{when}</span>' if when else ""
        first = _opening(
            row, url, folds=folds, is_open=is_open, hidden=hidden, selected=number == selected, reached=number == stop
        )
        out.append(
            f"{first}{_title_cell(row, url, is_open, can_work)}"
            f'<td role="gridcell" class="k-who">{people(row)}</td>'
            f'<td role="gridcell" class="k-state">{_state(row.category, row.status)}{small}</td>'
            f'<td role="gridcell" class="k-sla">{when}</td>'
            f'<td role="gridcell" class="k-roll">{_below(row, url)}</td>'
            f'<td role="gridcell" class="k-act"><button class="rowact" type="button" tabindex="-1"'
            f' aria-label="Actions for #{number}">{_icon("ellipsis")}</button></td></tr>\n'
        )
    return mark_safe("".join(out))


def shown_rows(folds: Folding) -> Lines:
    """The rows of the page, each with whether it is hidden in a closed branch.

    Of a big tree only what is seen; under a filter what it found, with the branches above, all open.
    """
    found: Lines = []
    inside: set[int] = set()  # closed branches, and what is in them
    big = folds.outline.is_big
    for row in folds.outline.rows:
        if not row.is_shown:
            continue
        hidden = row.parent in inside
        if row.total and (hidden or not folds.is_open(row)):
            inside.add(row.number)
        if not (hidden and big):
            found.append((row, hidden))
        if big and len(found) >= MOST:
            break
    return found


def _people() -> Callable[[Row], str]:
    """The cell of a person, made once for each of them."""
    made: dict[int | None, str] = {}

    def cell(row: Row) -> str:
        if row.assignee_id not in made:
            made[row.assignee_id] = _who(row)
        return made[row.assignee_id]

    return cell
