"""What one shift writes down for the next."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from core.models import JournalEntry
from core.verify import verify
from incidents.actions import links
from incidents.models import Incident
from incidents.models.incidents import LinkKind
from people.models import User
from tickets.actions import handovers, shifts
from tickets.actions import tickets as actions
from tickets.models import ShiftHandover, Ticket
from tickets.queries.shifts import draft, written

Make = Callable[..., Ticket]
Browser = Callable[..., Client]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def base(incident: Incident) -> str:
    return f"/incidents/{incident.number}/shifts/"


def body_of(incident: Incident, watch: str = "", *, hours: int = 8) -> str:
    return written(draft(incident, timezone.now() - hours * HOUR), watch)


def test_the_draft_says_what_is_open_late_and_a_lead(incident, make_ticket: Make, bob, alice) -> None:
    branch = make_ticket("Mail server")
    make_ticket("Pull the logs", parent=branch, assignee=bob, due_at=timezone.now() - HOUR)
    make_ticket("Who opened the mail", parent=branch, lead=True)
    actions.set_status(actor=bob, ticket=make_ticket("Call the bank", parent=branch), status="done", outcome="No loss")
    handovers.hand_over(actor=bob, incident=incident, numbers=[102], receiver=alice, note="")
    body = body_of(incident, "The VPN")
    assert body.startswith("## What the next shift must watch\n\nThe VPN\n")
    assert "## Overdue (1)\n\n- **#102** Pull the logs, Bob Example, Open, over since" in body
    assert "## Open leads (1)\n\n- **#103** Who opened the mail, nobody, Open, lead" in body
    assert "## Open tickets (3)\n\n### Mail server\n" in body
    assert "## Offers that wait for an answer (1)\n\n- Bob Example to Alice Example: #102, since" in body
    assert "**Bob Example** set #104 Call the bank to Done: No loss" in body


def test_a_quiet_shift_says_so(incident) -> None:
    body = body_of(incident)
    assert "Nothing in particular." in body
    assert "## Overdue (0)\n\nNone." in body


def test_only_what_was_done_in_the_shift_stands_in_it(incident, make_ticket: Make) -> None:
    make_ticket("Pull the logs")
    assert "## Done since" in body_of(incident)
    assert "added #101 Pull the logs" in body_of(incident)
    after = written(draft(incident, timezone.now() + HOUR), "")
    assert "added #101" not in after


def test_titles_are_words_and_no_markdown(incident, make_ticket: Make, alice, client_of: Browser, base) -> None:
    make_ticket("**x** [y](javascript:alert(1)) <script>alert(2)</script> _z_ `q` ![i](http://192.0.2.1/a.png)")
    client_of(alice).post(f"{base}new/", {"since": "8", "watch": "**loud** <img src=x onerror=alert(3)>"})
    html = client_of(alice).get(f"{base}{ShiftHandover.objects.get().pk}/").content.decode()
    assert "**x** [y](javascript:alert(1)) &lt;script&gt;alert(2)&lt;/script&gt; _z_ `q` ![i]" in html
    assert "<strong>loud</strong>" in html
    assert "<script>alert" not in html
    assert 'src="http://192.0.2.1' not in html
    assert "<img src=x" not in html


def test_the_document_names_no_other_incident(incident, secret, alice, bob) -> None:
    links.link_incidents(actor=alice, source=incident, target=secret, kind=LinkKind.RELATED)
    assert secret.number not in body_of(incident)
    assert "related" not in body_of(incident)


def test_a_long_incident_makes_a_document_that_can_still_be_kept(incident, make_ticket: Make, alice) -> None:
    for n in range(40):
        make_ticket(f"{n} " + "<" * 190, lead=True)
    body = written(draft(incident, timezone.now() - HOUR), "x" * 20_000)
    assert len(body) <= 64 * 1024
    assert "and 10 more" in body or "more" in body
    kept = shifts.write_shift(actor=alice, incident=incident, since=timezone.now(), body=body)
    assert "could not be formatted" not in kept.body_html


def test_what_is_kept_stays_as_it_was(incident, make_ticket: Make, bob, client_of: Browser, base) -> None:
    ticket = make_ticket("Pull the logs")
    response = client_of(bob).post(f"{base}new/", {"since": "8", "watch": "The VPN"}, follow=True)
    assert "Nobody can change it any more" in response.content.decode()
    kept = ShiftHandover.objects.get()
    actions.edit_ticket(actor=bob, ticket=ticket, version=ticket.version, fields={"title": "Something else"})
    html = client_of(bob).get(f"{base}{kept.pk}/").content.decode()
    assert ("Pull the logs" in html, "Something else" in html) == (True, False)
    entry = JournalEntry.objects.get(verb="shift.handed_over")
    assert list(entry.history) == ["tickets.HistoricalShiftHandover"]
    verify()  # raises where the row is not what was sealed


def test_the_preview_keeps_nothing_and_shows_what_was_written(bob, client_of: Browser, base, incident) -> None:
    html = client_of(bob).post(f"{base}new/", {"since": "8", "watch": "# VPN **now**", "preview": "1"}).content.decode()
    assert ("<strong>now</strong>" in html, ShiftHandover.objects.count()) == (True, 0)
    assert "# VPN **now**</textarea>" in html


def test_the_next_one_begins_where_the_last_ended(bob, client_of: Browser, base, incident) -> None:
    client_of(bob).post(f"{base}new/", {"since": "8", "watch": ""})
    first = ShiftHandover.objects.get()
    assert "Since the last shift handover" in client_of(bob).get(f"{base}new/").content.decode()
    client_of(bob).post(f"{base}new/", {"since": "last", "watch": ""})
    assert ShiftHandover.objects.first().since == first.created_at  # type: ignore[union-attr]


@pytest.mark.parametrize("data", [{"since": "9"}, {"since": ""}, {"since": "8", "watch": "a\x00b"}])
def test_nonsense_is_refused_and_nothing_is_kept(data, bob, client_of: Browser, base, incident) -> None:
    assert client_of(bob).post(f"{base}new/", data).status_code == 422
    assert ShiftHandover.objects.count() == 0


def test_a_closed_incident_is_read_only(alice, incident, client_of: Browser, base) -> None:
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    with pytest.raises(ValidationError, match="closed"):
        shifts.write_shift(actor=alice, incident=incident, since=timezone.now(), body="x")
    assert client_of(alice).post(f"{base}new/", {"since": "8"}).status_code == 422
    assert "shifts/new/" not in client_of(alice).get(base).content.decode()


def test_carol_reads_and_does_not_write(alice, carol, mallory, secret, incident, client_of: Browser, base) -> None:
    client_of(alice).post(f"{base}new/", {"since": "8", "watch": "The VPN"})
    kept = ShiftHandover.objects.get()
    assert "The VPN" in client_of(carol).get(base).content.decode()
    assert client_of(carol).get(f"{base}new/").status_code == 403
    assert client_of(alice).get(f"/incidents/{secret.number}/shifts/{kept.pk}/").status_code == 404
    hidden = shifts.write_shift(actor=alice, incident=secret, since=timezone.now(), body="CANARY")
    assert client_of(mallory).get(f"/incidents/{secret.number}/shifts/{hidden.pk}/").status_code == 404


def test_writing_costs_the_same_for_3_and_for_60_tickets(
    bob: User, make_ticket: Make, client_of: Browser, base, django_assert_max_num_queries
) -> None:
    browser = client_of(bob)
    browser.get(base)  # the first page of a session writes it
    for count in (3, 57):
        for _ in range(count):
            make_ticket(assignee=bob)
        with django_assert_max_num_queries(13):
            assert browser.get(f"{base}new/").status_code == 200
