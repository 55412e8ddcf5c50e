"""The look of every page: marks that need no colour, values that stay text, templates without inline code."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.urls import include, path
from django.utils import timezone

from core.models.versions import Conflict
from core.templatetags import treeline
from people.models import User

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COMPONENTS = sorted((ROOT / "templates" / "components").glob("*.html"))
HOSTILE = "<svg/onload=alert(1)>\"'"
MARKS = (ROOT / "static" / "icons.svg").read_text(encoding="utf-8")
NOON = dt.datetime(2026, 11, 16, 12, 0, tzinfo=dt.UTC)

# -- Templates without inline code -----------------------------------------------------------------------------------
TEMPLATE_CODE = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
COMMENT = re.compile(r"{#.*?#}")
FORBIDDEN = {
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)[^>]*>", re.IGNORECASE),
    "an inline style element": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "hx-on": re.compile(r"\bhx-on\b", re.IGNORECASE),
    "an expression for htmx": re.compile(r"\bhx-[a-z:-]+\s*=\s*[\"']\s*(?:js|javascript):", re.IGNORECASE),
    "a javascript: address": re.compile(r"=\s*[\"']?\s*javascript:", re.IGNORECASE),
    "another host": re.compile(r"\b(?:src|href|action|data)\s*=\s*[\"']?(?:https?:)?//", re.IGNORECASE),
}
UNESCAPED = re.compile(r"\|\s*safe(?:seq)?\b|{%\s*autoescape\s+off|{%\s*filter\s+safe|mark_safe")


def faults(source: str) -> list[str]:
    """What of the forbidden is in this template."""
    found = ["unescaped output"] if UNESCAPED.search(COMMENT.sub("", source)) else []
    markup = TEMPLATE_CODE.sub("…", source)
    return found + [name for name, pattern in FORBIDDEN.items() if pattern.search(markup)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_holds_code_style_or_unescaped_output(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "<script>go()</script>",
        '<SCRIPT type="module">go()</SCRIPT>',
        "<style>p { color: red }</style>",
        '<p style="color: red">',
        '<p class="{{ css }}" style="color: red">',
        "<img src=x onerror=go()>",
        '<a\n  onclick="go()">',
        '<p hx-on:click="go()">',
        "<p hx-vals='js:{a: go()}'>",
        '<a href="javascript:go()">',
        '<img src="https://elsewhere.example/x.png">',
        '<link href="//elsewhere.example/x.css">',
        "{{ name|safe }}",
        "{{ name | safe }}",
        "{% autoescape off %}{{ name }}{% endautoescape %}",
    ],
)
def test_the_scanner_finds_what_is_forbidden(source: str) -> None:
    assert faults(source)


@pytest.mark.parametrize(
    "source",
    [
        '<script src="{% static "js/app.js" %}" type="module"></script>',
        "{% with one=1 %}<p>{{ one }}</p>{% endwith %}",
        "{# a style= or on*= attribute is refused #}",
        '<p data-once="yes" class="is-on">on = off</p>',
    ],
)
def test_the_scanner_lets_through_what_is_fine(source: str) -> None:
    assert faults(source) == []


def test_there_are_templates_to_scan() -> None:
    assert len(TEMPLATES) > 30
    assert len(COMPONENTS) > 15


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.name)
def test_every_component_declares_its_inputs_in_its_first_line(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"{{# {path.name} — "), f"begin {path.name} with {{# {path.name} — input: type #}}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_template_is_well_formed(path: Path) -> None:
    get_template(str(path.relative_to(ROOT / "templates")))


def test_htmx_is_told_not_to_swap_refusals_nor_to_add_styles() -> None:
    source = (ROOT / "templates" / "base.html").read_text(encoding="utf-8")
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", source)
    assert found
    config = json.loads(found.group(1))
    assert config["noSwap"] == [204, 304, "4xx", "5xx"]
    assert config["includeIndicatorCSS"] is False
    assert config["mode"] == "same-origin"


# -- Marks: shape, word and colour -----------------------------------------------------------------------------------
def shapes(html: str) -> list[str]:
    return re.findall(r"icons\.svg#([a-z0-9-]+)", html)


@pytest.mark.parametrize(
    ("component", "name", "values"),
    [
        ("severity", "severity", list(treeline.SEVERITIES)),
        ("stage", "status", list(treeline.STAGES)),
        ("flag", "disposition", ["", "confirmed", "ruled_out"]),
    ],
)
def test_each_value_has_a_shape_and_a_word_of_its_own(component: str, name: str, values: list[str]) -> None:
    _all_differ([render_to_string(f"components/{component}.html", {name: value}) for value in values])


def test_each_category_of_a_ticket_has_a_shape_of_its_own_beside_the_name_of_the_status() -> None:
    names = {value: f"Status {value}" for value in treeline.STATES}
    _all_differ([
        render_to_string("components/state.html", {"category": value, "words": name}) for value, name in names.items()
    ])  # fmt: skip


def _all_differ(shown: list[str]) -> None:
    drawn = [shapes(html)[0] for html in shown]
    words = [re.sub(r"<[^>]*>", "", html).strip() for html in shown]
    assert len(set(drawn)) == len(shown)
    assert len(set(words)) == len(shown)
    assert all(words)
    assert all(f'<symbol id="{mark}"' in MARKS for mark in drawn)


def test_the_words_are_those_of_the_life_cycle() -> None:
    assert "Post-Incident Review" in treeline.stage_mark("post_incident_review")
    assert shapes(treeline.stage_mark("post_incident_review")) == ["stage-6"]
    assert "Critical" in treeline.severity_mark("critical")


# -- Values stay text ------------------------------------------------------------------------------------------------
def mallory_by_name() -> User:
    return User(pk=5, username="mallory", name=HOSTILE)


@pytest.mark.parametrize(
    ("template", "context"),
    [
        ("components/who.html", {"user": mallory_by_name()}),
        ("components/avatar.html", {"user": mallory_by_name()}),
        ("components/clock.html", {"due": NOON + dt.timedelta(days=9999), "waiting": HOSTILE}),
        (
            "components/empty.html",
            {"mark": "siren", "title": HOSTILE, "text": HOSTILE, "url": HOSTILE, "action": HOSTILE},
        ),
        ("components/alert.html", {"tone": "over", "text": HOSTILE, "strong": HOSTILE}),
        ("components/notes.html", {"messages": [Message(constants.SUCCESS, HOSTILE, extra_tags="/" + HOSTILE)]}),
        ("components/severity.html", {"severity": HOSTILE}),
        ("components/buttons.html", {"save": HOSTILE, "cancel_url": HOSTILE}),
        ("errors/403.html", {"request_id": HOSTILE}),
        ("errors/_error.html", {"request_id": HOSTILE, "status": 404}),
    ],
)
def test_a_hostile_value_stays_text(template: str, context: dict[str, Any]) -> None:
    html = render_to_string(template, context)
    assert "<svg/onload" not in html
    assert not re.search(r"<[^>]*\sonload=", html)


@pytest.mark.parametrize(
    "tag", ["{% icon x x %}", "{% glyph x x %}", "{% bar 1 1 2 x %}", '{% stage_mark "closed" x %}']
)
def test_a_hostile_argument_of_a_tag_stays_text(tag: str) -> None:
    html = Template(tag).render(Context({"x": HOSTILE}))
    assert "<svg/onload" not in html
    assert "&lt;svg/onload" in html


@pytest.mark.parametrize("address", ["//elsewhere.example/", "javascript:go()", "https://elsewhere.example/", "undo"])
def test_undo_posts_to_this_site_or_is_not_offered(address: str) -> None:
    html = render_to_string("components/notes.html", {"messages": [Message(constants.SUCCESS, "Done", address)]})
    assert "<form" not in html
    assert "Done" in html


def test_undo_is_offered_as_a_form_that_posts() -> None:
    request = RequestFactory().get("/incidents/?page=2")
    notes = [Message(constants.SUCCESS, "Moved", "/changes/7/")]
    html = render_to_string("components/notes.html", {"messages": notes}, request)
    assert 'method="post" action="/changes/7/"' in html
    assert "csrfmiddlewaretoken" in html
    assert 'value="/incidents/?page=2"' in html


# -- Times -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("length", "words"),
    [
        (dt.timedelta(seconds=59), "0 m"),
        (dt.timedelta(minutes=42), "42 m"),
        (dt.timedelta(hours=3, minutes=5), "3 h 05 m"),
        (dt.timedelta(days=2, hours=7, minutes=40), "2 d 7 h 40 m"),
        (dt.timedelta(days=400), "400 d"),
        (-dt.timedelta(minutes=18), "18 m"),
    ],
)
def test_durations_are_short(length: dt.timedelta, words: str) -> None:
    assert treeline.duration(length) == words


def test_times_are_utc_and_say_so_to_machines() -> None:
    berlin = dt.timezone(dt.timedelta(hours=1))
    html = treeline.when(dt.datetime(2001, 11, 14, 7, 52, tzinfo=berlin), "full")
    assert 'datetime="2001-11-14T06:52:00+00:00"' in html
    assert "14 Nov 2001 06:52 UTC</time>" in html
    assert treeline.when(None) == ""


def test_a_clock_says_in_words_how_it_stands() -> None:
    now = timezone.now()
    hour, moment = dt.timedelta(hours=1), dt.timedelta(seconds=30)
    assert "c-over" in treeline.clock(now - hour)
    assert "1 h 00 m over" in treeline.clock(now - hour)
    assert "c-soon" in treeline.clock(now + hour)
    assert "c-ok" in treeline.clock(now + 2 * hour + moment)
    assert "met" in treeline.clock(now + hour, now)
    assert "1 h 00 m late" in treeline.clock(now - hour, now)
    assert "disk image" in treeline.clock(now + hour, None, "disk image")
    assert "c-over" in treeline.clock(now - hour, None, "disk image")


def test_the_bar_never_leaves_its_frame() -> None:
    for done, busy, total in [(0, 0, 0), (7, 5, 15), (15, 0, 15), (20, 20, 15)]:
        widths = [float(w) for w in re.findall(r'width="([\d.]+)"', treeline.bar(done, busy, total))]
        assert sum(widths) <= 100.1


# -- Forms -----------------------------------------------------------------------------------------------------------
class TitleForm(forms.Form):
    title = forms.CharField(label=HOSTILE, help_text=HOSTILE)
    severity = forms.ChoiceField(choices=[("low", "Low"), ("high", "High")])
    lead = forms.BooleanField(required=False)


def test_a_refused_form_ties_each_field_to_its_label_and_its_error() -> None:
    html = render_to_string("components/fields.html", {"form": TitleForm(QueryDict("severity=low"))})
    assert "<b>Not saved.</b>" in html
    assert "1 field needs a change" in html
    assert 'for="id_title"' in html
    assert 'aria-invalid="true"' in html
    assert re.search(r'aria-describedby="[^"]*id_title_error', html)
    assert 'id="id_title_error"' in html
    assert "<svg/onload" not in html


def test_a_conflict_shows_both_texts_and_sends_either_one() -> None:
    theirs: Any = type("Row", (), {"title": HOSTILE, "severity": "high", "version": 4})()
    clash = Conflict(theirs=theirs, mine={"title": "Mine", "severity": "low"}, fields=["severity", "title"])
    form = TitleForm(QueryDict("title=Mine&severity=low&lead=on&version=3"))
    html = render_to_string(
        "components/conflict.html", {"conflict": clash, "form": form, "action": "/x/", "who": "Bob"}
    )
    assert '<input type="hidden" name="version" value="4">' in html
    assert '<input type="hidden" name="lead" value="on">' in html
    assert re.findall(r'type="radio" name="severity" value="(\w+)"', html) == ["high", "low"]
    assert 'name="title" value="Mine"' in html
    assert "<svg/onload" not in html


# -- Frame -----------------------------------------------------------------------------------------------------------
def test_the_page_for_a_broken_server_asks_no_database() -> None:
    html = render_to_string("errors/500.html", {"request_id": "abc12345"})
    assert "abc12345" in html  # pytest-django refuses the database to this test


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.path)


PLACES = {"incidents": ["list", "declare"], "people": ["team", "customers", "profile"], "admin": ["index"]}
urlpatterns = [
    path(f"{room}/", include(([path(f"{name}/", nothing, name=name) for name in names], room)))
    for room, names in PLACES.items()
]
places = pytest.mark.urls("tests.core.test_look")


def frame(user: User, *rights: str, at: str = "/") -> str:
    return render_to_string("base.html", {"user": user, "rights": frozenset(rights)}, RequestFactory().get(at))


def links(html: str) -> set[str]:
    return set(re.findall(r'<a [^>]*href="(/\w+/\w+/)"', html))


@places
def test_a_customer_is_offered_no_place_of_the_team() -> None:
    eve = User(pk=7, username="eve", name="Eve Example", customer_id=1)
    assert links(frame(eve, "portal")) == {"/people/profile/"}


@places
def test_a_responder_is_offered_to_declare_and_an_admin_the_admin() -> None:
    alice = User(pk=8, username="alice", name="Alice Example")
    admin = User(pk=9, username="admin", name="Admin Example", is_staff=True)
    team = {"/incidents/list/", "/people/profile/", "/people/team/", "/people/customers/"}
    assert links(frame(alice, "respond")) == team | {"/incidents/declare/"}
    assert links(frame(admin, "administer")) == team | {"/admin/index/"}


@places
def test_the_place_one_is_in_is_marked_and_a_place_that_does_not_exist_is_not_offered() -> None:
    html = frame(User(pk=8, username="alice", name="Alice Example"), "respond", at="/people/team/5/")
    assert re.findall(r'href="([^"]+)"[^>]*aria-current="page"', html) == ["/people/team/"]
    assert "Alerts" not in html


@places
def test_shortcuts_are_off_for_those_who_turned_them_off() -> None:
    quiet = User(pk=8, username="alice", name="Alice Example", hotkeys=False, compact=True)
    html = frame(quiet, "respond")
    assert 'data-hotkeys="off"' in html
    assert "is-compact" in html
