"""Alerts of the demo, brought in as a file like anybody's: a few to triage, some of them alike."""

import datetime as dt
import json

from django.conf import settings
from django.core.files.base import ContentFile

from core.files import keeping
from intake.actions.imports import request_import
from intake.models import ImportJob
from intake.tasks import read_file
from people.models import User

ROWS = [  # minutes ago, signature id, severity, source, destination, what fired, category
    (46, 2027865, 1, "192.0.2.115", "10.20.4.9", "ET EXPLOIT Possible web shell upload to the mail gateway", "Web Application Attack"),
    (41, 2024897, 1, "10.20.7.61", "198.51.100.24", "ET MALWARE Beacon to known command and control", "A Network Trojan was detected"),
    (40, 2024897, 1, "10.20.7.61", "198.51.100.24", "ET MALWARE Beacon to known command and control", "A Network Trojan was detected"),
    (39, 2024897, 1, "10.20.7.61", "198.51.100.24", "ET MALWARE Beacon to known command and control", "A Network Trojan was detected"),
    (30, 2019876, 2, "203.0.113.47", "10.20.1.4", "ET SCAN SSH brute force attempt", "Attempted Information Leak"),
    (22, 2019876, 2, "203.0.113.47", "10.20.1.4", "ET SCAN SSH brute force attempt", "Attempted Information Leak"),
    (17, 2013028, 3, "10.20.9.12", "203.0.113.80", "ET POLICY curl User-Agent outbound", "Potential Corporate Privacy Violation"),
    (9, 2402000, 3, "203.0.113.9", "10.20.1.1", "ET DROP Listed source contacted the perimeter", "Misc Attack"),
]  # fmt: skip


def make_alerts(user: User, now: dt.datetime) -> ImportJob:
    """Import them as this person, in the foreground."""
    lines = []
    for n, (ago, sid, severity, source, destination, what, category) in enumerate(ROWS):
        at = (now - dt.timedelta(minutes=ago)).strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
        line = {
            "timestamp": at, "flow_id": 8_100_000 + n, "event_type": "alert", "in_iface": "sensor-1", "proto": "TCP",
            "src_ip": source, "dest_ip": destination,
            "alert": {"signature_id": sid, "rev": 2, "signature": what, "category": category, "severity": severity},
        }  # fmt: skip
        lines.append(json.dumps(line))
    file = ContentFile("\n".join(lines).encode(), name="eve.json")
    with keeping(file, "imports", most=settings.IMPORT_MAX_BYTES) as kept:
        requested = request_import(actor=user, file=kept, name="eve.json", sensor="perimeter")
    job = ImportJob.claim(requested.pk)
    return read_file(job) if job else requested
