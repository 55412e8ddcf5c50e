"""Leads: what they suppose, what they grew from, what became of them; their page, and how it counts."""

import datetime as dt
from html import unescape

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.models import JournalEntry
from core.models.versions import Conflict
from core.verify import verify
from incidents.models import Incident
from incidents.queries.journal import lines
from tickets.actions.leads import mark_lead
from tickets.actions.tickets import add_ticket, move_ticket, set_status
from tickets.actions.undo import undo_change
from tickets.burndown import chart
from tickets.models import Ticket
from tickets.queries.leads import Day, leads

HTMX = {"HX-Request": "true"}
HOSTILE = '<script>alert(1)</script> " onmouseover=x {{ 7*7 }} \u202eevil'
MOST_QUERIES = 8


@pytest.fixture
def base(incident: Incident) -> str:
    return f"/incidents/{incident.number}/"


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def said(incident, reader) -> list[str]:
    entries = JournalEntry.objects.filter(stream=incident.journal_stream).order_by("seq")
    return [line.sentence for line in lines(list(entries), reader)]


# -- What a lead supposes, and where it came from ---------------------------------------------------------------------
def test_bob_writes_what_a_lead_supposes_and_what_it_grew_from(bob, incident, make_ticket) -> None:
    first, ticket = make_ticket("Memory image"), make_ticket("Golden ticket?")
    done = mark_lead(actor=bob, ticket=ticket, lead=True, hypothesis="They hold krbtgt.", origin=first.number)
    assert (done.lead, done.hypothesis, done.origin_id) == (True, "They hold krbtgt.", first.pk)
    assert done.lead_at is not None
    assert Incident.objects.get(pk=incident.pk).leads_open == 1
    again = mark_lead(actor=bob, ticket=done, lead=True, hypothesis="They hold it since Monday.")
    assert again.origin_id == first.pk
    assert mark_lead(actor=bob, ticket=again, lead=True, origin=0).origin_id is None
    assert said(incident, bob)[-3:] == [
        f"marked {done} as a lead", f"changed hypothesis of the lead {done}", f"changed origin of the lead {done}",
    ]  # fmt: skip


def test_a_lead_that_says_nothing_new_writes_no_entry(bob, make_ticket) -> None:
    ticket = make_ticket("Beacon", lead=True, hypothesis="One operator.")
    before = JournalEntry.objects.count()
    mark_lead(actor=bob, ticket=ticket, lead=True, hypothesis="One operator.")
    assert JournalEntry.objects.count() == before


def test_lineage_has_no_circles(bob, make_ticket) -> None:
    first = make_ticket("Phishing", lead=True)
    second = make_ticket("Beacon", lead=True, origin=first.number)
    third = make_ticket("Domain controller", lead=True, origin=second.number)
    for ticket, origin in ((first, third), (first, second), (first, first), (second, third)):
        with pytest.raises(ValidationError, match="cannot have grown from"):
            mark_lead(actor=bob, ticket=ticket, lead=True, origin=origin.number)
        assert fresh(ticket).version == ticket.version
    assert mark_lead(actor=bob, ticket=third, lead=True, origin=first.number).origin_id == first.pk


@pytest.mark.parametrize("number", [100, 999, -1])
def test_a_lead_cannot_grow_from_what_is_no_ticket_of_the_incident(*, bob, secret, incident, make_ticket, number):
    add_ticket(actor=bob, incident=secret, title="Elsewhere")
    ticket = make_ticket("Beacon", lead=True)
    with pytest.raises(ValidationError, match=f"#{number} is not a ticket of this incident"):
        mark_lead(actor=bob, ticket=ticket, lead=True, origin=number)
    with pytest.raises(ValidationError, match=f"#{number} is not a ticket of this incident"):
        make_ticket("Follow-up", lead=True, origin=number)
    assert Ticket.objects.filter(incident=incident).without_root().count() == 1


