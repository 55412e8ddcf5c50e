"""The tickets as a table: sorted, filtered, ticked, taken as a file; the same queries for 3 and for 300."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tickets.actions import tickets as actions
from tickets.actions.tags import set_tags
from tickets.models import Ticket, TimeEntry

HTMX = {"HX-Request": "true"}


@pytest.fixture
def url(incident: Incident) -> str:
    return f"/incidents/{incident.number}/tree/table/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


@pytest.fixture
def five(make_ticket: Callable[..., Ticket], alice: User, bob: User) -> list[Ticket]:
    """#101 beacon (Bob's, high), #102 Mail (a lead, Alice's, overdue), #103 disk (done), #104 and #105 nobody's."""
    hour = dt.timedelta(hours=1)
    found = [
        make_ticket("beacon", assignee=bob, priority="high", due_at=timezone.now() + hour),
        make_ticket("Mail", assignee=alice, lead=True, due_at=timezone.now() - hour),
        make_ticket("disk"), make_ticket("Zebra", lead=True), make_ticket("alpha"),
    ]  # fmt: skip
    actions.set_status(actor=bob, ticket=found[2], status="done")
    actions.set_status(actor=bob, ticket=found[3], status="doing", disposition="ruled_out")
    set_tags(actor=bob, ticket=found[0], tags=["phase-1", "vpn"])
    set_tags(actor=bob, ticket=found[4], tags=["phase-1"])
    TimeEntry.objects.create(ticket=found[4], user=bob, minutes=90, day=timezone.now().date())
    TimeEntry.objects.create(
        ticket=found[4], user=bob, minutes=30, day=timezone.now().date(), taken_back_at=timezone.now()
    )
    return found


def shown(browser: Client, url: str, **asked: Any) -> list[int]:
    """The numbers in the rows, from above."""
    return [row.number for row in browser.get(url, asked).context["listing"].rows]


def queries(client: Client, url: str, counter: Any) -> int:
    client.get(url)
    with counter as found:
        assert client.get(url).status_code == 200
    return len(found)


@pytest.mark.parametrize(
    ("sort", "numbers"),
    [
        ("", [101, 102, 103, 104, 105]), ("-tree", [105, 104, 103, 102, 101]), ("title", [105, 101, 103, 102, 104]),
        ("-title", [104, 102, 103, 101, 105]), ("status", [101, 102, 105, 104, 103]),
        ("-priority", [101, 102, 103, 104, 105]),
        ("assignee", [102, 101, 103, 104, 105]), ("lead", [102, 104, 101, 103, 105]),
        ("tags", [105, 101, 102, 103, 104]),
        ("-spent", [105, 101, 102, 103, 104]),
        ("nonsense", [101, 102, 103, 104, 105]), ("\x00", [101, 102, 103, 104, 105]),
    ],
)  # fmt: skip
def test_every_column_sorts_and_what_has_no_value_comes_last(browser, url, five, sort, numbers) -> None:
    assert shown(browser, url, sort=sort) == numbers


def test_the_clock_that_runs_out_first_comes_first(browser, url, five) -> None:
    assert shown(browser, url, sort="clock")[:2] == [102, 101]
    assert shown(browser, url, sort="clock")[-1] == 103


def test_the_head_says_how_it_is_sorted_and_leads_to_the_other_way(browser, url, five) -> None:
    html = browser.get(url, {"sort": "-clock", "q": "a"}).content.decode()
    assert '<th scope="col" aria-sort="descending"><a class="plain" href="?sort=clock&amp;q=a">Clock' in html
    assert 'href="?sort=-priority&amp;q=a">Priority' in html


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({"status": "done"}, [103]), ({"status": "doing"}, [104]), ({"assignee": "nobody"}, [103, 104, 105]),
        ({"priority": "high"}, [101]), ({"lead": "yes"}, [102, 104]), ({"lead": "open"}, [102]),
        ({"lead": "ruled_out"}, [104]), ({"lead": "no"}, [101, 103, 105]), ({"tag": "phase-1"}, [101, 105]),
        ({"over": "1"}, [102]), ({"q": "A #phase-1"}, [101, 105]), ({"q": "#104"}, [104]), ({"q": "nothing"}, []),
        ({"tag": "phase-1", "assignee": "nobody"}, [105]),
    ],
)  # fmt: skip
def test_bob_narrows_it_down(browser, url, five, asked, numbers) -> None:
    assert shown(browser, url, **asked) == numbers


def test_he_finds_his_own(browser, url, five, bob) -> None:
    assert shown(browser, url, assignee=bob.pk) == [101]


def test_what_makes_no_sense_is_left_out_and_named(browser, url, five) -> None:
    answer = browser.get(url, {"status": "eaten", "tag": "\x00", "lft": "1", "q": "\x00" * 500, "page": "٣"})
    assert answer.status_code == 200
    assert set(answer.context["refused"]) == {"status", "tag", "lft"}
    assert shown(browser, url, status="eaten", page="-4") == [101, 102, 103, 104, 105]


