"""Suricata's lines become alerts with the right severity, ends and names; nothing in them can raise."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.adapters import all_adapters, detect, suricata
from intake.records import (
    MAX_DESCRIPTION,
    SEVERITIES,
    Asset,
    Indicator,
    Record,
    Skipped,
    Technique,
    content_digest,
    dedup_key,
    group_key,
)
from intake.splitting import split

FIXTURES = Path(__file__).parent.parent / "fixtures" / "suricata"


def lines(name: str) -> list[dict[str, Any]]:
    return [piece.value for piece in split(io.BytesIO((FIXTURES / name).read_bytes())) if piece.value is not None]


def alert(value: object) -> Record:
    (record,) = suricata.map_record(value)
    assert isinstance(record, Record)
    return record


def eve(**fields: Any) -> dict[str, Any]:
    """One EVE alert; a test states only what matters."""
    plain = {
        "timestamp": "2026-11-07T10:00:00Z",
        "flow_id": 1,
        "event_type": "alert",
        "src_ip": "10.0.0.1",
        "dest_ip": "8.8.8.8",
        "alert": {"signature_id": 7, "gid": 1, "signature": "Something", "severity": 1},
    }
    return plain | fields


def test_the_eight_real_alerts_keep_titles_times_and_severities() -> None:
    records = [alert(line) for line in lines("eve_alerts.ndjson")]

    assert [(record.title, record.severity) for record in records] == [
        ("ET SCAN Possible Nmap User-Agent Observed", "high"),
        ("ET SCAN Behavioral Unusual Port 445 traffic Potential Scan or Infection", "low"),
        ("ET POLICY GNU/Linux APT User-Agent Outbound likely related to package management", "low"),
        ("ET POLICY SSLv3 inbound connection to server vulnerable to POODLE attack", "high"),
        ("SURICATA HTTP METHOD terminated by non-compliant character", "low"),
        ("ET WEB_SERVER Possible CVE-2014-6271 Attempt in Headers", "high"),
        ("ET SCAN Non-Allowed Host Tried to Connect to MySQL Server", "medium"),
        ("ET EXPLOIT Possible ETERNALBLUE Probe MS17-010 (MSF style)", "high"),
    ]
    assert records[0].detected_at == datetime(2018, 3, 23, 20, 3, 55, 908596, tzinfo=UTC)
    assert records[0].occurred_first_at == datetime(2018, 3, 23, 20, 3, 55, 707944, tzinfo=UTC)
    assert records[0].external_id == "2018-03-23T20:03:55.908596Z/1037538968718696/1:2024364/0"
    assert all(record.id_derived for record in records)


def test_inside_addresses_are_assets_and_outside_ones_indicators() -> None:
    apt, poodle = (alert(line) for line in lines("eve_alerts.ndjson")[2:4])

    assert apt.assets == (Asset(kind="host", name="10.47.2.100", role="source", ids={"ip": "10.47.2.100"}),)
    assert apt.indicators == (
        Indicator(type="ip", value="208.80.154.15", role="destination"),
        Indicator(type="domain", value="ftp.us.debian.org"),
        Indicator(type="url", value="http://ftp.us.debian.org/debian/dists/jessie/Release"),
    )
    assert [asset.name for asset in poodle.assets] == ["10.47.8.208", "10.128.0.215"]
    assert poodle.indicators == (Indicator(type="certificate_sha1", value="cdfcd3b30b09ac884852782f498732b3d7042ea4"),)


def test_an_attackers_words_stay_words() -> None:
    shellshock = alert(lines("eve_alerts.ndjson")[5])

    assert (
        'User agent: () { ignored; }; echo Content-Type: text/plain ; echo ; echo "bash_cve' in shellshock.description
    )
    assert shellshock.indicators == ()


def test_a_request_path_that_is_broken_is_a_warning_and_no_indicator() -> None:
    record = alert(lines("eve_alerts.ndjson")[4])

    assert record.indicators == ()
    assert [(warning.code, warning.path) for warning in record.warnings] == [("not_a_url", "http.url")]


def test_the_same_alerts_from_lines_and_from_an_array_have_the_same_keys() -> None:
    one, other = lines("eve_alerts.ndjson"), lines("eve_alerts_array.json")

    keys = [dedup_key(alert(line), line) for line in one]
    assert keys == [dedup_key(alert(line), line) for line in other]
    assert len(set(keys)) == 8
    assert all(derived for _, derived in keys)


def test_an_object_over_several_lines_with_a_zone_is_the_same_moment_in_utc() -> None:
    (line,) = lines("eve_alert_multiline_object.json")
    record = alert(line)

    assert record.detected_at == datetime(2021, 5, 30, 18, 7, 13, 208777, tzinfo=UTC)
    assert (record.title, record.severity, record.source.instance) == ("Corrupted HTTP body", "low", "s1-suricata")
    assert record.indicators == (Indicator(type="ip", value="179.60.192.3", role="destination"),)


def test_the_rules_own_severity_reaches_critical() -> None:
    record = alert(lines("eve_mixed_with_faults.ndjson")[1])

    assert (record.severity, record.severity_raw) == ("critical", "Critical")
    assert record.techniques == (Technique(id="T1071.001", name_raw="Web Protocols", tactic_raw="Command And Control"),)
    assert record.tags == ("http", "Examplebot", "CVE-2026-0001")
    assert record.source.instance == "sensor-1"
    assert Indicator(type="sha256", value="cd" * 32) in record.indicators
    assert (
        Indicator(type="url", value="http://loader.evil.example/gate.php?id=<script>alert(1)</script>")
        in record.indicators
    )


def test_what_is_no_alert_is_left_out_with_its_kind() -> None:
    results = [suricata.map_record(line)[0] for line in lines("eve_mixed_with_faults.ndjson")]

    assert [result for result in results if isinstance(result, Skipped)] == [
        Skipped("not an alert: flow"),
        Skipped("not an alert: stats"),
    ]


def test_a_name_looked_up_is_an_indicator_though_the_resolver_is_ours() -> None:
    record = alert(lines("eve_mixed_with_faults.ndjson")[2])

    assert [(i.type, i.value) for i in record.indicators] == [("domain", "bad.evil.example"), ("ip", "198.51.100.200")]


def test_the_name_of_our_own_server_is_no_indicator() -> None:
    record = alert(eve(dest_ip="10.0.0.80", http={"hostname": "intranet.corp.example", "url": "/login"}))

    assert record.indicators == ()
    assert record.assets[1].ids == {"ip": "10.0.0.80", "hostname": "intranet.corp.example"}


def test_an_alert_without_addresses_is_known_again_by_its_content() -> None:
    line = lines("eve_mixed_with_faults.ndjson")[3]
    record = alert(line)

    assert (record.external_id, record.indicators, record.assets) == (None, (), ())
    assert dedup_key(record, line) == dedup_key(record, line | {"pcap_cnt": 9})
    assert dedup_key(record, line) != dedup_key(record, line | {"in_iface": "eth9"})


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"severity": 1}, "high"),
        ({"severity": "2"}, "medium"),
        ({"severity": 3}, "low"),
        ({"severity": 255}, "low"),
        ({"severity": 0}, None),
        ({"severity": "worst"}, None),
        ({}, None),
        ({"severity": 3, "metadata": {"signature_severity": ["Major"]}}, "high"),
        ({"severity": 1, "metadata": {"signature_severity": "Informational"}}, "informational"),
        ({"severity": 3, "metadata": {"signature_severity": ["Minor", "Critical"]}}, "critical"),
        ({"severity": 2, "metadata": {"signature_severity": ["Odd"]}}, "medium"),
        ({"severity": 2, "metadata": ["Critical"]}, "medium"),
    ],
)
def test_one_is_the_worst_number_and_the_rules_word_wins(fields: dict[str, Any], severity: str | None) -> None:
    assert alert(eve(alert={"signature": "x", **fields})).severity == severity


def test_a_flood_of_one_scan_is_one_group_and_another_target_another() -> None:
    first = alert(eve(flow_id=1, src_port=1, timestamp="2026-11-07T10:00:00Z"))
    second = alert(eve(flow_id=2, src_port=2, timestamp="2026-11-07T10:00:01Z"))
    elsewhere = alert(eve(flow_id=3, dest_ip="9.9.9.9"))

    assert group_key(first) == group_key(second) != group_key(elsewhere)
    assert dedup_key(first, {}) != dedup_key(second, {})


def test_two_sensors_that_see_the_same_flow_raise_two_alerts() -> None:
    here, there = alert(eve(host="sensor-1")), alert(eve(host="sensor-2"))

    assert here.external_id == there.external_id
    assert dedup_key(here, {}) != dedup_key(there, {})


def test_a_changed_verdict_changes_the_digest_but_not_the_key() -> None:
    before, after = (
        alert(eve()),
        alert(eve(alert={"signature_id": 7, "gid": 1, "signature": "Something", "severity": 2})),
    )

    assert dedup_key(before, {}) == dedup_key(after, {})
    assert content_digest(before) != content_digest(after)


def test_hostile_types_become_warnings() -> None:
    record = alert(
        eve(
            src_ip=["10.0.0.1", {}],
            dest_ip=17,
            timestamp={"$date": 1},
            flow="x",
            http=[1],
            dns={"query": 7},
            tls="",
            files={"filename": 3, "sha256": None},
            alert={"signature": {"a": 1}, "severity": [], "metadata": "no"},
        )
    )

    assert record.title == "Suricata signature unknown"
    assert record.severity is None
    assert record.detected_at is None
    assert {warning.code for warning in record.warnings} >= {"not_a_text", "not_an_object", "not_an_ip", "no_title"}
    assert "timestamp: a dict is not a time" in record.time_notes


def test_control_characters_go_and_long_texts_are_cut_with_a_warning() -> None:
    record = alert(eve(alert={"signature": "a\x00b\x1b[31m\ud800" + "c" * 1000, "severity": 1}))

    assert record.title == "ab[31m" + "c" * 293 + "…"
    assert {warning.code for warning in record.warnings} == {"cut", "cleaned"}


def test_eve_is_recognised_by_content_even_among_other_events() -> None:
    assert detect(lines("eve_alerts.ndjson")) == "suricata"
    assert detect(lines("eve_mixed_with_faults.ndjson")) == "suricata"
    assert detect([{"hello": "world"}]) is None
    assert detect([]) is None
    assert list(all_adapters())[:2] == ["suricata", "ocsf"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "timestamp",
        "flow_id",
        "host",
        "src_ip",
        "dest_ip",
        "src_port",
        "proto",
        "alert",
        "http",
        "dns",
        "tls",
        "files",
        "fileinfo",
        "flow",
        "app_proto",
    ]
)


@given(JSON)
def test_no_value_makes_the_adapter_raise(value: Any) -> None:
    assert 0 <= suricata.sniff(value) <= 100
    suricata.map_record(value)


@given(
    st.dictionaries(FIELDS, JSON), st.dictionaries(st.sampled_from(["signature", "severity", "metadata", "gid"]), JSON)
)
def test_any_alert_has_a_valid_severity_and_bounded_texts(fields: dict[str, Any], inner: dict[str, Any]) -> None:
    record = alert(
        eve(**{"alert": {"signature_id": 1, **inner}, **fields, "event_type": "alert"}) | {"alert": {"x": 1, **inner}}
    )

    assert record.severity is None or record.severity in SEVERITIES
    assert 0 < len(record.title) <= 300
    assert len(record.description) <= MAX_DESCRIPTION
    assert all(len(i.value) <= 2048 for i in record.indicators)
    assert "\x00" not in str(record.to_json())
    assert len(dedup_key(record, fields)[0]) == len(group_key(record)) == 64