def test_lineage_stays_when_a_lead_is_moved_and_when_its_origin_is_dropped(alice, bob, make_ticket) -> None:
    origin, branch = make_ticket("Beacon", lead=True), make_ticket("Domain")
    lead = make_ticket("Second beacon", parent=origin, lead=True, origin=origin.number)
    move_ticket(actor=bob, ticket=lead, parent=branch.number)
    set_status(actor=alice, ticket=origin, status="dropped", reason="It was ours.")
    assert fresh(lead).origin_id == origin.pk


def test_hostile_words_stay_words(client_of, bob, base, make_ticket) -> None:
    ticket = make_ticket("Beacon", lead=True)
    mark_lead(actor=bob, ticket=ticket, lead=True, hypothesis=HOSTILE, disposition="parked", disposition_reason=HOSTILE)
    for page in (f"{base}leads/", f"{base}tickets/101/", f"{base}log/"):
        html = client_of(bob).get(page).content.decode()
        assert "<script>alert(1)" not in html
        assert '" onmouseover=x' not in html
        assert "{{ 7*7 }}" in unescape(html)


# -- What became of it ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("result", ["confirmed", "ruled_out", "dead_end", "parked"])
def test_every_result_resolves_a_lead_and_is_told_with_its_reason(*, bob, incident, make_ticket, result) -> None:
    ticket = make_ticket("Beacon", lead=True)
    mark_lead(actor=bob, ticket=ticket, lead=True, disposition=result, disposition_reason="We wait for the image.")
    assert Incident.objects.get(pk=incident.pk).leads_open == 0
    words = result.replace("_", " ")
    assert said(incident, bob)[-1] == f"resolved the lead #101 Beacon: {words}, because We wait for the image."


def test_a_result_given_when_the_ticket_is_finished_is_told_too(bob, incident, make_ticket) -> None:
    ticket = make_ticket("Beacon", lead=True)
    set_status(actor=bob, ticket=ticket, status="done", disposition="ruled_out", disposition_reason="Logs are clean.")
    last = said(incident, bob)[-1]
    assert last.endswith("and the lead is resolved: ruled out, because Logs are clean.")


def test_a_parked_lead_needs_a_reason(client_of, bob, base, make_ticket) -> None:
    ticket = make_ticket("Beacon", lead=True)
    data = {"version": ticket.version, "lead": "on", "disposition": "parked"}
    refused = client_of(bob).post(f"{base}tickets/101/lead/", data)
    assert refused.status_code == 422
    assert "Say why it is parked" in refused.content.decode()
    assert client_of(bob).post(f"{base}tickets/101/lead/", {**data, "disposition_reason": "No image yet."}).url
    assert fresh(ticket).disposition == "parked"


@pytest.mark.parametrize("sent", [{"disposition": "maybe"}, {"origin": "x"}, {"origin": "#101"}, {"origin": "999"},
                                  {"hypothesis": "a\x00b"}, {"hypothesis": "x" * 2001}])  # fmt: skip
def test_a_form_that_makes_no_sense_is_refused_with_what_was_typed(*, client_of, bob, base, make_ticket, sent) -> None:
    ticket = make_ticket("Beacon", lead=True)
    data = {"version": ticket.version, "lead": "on", "disposition_reason": "Typed already.", **sent}
    page = client_of(bob).post(f"{base}tickets/101/lead/", data)
    assert page.status_code == 422
    assert "Typed already." in page.content.decode()
    assert fresh(ticket).version == ticket.version


def test_a_done_ticket_is_no_open_lead(bob, make_ticket) -> None:
    ticket = set_status(actor=bob, ticket=make_ticket("Beacon"), status="done")
    with pytest.raises(ValidationError, match="say what became of the lead"):
        mark_lead(actor=bob, ticket=ticket, lead=True)
    assert mark_lead(actor=bob, ticket=ticket, lead=True, disposition="confirmed").disposition == "confirmed"


def test_finishing_a_lead_asks_in_plain_words_what_became_of_it(client_of, bob, base, make_ticket) -> None:
    make_ticket("Beacon", lead=True)
    browser = client_of(bob)
    whole = browser.get(f"{base}tickets/101/status/").content.decode()
    assert "Still open: nobody knows yet" in whole
    quick = browser.post(f"{base}tickets/101/status/", {"version": 1, "status": "done", "quick": 1}).content.decode()
    assert quick.count('type="radio"') == 4
    assert "Ruled out: it was looked at, and it is not so" in quick
    assert "Still open" not in quick
    assert browser.get(f"{base}tickets/101/lead/").content.decode().count('type="radio"') == 5