def test_a_hostile_title_is_text(browser, url, make_ticket) -> None:
    make_ticket("<script>alert(1)</script>")
    assert "<script>alert(1)" not in browser.get(url).content.decode()


@pytest.mark.parametrize("many", [3, 300])
def test_the_table_costs_five_queries_however_many_tickets(
    *, client_of, bob, alice, incident, url, make_user, django_assert_max_num_queries, many
) -> None:
    made = [
        actions.add_ticket(actor=alice, incident=incident, title=f"T{n}", assignee=bob if n % 2 else None)
        for n in range(many)
    ]
    for ticket in made[:3]:
        set_tags(actor=bob, ticket=ticket, tags=["x", "y"])
    assert queries(client_of(bob), url, django_assert_max_num_queries(5)) == 5


def test_a_page_has_100_rows_and_the_buttons_reach_all_that_are_found(browser, incident, url, alice) -> None:
    for n in range(130):
        actions.add_ticket(actor=alice, incident=incident, title=f"T{n}", lead=n < 120)
    answer = browser.get(url, {"lead": "yes"})
    html = answer.content.decode()
    assert len(answer.context["listing"].rows) == 100
    assert "All 120 found" in html
    assert 'name="lead" value="yes"' in html
    bulk = f"/incidents/{incident.number}/tickets/bulk/"
    html = browser.get(bulk, {"lead": "yes", "all": "1", "part": "priority"}).content.decode()
    assert html.count('name="tickets"') == 120
    assert browser.get(url, {"page": "2", "checked": "page"}).content.decode().count(" checked") == 30


def test_without_script_ticked_rows_lead_to_the_form(browser, url, five, incident) -> None:
    html = browser.get(url, {"sort": "title"}).content.decode()
    assert f'action="/incidents/{incident.number}/tickets/bulk/"' in html
    assert f'name="next" value="{url}?sort=title"' in html
    assert 'name="part" value="drop"' not in html


def test_carol_reads_it_without_anything_to_change(client_of, carol, url, five) -> None:
    html = client_of(carol).get(url).content.decode()
    assert "beacon" in html
    for tool in ('<button class="btn" name="part"', 'name="tickets"', "/csv/"):
        assert tool not in html


def test_a_closed_incident_is_read_and_not_polled(browser, url, five, incident) -> None:
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    html = browser.get(url).content.decode().split('id="table"')[1]
    assert "ir:tick" not in html.split("</form>")[0]
    assert 'name="tickets"' not in html


def test_an_unchanged_table_answers_304(browser, url, five) -> None:
    tag = browser.get(url)["HX-PTag"]
    assert browser.get(url, headers={**HTMX, "HX-PTag": tag}).status_code == 304
    answer = browser.get(url, headers={**HTMX, "HX-PTag": "0-0"})
    assert answer.content.decode().lstrip().startswith('<form id="table"')


# -- The file ---------------------------------------------------------------------------------------------------------
def rows_of(answer: Any) -> list[dict[str, str]]:
    text = b"".join(answer.streaming_content).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_bob_takes_the_filtered_rows_as_a_file_and_that_is_written_down(browser, url, five, incident) -> None:
    answer = browser.get(f"{url}csv/", {"lead": "yes", "sort": "-title"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{incident.number}-tickets.csv"'
    rows = rows_of(answer)
    assert [(row["number"], row["title"], row["result"]) for row in rows] == [
        ("104", "Zebra", "Ruled out"), ("102", "Mail", ""),
    ]  # fmt: skip
    entry = JournalEntry.objects.get(verb="tickets.exported")
    assert (entry.data["rows"], entry.data["asked"]) == (2, "lead=yes&sort=-title")


def test_looking_at_the_head_of_the_file_takes_nothing(browser, url, five) -> None:
    browser.head(f"{url}csv/")
    assert not JournalEntry.objects.filter(verb="tickets.exported").exists()


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", ' "=1', "\u00a0=1"])  # noqa: RUF001
def test_no_cell_is_a_formula(browser, url, incident, alice, title) -> None:
    made = actions.add_ticket(actor=alice, incident=incident, title=title)
    assert rows_of(browser.get(f"{url}csv/"))[0]["title"] == f"'{made.title}"


def test_a_quote_and_a_newline_stay_in_their_cell(browser, url, incident, alice) -> None:
    actions.add_ticket(actor=alice, incident=incident, title='He said "no", twice')
    text = b"".join(browser.get(f"{url}csv/").streaming_content).decode()
    assert '"He said ""no"", twice"' in text
    assert text.count("\r\n") == 2


def test_who_only_observes_takes_no_file(client_of, carol, auditor, mallory, url, five) -> None:
    assert [client_of(one).get(f"{url}csv/").status_code for one in (carol, mallory, auditor)] == [403, 403, 200]
