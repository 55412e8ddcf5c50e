"""Who is on the team of an incident, who joins it, and who breaks the glass."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from core.models import JournalEntry
from incidents.actions.lifecycle import set_status
from incidents.actions.team import assign_role
from incidents.models import Incident, Role, RoleAssignment

GLASS = "/break-glass/"


def at(name, incident, **more):
    return reverse(f"incidents:{name}", kwargs={"number": incident.number, **more})


def active(incident):
    return {(one.user.username, one.role) for one in incident.assignments.filter(until=None)}


def test_the_page_shows_who_is_on_the_team_and_who_was(alice, bob, carol, incident, client_of):
    role = incident.assignments.get(user=carol)
    client_of(alice).post(at("unassign", incident, assignment=role.pk), {"reason": "Shift is over."})
    response = client_of(bob).get(at("members", incident))
    assert {one.user for one in response.context["active"]} == {alice, bob}
    assert [one.user for one in response.context["ended"]] == [carol]
    assert JournalEntry.objects.latest("id").data["reason"] == "Shift is over."


def test_alice_adds_mallory_and_hands_over_command_to_bob(alice, bob, mallory, incident, client_of):
    client = client_of(alice)
    assert client.post(at("assign", incident), {"user": mallory.pk, "role": Role.TECHNICAL}).status_code == 302
    assert client.post(at("assign", incident), {"user": bob.pk, "role": Role.COMMANDER}).status_code == 302
    assert {("mallory", "technical_lead"), ("bob", "incident_commander"), ("alice", "team_member")} <= active(incident)
    assert Incident.objects.get(pk=incident.pk).commander == bob
    assert client.get(at("assign", incident)).status_code == 403  # she is a member now


@pytest.mark.parametrize(
    ("user", "role"), [("bob", Role.MEMBER), ("eve", Role.MEMBER), ("gone", Role.MEMBER), ("mallory", "root")]
)
def test_who_cannot_be_added_is_refused_in_words(alice, bob, eve, mallory, make_user, incident, client_of, user, role):
    make_user("gone", "Responder", is_active=False)
    before = active(incident)
    key = type(bob).objects.get(username=user).pk
    assert client_of(alice).post(at("assign", incident), {"user": key, "role": role}).status_code == 422
    assert active(incident) == before


@pytest.mark.parametrize("key", ["", "1e3", str(2**70), "\x00", "-1", "0"])
def test_a_person_that_does_not_exist_cannot_be_added(alice, incident, client_of, key):
    assert client_of(alice).post(at("assign", incident), {"user": key, "role": Role.MEMBER}).status_code == 422


def test_command_is_not_laid_down_and_a_role_ends_once(alice, bob, incident, client_of):
    client = client_of(alice)
    command, member = incident.assignments.get(user=alice), incident.assignments.get(user=bob)
    refused = client.post(at("unassign", incident, assignment=command.pk), {})
    assert refused.status_code == 422
    assert "handed over, not laid down" in refused.content.decode()
    url = at("unassign", incident, assignment=member.pk)
    assert "Bob Example" in client.get(url).content.decode()
    assert [client.post(url, {}).status_code for _ in range(2)] == [302, 422]


def test_a_role_of_another_incident_cannot_be_ended_here(alice, incident, secret, client_of):
    theirs = secret.assignments.first()
    client = client_of(alice)
    for key in [theirs.pk, 2**70, 0]:
        assert client.post(at("unassign", incident, assignment=key), {}).status_code == 404
    for nonsense in ["1e3", "-1", "9" * 5000]:
        assert client.post(f"/incidents/{incident.number}/members/{nonsense}/end/").status_code == 404
    assert RoleAssignment.objects.get(pk=theirs.pk).until is None


def test_mallory_joins_what_is_not_restricted_once(mallory, incident, secret, client_of):
    client = client_of(mallory)
    assert b"/join/" in client.get(at("members", incident)).content
    assert client.post(at("join", incident)).status_code == 302
    assert ("mallory", "team_member") in active(incident)
    again = client.post(at("join", incident), follow=True)
    assert "You are on the team already." in again.content.decode()
    assert b"/join/" not in client.get(at("members", incident)).content
    assert client.post(at("join", secret)).status_code == 404
    assert client.get(at("join", incident)).status_code == 405


def test_managers_auditors_and_customers_do_not_join(dora, auditor, eve, incident, client_of):
    for person, status in [(dora, 403), (auditor, 403), (eve, 404)]:
        client = client_of(person)
        assert client.post(at("join", incident)).status_code == status
        assert client.post(at("take_command", incident)).status_code == status


def test_who_sees_that_nobody_commands_takes_command(bob, mallory, make_incident, client_of):
    leaderless = make_incident(commander=None)
    assert b"Take command" in client_of(bob).get(leaderless.get_absolute_url()).content
    assert client_of(bob).post(at("take_command", leaderless)).status_code == 302
    assert Incident.objects.get(pk=leaderless.pk).commander == bob
    late = client_of(mallory).post(at("take_command", leaderless), follow=True)
    assert "Bob Example has command." in late.content.decode()


def test_an_admin_breaks_the_glass_with_a_reason_and_then_only_looks(admin_user, secret, client_of):
    client = client_of(admin_user)
    assert client.get(secret.get_absolute_url()).status_code == 404
    assert client.post(GLASS, {"number": secret.number}).status_code == 422
    assert client.get(secret.get_absolute_url()).status_code == 404
    done = client.post(GLASS, {"number": f" {secret.number.lower()} ", "reason": "Court order 12/26."})
    assert (done.status_code, done["Location"]) == (302, secret.get_absolute_url())
    entry = JournalEntry.objects.get(verb="incident.glass_broken")
    assert (entry.actor_id, entry.data["reason"]) == (admin_user.pk, "Court order 12/26.")
    assert client.get(secret.get_absolute_url()).status_code == 200
    assert client.post(at("status", secret), {"seen": "detected", "status": "analyzing"}).status_code == 403
    again = client.post(GLASS, {"number": secret.number, "reason": "Once more."})
    assert again.status_code == 422


def test_glass_that_is_not_there_is_not_broken(admin_user, incident, client_of):
    client = client_of(admin_user)
    for number, words in [("IR-2020-0101-001", "There is no such incident."), (incident.number, "is not restricted")]:
        refused = client.post(GLASS, {"number": number, "reason": "x"})
        assert refused.status_code == 422
        assert words in refused.content.decode()
    assert client.post(GLASS, {"number": "\x00", "reason": "x"}).status_code == 422
    assert not JournalEntry.objects.filter(verb="incident.glass_broken").exists()


def test_no_number_is_tried_out_behind_the_glass_without_a_reason_and_a_trace(admin_user, secret, incident, client_of):
    client = client_of(admin_user)
    answers = [
        client.post(GLASS, {"number": number, "reason": "  "}).context["form"].errors
        for number in (secret.number, incident.number, "IR-2020-0101-001")
    ]
    assert answers[0] == answers[1] == answers[2]
    assert list(answers[0]) == ["reason"]
    missed = JournalEntry.objects.filter(verb="incident.glass_missed", stream="people")
    assert not missed.exists()
    client.post(GLASS, {"number": "IR-2020-0101-001", "reason": "Court order 12/26."})
    entry = missed.get()
    assert (entry.actor_id, entry.target_id) == (admin_user.pk, str(admin_user.pk))
    assert entry.data == {"number": "IR-2020-0101-001", "reason": "Court order 12/26."}


def test_who_only_looks_into_a_restricted_incident_does_not_take_its_command(
    alice, bob, carol, admin_user, make_incident, client_of
):
    leaderless = make_incident("Insider", restricted=True, commander=None, reporter=bob)
    assign_role(actor=alice, incident=leaderless, user=carol, role=Role.OBSERVER)
    admin_user.groups.add(Group.objects.get(name="Responder"))
    client_of(admin_user).post(GLASS, {"number": leaderless.number, "reason": "Court order 12/26."})
    for person in (carol, admin_user):
        client = client_of(person)
        assert b"/command/" not in client.get(at("members", leaderless)).content
        assert b"/command/" not in client.get(leaderless.get_absolute_url()).content
        assert leaderless not in client.get("/", {"show": "needs_me"}).context["listing"].rows
        refused = client.post(at("take_command", leaderless), follow=True)
        assert "only who works in it takes command" in refused.content.decode()
    assert leaderless in client_of(bob).get("/", {"show": "needs_me"}).context["listing"].rows
    assert client_of(bob).post(at("take_command", leaderless)).status_code == 302
    assert Incident.objects.get(pk=leaderless.pk).commander == bob


def test_a_closed_incident_is_neither_joined_nor_commanded(mallory, bob, make_incident, client_of):
    closed = make_incident(commander=None, reporter=bob)
    set_status(actor=bob, incident=closed, status="closed", reason="No.", resolution="false_positive")
    for step in ("join", "take_command"):
        answer = client_of(mallory).post(at(step, closed), follow=True)
        assert "is closed. Reopen it" in answer.content.decode()
    assert ("mallory", "team_member") not in active(closed)


def test_nobody_else_comes_near_the_glass(alice, mallory, dora, auditor, eve, secret, client_of):
    for person in (alice, mallory, dora, auditor, eve):
        client = client_of(person)
        assert client.get(GLASS).status_code == 403
        assert client.post(GLASS, {"number": secret.number, "reason": "x"}).status_code == 403