def test_two_who_dispose_at_once_see_what_the_other_did(alice, bob, make_ticket) -> None:
    ticket = make_ticket("Beacon", lead=True)
    mark_lead(actor=alice, ticket=ticket, lead=True, disposition="confirmed", version=ticket.version)
    with pytest.raises(Conflict):
        mark_lead(actor=bob, ticket=ticket, lead=True, disposition="ruled_out", version=ticket.version)


def test_nobody_marks_leads_in_a_closed_incident(client_of, bob, incident, base, make_ticket) -> None:
    ticket = make_ticket("Beacon", lead=True)
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    with pytest.raises(ValidationError, match="is closed"):
        mark_lead(actor=bob, ticket=ticket, lead=True, disposition="confirmed")
    html = client_of(bob).get(f"{base}leads/").content.decode()
    assert "tickets/101/lead/" not in html
    assert "tickets/add/" not in html
    assert "ir:tick" not in html.split('id="leads"')[1].split(">")[0]


# -- Taking it back ---------------------------------------------------------------------------------------------------
def newest(ticket: Ticket) -> JournalEntry:
    return JournalEntry.objects.filter(target_id=str(ticket.pk)).latest("seq")


def test_a_result_is_taken_back_with_all_that_came_with_it(client_of, bob, base, incident, make_ticket) -> None:
    origin = make_ticket("Phishing")
    ticket = make_ticket("Beacon", lead=True, hypothesis="One operator.", origin=origin.number)
    began = ticket.lead_at
    data = {"version": 1, "lead": "on", "disposition": "parked", "disposition_reason": "Later.", "hypothesis": "Two.",
            "origin": ""}  # fmt: skip
    browser = client_of(bob)
    page = browser.post(f"{base}tickets/102/lead/", data, follow=True).content.decode()
    assert (undo := f"{base}tickets/102/undo/{newest(ticket).seq}/") in page
    assert browser.post(undo).status_code == 302
    now = fresh(ticket)
    assert (now.disposition, now.disposition_reason, now.disposed_at) == ("", "", None)
    assert (now.hypothesis, now.origin_id, now.lead_at) == ("One operator.", origin.pk, began)
    assert Incident.objects.get(pk=incident.pk).leads_open == 1
    verify()


def test_taking_back_that_it_is_no_lead_keeps_when_it_became_one(bob, make_ticket) -> None:
    ticket = make_ticket("Beacon", lead=True)
    began = ticket.lead_at
    ticket = mark_lead(actor=bob, ticket=ticket, lead=False)
    assert (ticket.lead, ticket.lead_at) == (False, None)
    back = undo_change(actor=bob, ticket=ticket, entry=newest(ticket))
    assert (back.lead, back.lead_at) == (True, began)


def test_a_result_changed_again_or_a_ticket_done_meanwhile_is_not_taken_back(alice, bob, make_ticket) -> None:
    ticket = mark_lead(actor=bob, ticket=make_ticket("Beacon", lead=True), lead=True, disposition="confirmed")
    entry = newest(ticket)
    with pytest.raises(ValidationError, match="Only who made this change"):
        undo_change(actor=alice, ticket=ticket, entry=entry)
    set_status(actor=bob, ticket=ticket, status="done")
    with pytest.raises(ValidationError, match="say what became of the lead"):
        undo_change(actor=bob, ticket=ticket, entry=entry)
    mark_lead(actor=alice, ticket=ticket, lead=True, disposition="ruled_out")
    with pytest.raises(ValidationError, match="was changed again"):
        undo_change(actor=bob, ticket=ticket, entry=entry)


def test_lineage_that_would_be_a_circle_by_now_is_not_put_back(bob, make_ticket) -> None:
    first = make_ticket("Phishing", lead=True)
    second = make_ticket("Beacon", lead=True, origin=first.number)
    mark_lead(actor=bob, ticket=second, lead=True, origin=0)
    entry = newest(second)
    mark_lead(actor=bob, ticket=first, lead=True, origin=second.number)
    with pytest.raises(ValidationError, match="cannot have grown from"):
        undo_change(actor=bob, ticket=second, entry=entry)


