"""The demo's incidents, worked by its people through the same actions as anybody's."""

import datetime as dt

from config.demo import runbooks, texts
from config.demo.clock import set_back
from config.demo.house import set_targets
from config.demo.lines import read
from config.demo.scenes import Scene
from core.actors import SYSTEM
from incidents.actions import incidents as opening
from incidents.actions import lifecycle, team
from incidents.actions.links import link_incidents
from incidents.models import Incident, Role, Status
from people.models import Customer, User
from tickets.actions.clocks import turn_clocks
from tickets.actions.handovers import hand_over
from tickets.actions.shifts import write_shift
from tickets.queries import shifts

CONTAINED = 12.8  # hours after it began


def main_incident(people: dict[str, User], now: dt.datetime) -> Incident:
    """The incident of the screenshots: about fifty tickets, contained, two days old."""
    began = now - dt.timedelta(days=2, hours=7, minutes=40)
    with set_back(began) as clock:
        incident = opening.open_incident(
            actor=people["mallory"], reporter=people["mallory"], title=texts.TITLE, type="unauthorized_access",
            severity="high", customer=Customer.objects.get(slug="customer-a"), detected_at=began,
            occurred_at=began - dt.timedelta(days=3, hours=21, minutes=38), detection_source="EDR import",
            summary=texts.SUMMARY, tags=["phishing", "cobalt-strike", "ad"],
        )  # fmt: skip
        clock.skip(13)
        team.take_command(actor=people["alice"], incident=incident)
        incident = lifecycle.assess_severity(
            actor=people["alice"], incident=incident, severity="critical", reason="Domain admin is lost."
        )
        for who, role in [("bob", Role.TECHNICAL), ("mallory", Role.COMMUNICATIONS),
                          ("dora", Role.SPONSOR), ("carol", Role.OBSERVER)]:  # fmt: skip
            clock.skip(3)
            team.assign_role(actor=people["alice"], incident=incident, user=people[who], role=role)
        scene, lines = Scene(people, clock, now, incident, began), read(texts.TREE)
        scene.step(Status.ANALYZING)
        scene.grow(lines, until=CONTAINED)
        clock.set(began + dt.timedelta(hours=CONTAINED))
        scene.step(Status.CONTAINED)
        scene.grow(lines, since=CONTAINED)
        clock.set(now - dt.timedelta(hours=4))
        runbooks.isolate_the_host(scene)
        clock.set(now - dt.timedelta(hours=2))
        change_shifts(scene)
        clock.set(now - dt.timedelta(minutes=58))
        scene.sum_up(lines)
        clock.set(now - dt.timedelta(minutes=44))
        incident = Incident.objects.get(pk=incident.pk)
        fields = {
            "situation": texts.SITUATION,
            "affected_systems": ["WS-0147", "WS-0152", "WS-0161", "DC01", "FS02", "MX-OLD"],
            "affected_services": ["Active Directory", "File shares"], "data_types": ["HR records", "Contracts"],
            "affected_users": 1400,
            "business_impact": "Dispatching runs on paper in two depots. **38.6 GB** of files are with the attacker.",
        }  # fmt: skip
        return opening.edit_incident(actor=people["alice"], incident=incident, version=incident.version, fields=fields)


def change_shifts(scene: Scene) -> None:
    """Bob writes what the next shift must watch, and offers Alice what he cannot finish."""
    bob, alice, incident = scene.people["bob"], scene.people["alice"], Incident.objects.get(pk=scene.incident.pk)
    since = scene.clock.at - dt.timedelta(hours=shifts.HOURS)
    body = shifts.written(shifts.draft(incident, since), texts.WATCH)
    write_shift(actor=bob, incident=incident, since=since, body=body, watch=texts.WATCH)
    numbers = [scene.numbers[title] for title in texts.HANDED_OVER]
    hand_over(actor=bob, incident=incident, numbers=numbers, receiver=alice, note=texts.HANDOVER_NOTE)


def small_incident(people: dict[str, User], now: dt.datetime, small: texts.Small) -> Incident:
    """One of the five others, each in another phase."""
    began = now - dt.timedelta(hours=small.hours_ago)
    commander = people["alice"] if small.status != Status.DETECTED else None
    with set_back(began) as clock:
        incident = opening.open_incident(
            actor=people["bob"], reporter=people["bob"], title=small.title, type=small.type, severity=small.severity,
            commander=commander, assessed=commander is not None, restricted=small.restricted,
            customer=Customer.objects.filter(slug=small.customer).first(), detected_at=began,
            tlp="TLP:RED" if small.restricted else "TLP:AMBER",
        )  # fmt: skip
        if not small.restricted:
            team.assign_role(actor=people["bob"], incident=incident, user=people["mallory"], role=Role.MEMBER)
        scene = Scene(people, clock, now, incident, began)
        scene.grow(read(small.tree))
        if small.runbook:
            runbooks.AT_WORK[small.runbook](scene)
        if small.status == Status.REVIEW:
            incident = Incident.objects.get(pk=incident.pk)
            fields = {"root_cause": "A key in a test fixture, pushed to a public repository."}
            opening.edit_incident(actor=people["bob"], incident=incident, version=incident.version, fields=fields)
        scene.step(*list(Status)[1 : Status(small.status).position])
    return scene.incident


def make_incidents(people: dict[str, User], now: dt.datetime) -> list[Incident]:
    """All six, oldest first, so that numbers follow the days."""
    set_targets(people["admin"])
    rows = sorted(texts.SMALL, key=lambda small: -small.hours_ago)
    older = [small_incident(people, now, small) for small in rows if small.hours_ago > 56]
    main = main_incident(people, now)
    newer = [small_incident(people, now, small) for small in rows if small.hours_ago <= 56]
    link_incidents(actor=people["alice"], source=older[-1], target=main, kind="related_to")
    found = [*older, main, *newer]
    for incident in found:
        turn_clocks(actor=SYSTEM, incident=incident)
    return found
