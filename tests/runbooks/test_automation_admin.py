"""What admins allow automations at /admin/; a secret is written and never seen again."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from core.models import JournalEntry
from people.models import User
from people.sealed import unseal
from runbooks.models import ActionSwitch, AllowedHost, EscalationRule, Secret
from runbooks.queries.automations import PURPOSE

CANARY = "canary-of-a-secret"
SECRET = "/admin/runbooks/secret/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], admin_user: User) -> Client:
    return client_of(admin_user)


def test_a_secret_is_sealed_and_shown_to_nobody(browser: Client) -> None:
    form = {"name": "intel", "description": "Feed", "hosts": "API.example , *", "value": CANARY}
    assert browser.post(f"{SECRET}add/", form).status_code == 302
    row = Secret.objects.get()
    assert (unseal(row.sealed, purpose=PURPOSE), row.hosts) == (CANARY, "api.example, *")
    pages = b"".join(
        browser.get(one).content for one in (SECRET, f"{SECRET}{row.pk}/change/", f"{SECRET}{row.pk}/history/")
    )
    history: Any = Secret.history
    kept = json.dumps([*JournalEntry.objects.values(), *history.values()], default=str)
    assert CANARY not in pages.decode() + kept
    assert row.sealed not in pages.decode() + kept
    assert JournalEntry.objects.get(verb="secret.added").stream == "automations"


def test_a_secret_stays_where_nothing_is_written_and_is_another_where_something_is(browser: Client) -> None:
    browser.post(f"{SECRET}add/", {"name": "intel", "hosts": "*", "value": CANARY})
    row = Secret.objects.get()
    browser.post(f"{SECRET}{row.pk}/change/", {"hosts": "a.example", "value": ""})
    row = Secret.objects.get()
    assert (unseal(row.sealed, purpose=PURPOSE), row.hosts) == (CANARY, "a.example")
    browser.post(f"{SECRET}{row.pk}/change/", {"hosts": "a.example", "value": "another-secret"})
    assert unseal(Secret.objects.get().sealed, purpose=PURPOSE) == "another-secret"


@pytest.mark.parametrize("hosts", ["b.example", "a.example, b.example", "*", "*, a.example"])
def test_a_secret_goes_to_further_hosts_only_by_who_knows_it(browser: Client, hosts: str) -> None:
    browser.post(f"{SECRET}add/", {"name": "intel", "hosts": "a.example, c.example", "value": CANARY})
    url = f"{SECRET}{Secret.objects.get().pk}/change/"
    refused = browser.post(url, {"hosts": hosts, "value": ""})
    assert "write the secret again" in refused.content.decode()
    assert Secret.objects.get().hosts == "a.example, c.example"
    assert browser.post(url, {"hosts": "c.example", "value": ""}).status_code == 302
    assert browser.post(url, {"hosts": hosts, "value": CANARY}).status_code == 302
    assert Secret.objects.get().hosts == hosts


@pytest.mark.parametrize(
    "form",
    [
        {"name": "a", "hosts": "*", "value": ""},
        {"name": "a", "hosts": "*", "value": "short"},
        {"name": "a", "hosts": "", "value": CANARY},
        {"name": "a", "hosts": "http://x/", "value": CANARY},
        {"name": "a", "hosts": "x y", "value": CANARY},
        {"name": "a b", "hosts": "*", "value": CANARY},
        {"name": "a", "hosts": "*", "value": "with\x7fcontrol"},
    ],
)
def test_a_secret_that_is_none_is_refused(browser: Client, form: dict[str, str]) -> None:
    assert browser.post(f"{SECRET}add/", form).status_code == 200
    assert not Secret.objects.exists()


def test_hosts_switches_and_rules_are_looked_at(browser: Client) -> None:
    hosts = "/admin/runbooks/allowedhost/add/"
    assert browser.post(hosts, {"host": "CMDB.corp", "port": "8443", "reason": "Assets"}).status_code == 302
    assert browser.post(hosts, {"host": "[::1]", "port": "80", "reason": "x"}).status_code == 302
    for host, port in (("http://x", "80"), ("a b", "80"), ("x", "0"), ("x", "70000"), ("x/y", "80"), ("x:80", "80")):
        assert browser.post(hosts, {"host": host, "port": port, "reason": "x"}).status_code == 200, host
    assert sorted(AllowedHost.objects.values_list("host", "port")) == [("::1", 80), ("cmdb.corp", 8443)]
    switches = "/admin/runbooks/actionswitch/add/"
    assert browser.post(switches, {"action": "http_request", "enabled": "on"}).status_code == 302
    assert browser.post(switches, {"action": "eaten", "enabled": "on"}).status_code == 200
    assert list(ActionSwitch.objects.values_list("action", "enabled", "needs_approval")) == [
        ("http_request", True, False)
    ]
    rules = "/admin/runbooks/escalationrule/add/"
    good = {
        "name": "Many",
        "condition": "affectedUsers > 50",
        "action": "Call the sponsor",
        "role": "executive_sponsor",
    }
    assert browser.post(rules, {**good, "active": "on"}).status_code == 302
    for condition in ("", "affectedUsers >", "a.b()", "secrets.x"):
        assert browser.post(rules, {**good, "name": "x", "condition": condition}).status_code == 200, condition
    assert EscalationRule.objects.count() == 1
    assert set(JournalEntry.objects.filter(stream="automations").values_list("verb", flat=True)) == {
        "allowedhost.added", "actionswitch.added", "escalationrule.added",
    }  # fmt: skip


def test_only_admins_come_here(client_of: Callable[[User], Client], alice: User) -> None:
    assert client_of(alice).get(SECRET).status_code == 302