# -- A follow-up ------------------------------------------------------------------------------------------------------
def test_a_follow_up_lead_is_one_click_from_what_it_grew_from(client_of, bob, base, make_ticket) -> None:
    branch = make_ticket("Actor A")
    make_ticket("Beacon", parent=branch, lead=True)
    browser = client_of(bob)
    panel = unescape(browser.get(f"{base}tickets/102/").content.decode())
    link = f"{base}tickets/add/?after=102&origin=102&lead=on"
    assert link in panel
    form = browser.get(link)
    assert "Follow-up lead, grown from #102 Beacon" in form.content.decode()
    data = {
        "title": "Who else called it?",
        "hypothesis": "A second host.",
        "after": "102",
        "origin": "102",
        "lead": "on",
    }
    assert browser.post(f"{base}tickets/add/", data).status_code == 302
    made = Ticket.objects.get(title="Who else called it?")
    assert (made.parent_id, made.origin and made.origin.number, made.lead, made.hypothesis) == (
        branch.pk,
        102,
        True,
        "A second host.",
    )


def test_carol_who_observes_is_offered_no_follow_up_and_adds_none(client_of, carol, base, make_ticket) -> None:
    make_ticket("Beacon", lead=True)
    assert "Follow-up lead" not in client_of(carol).get(f"{base}tickets/101/").content.decode()
    sent = client_of(carol).post(f"{base}tickets/add/", {"title": "x", "origin": "101", "lead": "on"})
    assert sent.status_code == 403


@pytest.mark.parametrize("origin", ["999", "100", "x", "9" * 30, "-1"])
def test_a_follow_up_of_no_ticket_is_refused_with_the_form(*, client_of, bob, base, make_ticket, origin) -> None:
    make_ticket("Beacon", lead=True)
    browser = client_of(bob)
    assert browser.get(f"{base}tickets/add/", {"origin": origin, "lead": "on"}).status_code == 200
    page = browser.post(f"{base}tickets/add/", {"title": "Who else?", "origin": origin, "lead": "on"})
    assert page.status_code == 422
    assert "Who else?" in page.content.decode()
    assert Ticket.objects.count() == 2  # the root, and the beacon


# -- The page ---------------------------------------------------------------------------------------------------------
def test_the_page_tells_each_lead_with_its_lineage_place_and_result(client_of, bob, base, make_ticket) -> None:
    branch = make_ticket("Actor A: phishing to domain admin")
    first = make_ticket("Beacon on WS-0147", parent=branch, lead=True, hypothesis="One operator.", assignee=bob)
    make_ticket("Golden ticket", parent=first, lead=True, origin=first.number)
    parked = make_ticket("Old web shell", lead=True, origin=branch.number)
    mark_lead(actor=bob, ticket=parked, lead=True, disposition="parked", disposition_reason="The disk image is late.")
    html = unescape(client_of(bob).get(f"{base}leads/").content.decode())
    assert "1 of 3 resolved" in html
    for words in ("One operator.", "The disk image is late.", "Lead, parked", "Bob Example", "Follow-up lead"):
        assert (words in html) == (words != "Follow-up lead")
    assert html.index('id="lead-102"') < html.index('id="lead-103"') < html.index('id="lead-104"')
    assert '<li class="d-1" id="lead-103"' in html
    assert f'grew from <a href="{base}tickets/101/">#101 Actor A: phishing to domain admin</a>' in html
    assert 'class="path">Actor A: phishing to domain admin' in html
    assert f'{base}leads/?show=parked">Parked <b>1</b></a>' in html


def test_leads_without_a_result_come_first_and_the_oldest_of_them_on_top(alice, bob, incident, make_ticket) -> None:
    made = {}
    for day, title in enumerate(["old", "resolved", "young", "dropped"]):
        with time_machine.travel(timezone.now() - dt.timedelta(days=9 - day), tick=False):
            made[title] = make_ticket(title, lead=True)
    mark_lead(actor=bob, ticket=made["resolved"], lead=True, disposition="dead_end")
    set_status(actor=alice, ticket=made["dropped"], status="dropped", reason="Asked twice.")
    found = leads(incident, user_id=bob.pk)
    assert [one.ticket.title for one in found.open] == ["old", "young"]
    assert {one.ticket.title for one in found.disposed} == {"resolved", "dropped"}
    assert next(one.words for one in found.disposed if one.result == "dropped") == "Asked twice."
    assert [count for key, _, count in found.pills if key in ("all", "open", "dead_end", "dropped")] == [4, 2, 1, 1]


def test_a_follow_up_is_set_in_under_its_origin_only_where_that_is_listed(bob, incident, make_ticket) -> None:
    first = make_ticket("First", lead=True)
    second = make_ticket("Second", lead=True)
    child = make_ticket("Child", lead=True, origin=first.number)
    make_ticket("Grandchild", lead=True, origin=child.number)
    found = leads(incident, user_id=bob.pk)
    assert [(one.ticket.title, one.depth) for one in found.open] == [
        ("First", 0), ("Child", 1), ("Grandchild", 2), ("Second", 0),
    ]  # fmt: skip
    mark_lead(actor=bob, ticket=first, lead=True, disposition="confirmed")
    found = leads(incident, user_id=bob.pk)
    assert [(one.ticket.title, one.depth) for one in found.open] == [("Second", 0), ("Child", 0), ("Grandchild", 1)]
    assert second.pk == found.open[0].ticket.pk


@pytest.mark.parametrize(("show", "titles"), [
    ("open", {"Mine", "Nobody's"}), ("confirmed", {"Sure"}), ("mine", {"Mine"}), ("nobody", {"Nobody's", "Sure"}),
    ("parked", set()), ("\x00", {"Mine", "Nobody's", "Sure"}), ("x" * 9000, {"Mine", "Nobody's", "Sure"}),
])  # fmt: skip
def test_a_filter_shows_its_leads_and_nonsense_shows_all(*, client_of, bob, base, make_ticket, show, titles) -> None:
    make_ticket("Mine", lead=True, assignee=bob)
    make_ticket("Nobody's", lead=True)
    mark_lead(actor=bob, ticket=make_ticket("Sure", lead=True), lead=True, disposition="confirmed")
    html = unescape(client_of(bob).get(f"{base}leads/", {"show": show}).content.decode())
    shown = {title for title in ("Mine", "Nobody's", "Sure") if f'class="title" href="{base}tickets/' in html
             and f">{title}</a>" in html}  # fmt: skip
    assert shown == titles
    assert ("No lead fits" in html) == (not titles)


def test_without_leads_the_page_says_how_to_begin(client_of, bob, carol, base, make_ticket) -> None:
    make_ticket("No lead")
    html = client_of(bob).get(f"{base}leads/").content.decode()
    assert "Add the first lead" in html
    assert f"{base}tickets/add/?lead=on" in html
    assert "Add the first lead" not in client_of(carol).get(f"{base}leads/").content.decode()


def test_the_page_asks_the_same_number_of_questions_for_3_and_for_300(
    *, client_of, bob, base, make_ticket, django_assert_max_num_queries
) -> None:
    def asked() -> int:
        browser.get(f"{base}leads/")
        with django_assert_max_num_queries(MOST_QUERIES) as counter:
            assert browser.get(f"{base}leads/").status_code == 200
        return len(counter)

    browser = client_of(bob)
    branch = make_ticket("Branch")
    tickets = [make_ticket(f"Lead {number}", parent=branch, lead=True, assignee=bob) for number in range(3)]
    few = asked()
    for number in range(3, 300):
        tickets.append(make_ticket(f"Lead {number}", parent=branch, lead=True, origin=tickets[-3].number, assignee=bob))
    assert asked() == few


def test_the_list_is_polled_and_unchanged_it_costs_nothing_more(
    *, client_of, bob, base, make_ticket, django_assert_max_num_queries
) -> None:
    ticket = make_ticket("Beacon", lead=True)
    browser = client_of(bob)
    first = browser.get(f"{base}leads/?show=open", headers=HTMX)
    part = first.content.decode()
    assert "<html" not in part
    for target in ("#lead-filters", "#burndown", "#lead-days"):
        assert f'hx-target="{target}"' in part
    with django_assert_max_num_queries(2):  # as for every poll: who asks; the incident with its counter
        same = browser.get(f"{base}leads/?show=open", headers={**HTMX, "HX-PTag": first["HX-PTag"]})
    assert same.status_code == 304
    mark_lead(actor=bob, ticket=ticket, lead=True, disposition="confirmed")
    changed = browser.get(f"{base}leads/?show=open", headers={**HTMX, "HX-PTag": first["HX-PTag"]})
    assert "No lead fits" in changed.content.decode()


def test_of_a_restricted_incident_an_outsider_learns_nothing(client_of, mallory, bob, secret) -> None:
    add_ticket(actor=bob, incident=secret, title="Insider", lead=True)
    assert client_of(mallory).get(f"/incidents/{secret.number}/leads/").status_code == 404
    assert "Insider" in client_of(bob).get(f"/incidents/{secret.number}/leads/").content.decode()


def test_the_overview_counts_leads_and_leads_there(client_of, carol, base, bob, make_ticket) -> None:
    make_ticket("Beacon", lead=True)
    mark_lead(actor=bob, ticket=make_ticket("Web shell", lead=True), lead=True, disposition="confirmed")
    for page in (base, f"{base}tickets/next/"):
        html = client_of(carol).get(page).content.decode()
        assert f'href="{base}leads/">1 of 2 leads resolved</a>' in html


# -- The chart --------------------------------------------------------------------------------------------------------
def test_the_chart_counts_what_was_opened_and_disposed_on_each_day(bob, incident, make_ticket) -> None:
    now = timezone.now().replace(hour=12)
    made = []
    for days in (4, 4, 2):
        with time_machine.travel(now - dt.timedelta(days=days), tick=False):
            made.append(make_ticket("Lead", lead=True))
    with time_machine.travel(now - dt.timedelta(days=2), tick=False):
        mark_lead(actor=bob, ticket=made[0], lead=True, disposition="ruled_out")
    with time_machine.travel(now, tick=False):
        found = leads(Incident.objects.get(pk=incident.pk), user_id=None)
    today = now.date()
    assert found.days == [
        Day(today - dt.timedelta(days=4), 2, 0, 2), Day(today - dt.timedelta(days=3), 0, 0, 2),
        Day(today - dt.timedelta(days=2), 1, 1, 2), Day(today - dt.timedelta(days=1), 0, 0, 2), Day(today, 0, 0, 2),
    ]  # fmt: skip
    drawn = chart(found.days)
    assert drawn is not None
    assert [bar.words for bar in drawn.opened] == ["2 opened", "1 opened"]
    assert [bar.words for bar in drawn.disposed] == ["1 disposed"]
    assert [count for _, count in drawn.ticks] == [0, 1, 2]


def test_a_long_incident_is_drawn_by_weeks_and_loses_no_lead(bob, incident, make_ticket) -> None:
    now = timezone.now()
    for days in (60, 33, 20, 1):
        with time_machine.travel(now - dt.timedelta(days=days), tick=False):
            make_ticket("Lead", lead=True)
    found = leads(incident, user_id=None)
    assert (found.step, sum(day.opened for day in found.days), found.days[-1].left) == (7, 4, 4)
    assert len(found.days) <= 31


def test_no_bar_leaves_the_chart() -> None:
    for count in (1, 3, 7, 50, 1234):
        days = [Day(dt.date(2026, 11, 1) + dt.timedelta(days=at), count, count, count) for at in range(31)]
        drawn = chart(days)
        assert drawn is not None
        for bar in (*drawn.opened, *drawn.disposed):
            assert drawn.left <= float(bar.x) <= float(bar.x) + float(bar.width) <= drawn.right + 0.1
            assert 0 < float(bar.y) <= drawn.base
        assert len(drawn.ticks) <= 6
    assert chart([]) is None
