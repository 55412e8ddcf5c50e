"""OCSF as tools really write it: seconds for milliseconds, missing severities, wrappers, placeholders."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.adapters import detect, ocsf
from intake.records import (
    MAX_DESCRIPTION,
    SEVERITIES,
    Asset,
    Indicator,
    Record,
    Skipped,
    Source,
    Technique,
    dedup_key,
    group_key,
)
from intake.splitting import split

FIXTURES = Path(__file__).parent.parent / "fixtures" / "ocsf"


def values(name: str) -> list[dict[str, Any]]:
    return [piece.value for piece in split(io.BytesIO((FIXTURES / name).read_bytes())) if piece.value is not None]


def finding(value: object) -> Record:
    (record,) = ocsf.map_record(value)
    assert isinstance(record, Record)
    return record


def ocsf_event(**fields: Any) -> dict[str, Any]:
    """One Detection Finding; a test states only what matters."""
    plain = {
        "class_uid": 2004,
        "severity_id": 3,
        "time": 1793900463218,
        "finding_info": {"title": "Something", "uid": "f-1"},
        "metadata": {"product": {"name": "Tool", "vendor_name": "Maker"}},
    }
    return plain | fields


def test_prowlers_findings_share_a_placeholder_id_and_stay_five() -> None:
    raw = values("prowler_aws_2004.ocsf.json")
    records = [finding(value) for value in raw]

    assert [record.severity for record in records] == ["low", "medium", "medium", "medium", "medium"]
    assert [record.title for record in records][:2] == [
        "Check if IAM Access Analyzer is enabled",
        "Maintain current contact details.",
    ]
    assert {record.external_id for record in records} == {None}
    keys = [dedup_key(record, value) for record, value in zip(records, raw, strict=True)]
    assert len(set(keys)) == 5
    assert all(derived for _, derived in keys)
    assert len({group_key(record) for record in records}) == 5
    assert records[0].rule == "accessanalyzer_enabled"
    assert records[0].assets == ()
    assert records[0].source == Source(product="Prowler", vendor="Prowler", instance=None)


def test_seconds_are_understood_and_a_time_without_zone_does_not_win_over_them() -> None:
    record = finding(values("prowler_aws_2004.ocsf.json")[0])

    assert record.detected_at == datetime(2025, 2, 14, 13, 27, 3, tzinfo=UTC)
    assert record.time_notes == (
        "finding_info.created_time: in seconds, though OCSF counts milliseconds",
        "finding_info.created_time_dt: “2025-02-14T14:27:03.913874” names no zone; UTC assumed; created_time counts",
    )


def test_a_finding_that_came_by_way_of_security_hub_keeps_the_tool_that_saw_it() -> None:
    record = finding(values("trail_disabled_2004.ocsf.json")[0])

    assert record.source == Source(product="GuardDuty", vendor="Amazon", instance="222222222222")
    assert record.external_id == "arn:aws:guardduty:eu-central-1:222222222222:detector/d-0001/finding/f-0001"
    assert record.external_url == "https://console.example/findings?id=f-0001"
    assert (record.severity, record.severity_raw) == ("low", "2 Low")
    assert record.detected_at == datetime(2026, 11, 3, 8, 15, 22, 487000, tzinfo=UTC)
    assert record.occurred_first_at == datetime(2026, 11, 3, 8, 5, 9, tzinfo=UTC)
    assert record.indicators == (Indicator(type="ip", value="203.0.113.77", role="source"),)
    assert [asset.name for asset in record.assets] == ["AWS::IAM::AccessKey:key-of-deploy", "222222222222"]
    assert [event.what for event in record.events] == [
        "Evidence: StopLogging on cloudtrail.amazonaws.com from 203.0.113.77"
    ]
    assert record.warnings == ()


def test_without_observables_the_evidences_are_read() -> None:
    record = finding(values("login_failures_2004_seconds.ocsf.json")[0])

    assert record.indicators == (Indicator(type="ip", value="198.51.100.23", role="source"),)
    assert record.detected_at == datetime(2026, 11, 5, 17, 38, 20, tzinfo=UTC)
    assert record.severity is None
    assert [warning.code for warning in record.warnings] == ["no_severity"]


def test_the_deprecated_class_takes_its_severity_from_the_risk_and_ignores_template_leftovers() -> None:
    record = finding(values("offense_2001_camel_case.ocsf.json")[0])

    assert (record.title, record.external_id) == ("ICMP blind TCP reset guessing attempt", "1591")
    assert (record.severity, record.severity_raw) == ("high", "risk High")
    assert record.detected_at == datetime(2026, 11, 5, 17, 41, 3, 218000, tzinfo=UTC)
    assert record.indicators == (Indicator(type="ip", value="203.0.113.99", role="source"),)
    assert record.assets == (
        Asset(kind="user", name="dora"),
        Asset(kind="host", name="10.20.30.40", role="destination", ids={"ip": "10.20.30.40"}),
    )


def test_a_critical_finding_names_host_user_hash_and_techniques() -> None:
    record = finding(values("ransomware_2004_critical.ocsf.json")[0])

    assert (record.severity, record.kind, record.rule) == ("critical", "alert", "rule-486")
    assert [asset.name for asset in record.assets] == ["fs-01", "svc-backup"]
    assert record.techniques == (
        Technique(id="T1486", name_raw="Data Encrypted for Impact", tactic_raw="Impact"),
        Technique(id="T1059.001", name_raw="PowerShell", tactic_raw="Execution"),
    )
    assert Indicator(type="sha256", value="ab" * 32) in record.indicators
    assert Indicator(type="url", value="https://c2.evil.example/k") in record.indicators


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"severity_id": 1}, "informational"),
        ({"severity_id": "2"}, "low"),
        ({"severity_id": 4}, "high"),
        ({"severity_id": 5}, "critical"),
        ({"severity_id": 6}, "critical"),
        ({"severity_id": 99, "severity": "Critical"}, "critical"),
        ({"severity_id": None, "severity": "MEDIUM"}, "medium"),
        ({"severity_id": 0, "risk_level_id": 4}, "critical"),
        ({"severity_id": 0, "severity": "Unknown"}, None),
        ({"severity_id": True}, None),
        ({"severity_id": [5]}, None),
    ],
)
def test_the_severity_table(fields: dict[str, Any], severity: str | None) -> None:
    assert finding(ocsf_event(**fields)).severity == severity


def test_a_number_and_a_word_that_differ_are_a_warning() -> None:
    record = finding(ocsf_event(severity_id=2, severity="Critical"))

    assert record.severity == "low"
    assert [warning.code for warning in record.warnings] == ["contradiction"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status_id": 3}, "already suppressed in the tool it comes from"),
        ({"status_id": "4"}, "already resolved in the tool it comes from"),
        ({"status": "Resolved"}, "already resolved in the tool it comes from"),
        ({"class_uid": 2005, "status_id": 5}, "already closed in the tool it comes from"),
        ({"activity_id": 3}, "already closed in the tool it comes from"),
        ({"status_code": "PASS"}, "a check that passed"),
        ({"class_uid": 3002, "class_name": "Authentication"}, "not a finding: class 3002 (Authentication)"),
        ({"class_uid": None}, "not an OCSF event: no class_uid"),
    ],
)
def test_what_needs_no_work_is_left_out_and_says_why(fields: dict[str, Any], reason: str) -> None:
    assert ocsf.map_record(ocsf_event(**fields)) == [Skipped(reason)]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"class_uid": 2001}, "alert"),
        ({"class_uid": "2004"}, "alert"),
        ({"class_uid": None, "type_uid": 200401}, "alert"),
        ({"class_uid": None, "classname": "Detection Finding"}, "alert"),
        ({"class_uid": 2002}, "finding"),
        ({"class_uid": 2003}, "finding"),
        ({"class_uid": 2005, "status_id": 3}, "incident"),
    ],
)
def test_only_detections_and_incidents_may_open_an_incident(fields: dict[str, Any], kind: str) -> None:
    assert finding(ocsf_event(**fields)).kind == kind


def test_an_incident_does_not_take_the_id_of_its_first_finding() -> None:
    event = ocsf_event(class_uid=2005, finding_info=None, finding_info_list=[{"title": "First", "uid": "part-1"}])

    assert finding(event).external_id is None
    assert finding(event | {"metadata": {"uid": "inc-1"}}).external_id == "inc-1"
    assert finding(event).title == "First"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda event: {"detail": event},
        lambda event: {"version": "0", "detail": {"findings": [event]}},
        lambda event: {"detail": json.dumps(event)},
        lambda event: {"findings": [event]},
        lambda event: [event],
    ],
)
def test_wrappers_are_looked_through(wrap: Any) -> None:
    event = ocsf_event()

    assert finding(wrap(event)) == finding(event)
    assert ocsf.sniff(wrap(event)) >= 80


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ({"time": 1793900463218}, datetime(2026, 11, 5, 17, 41, 3, 218000, tzinfo=UTC)),
        ({"time": 1793900463}, datetime(2026, 11, 5, 17, 41, 3, tzinfo=UTC)),
        ({"time": 1793900463218000}, datetime(2026, 11, 5, 17, 41, 3, 218000, tzinfo=UTC)),
        ({"time": "1793900463218"}, datetime(2026, 11, 5, 17, 41, 3, 218000, tzinfo=UTC)),
        ({"time": None, "time_dt": 1793900463218}, datetime(2026, 11, 5, 17, 41, 3, 218000, tzinfo=UTC)),
        (
            {"time": None, "time_dt": "2026-11-05 17:41:03.2189999 +01:00"},
            datetime(2026, 11, 5, 16, 41, 3, 218999, tzinfo=UTC),
        ),
        ({"time": None, "time_dt": "2026-11-05T17:41:03"}, datetime(2026, 11, 5, 17, 41, 3, tzinfo=UTC)),
        ({"time": None, "time_dt": "2016-12-31T23:59:60Z"}, datetime(2017, 1, 1, tzinfo=UTC)),
        ({"time": None, "time_dt": "2026-11-05T17:41:03+24:00"}, None),
        ({"time": None, "time_dt": "0001-01-01T00:00:00"}, None),
        ({"time": None, "time_dt": "9999-12-31T23:59:59+14:00"}, None),
        ({"time": None, "time_dt": "10000-01-01T00:00:00Z"}, None),
        ({"time": None, "time_dt": "1601-01-01T00:00:00Z"}, None),
        ({"time": 0}, None),
        ({"time": 10**40}, None),
        ({"time": float("inf")}, None),
        ({"time": "yesterday"}, None),
        ({"time": {"seconds": 1}}, None),
    ],
)
def test_times_come_out_in_utc_or_not_at_all_with_a_remark(time: dict[str, Any], expected: datetime | None) -> None:
    record = finding(ocsf_event(**time))

    assert record.detected_at == expected
    assert expected is not None or record.time_notes


def test_a_link_that_is_no_web_address_is_dropped() -> None:
    record = finding(ocsf_event(finding_info={"title": "x", "src_url": "javascript:alert(1)"}))

    assert record.external_url is None
    assert [warning.code for warning in record.warnings] == ["not_a_url"]


def test_objects_written_into_texts_are_read() -> None:
    event = ocsf_event(device=json.dumps({"hostname": "fs-01"}), evidences='[{"src_endpoint": {"ip": "203.0.113.9"}}]')
    record = finding(event)

    assert record.assets == (Asset(kind="host", name="fs-01"),)
    assert record.indicators == (Indicator(type="ip", value="203.0.113.9", role="source"),)


def test_a_flood_of_observables_is_bounded_with_a_warning() -> None:
    flood = [{"type_id": 2, "value": f"203.0.113.{i % 250}", "name": f"x{i}"} for i in range(5000)]
    record = finding(ocsf_event(observables=flood))

    assert len(record.indicators) <= 200
    assert "too_many" in {warning.code for warning in record.warnings}


def test_ocsf_is_recognised_by_content() -> None:
    for name in FIXTURES.glob("*.json"):
        assert detect(values(name.name)) == "ocsf"


def test_the_plain_form_holds_nothing_but_json() -> None:
    plain = finding(values("ransomware_2004_critical.ocsf.json")[0]).to_json()

    assert plain["format"] == "ir-import/1"
    assert plain["detected_at"] == "2026-11-05T17:41:03.218000Z"
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        "finding_info",
        "finding",
        "metadata",
        "severity_id",
        "severity",
        "status_id",
        "status",
        "evidences",
        "observables",
        "resources",
        "device",
        "actor",
        "cloud",
        "attacks",
        "time",
        "time_dt",
        "message",
        "risk_level",
        "finding_info_list",
        "activity_id",
        "user",
        "class_name",
    ]
)
PARTS = st.sampled_from(
    [
        "uid",
        "title",
        "ip",
        "name",
        "value",
        "type_id",
        "hostname",
        "file",
        "hashes",
        "technique",
        "product",
        "src_endpoint",
        "user",
    ]
)
NESTED = st.dictionaries(PARTS, JSON | st.dictionaries(PARTS, JSON, max_size=3), max_size=4)


@given(JSON)
def test_no_value_makes_the_adapter_raise(value: Any) -> None:
    assert 0 <= ocsf.sniff(value) <= 100
    assert ocsf.map_record(value)


@given(st.dictionaries(FIELDS, JSON | NESTED | st.lists(NESTED, max_size=3)), st.sampled_from([2001, 2002, 2004, 2005]))
def test_any_finding_has_a_valid_severity_and_bounded_texts(fields: dict[str, Any], class_uid: int) -> None:
    for record in ocsf.map_record({**fields, "class_uid": class_uid}):
        if isinstance(record, Skipped):
            continue
        assert record.severity is None or record.severity in SEVERITIES
        assert 0 < len(record.title) <= 300
        assert len(record.description) <= MAX_DESCRIPTION
        assert all(len(i.value) <= 2048 for i in record.indicators)
        assert all(len(asset.name) <= 255 for asset in record.assets)
        assert json.dumps(record.to_json(), ensure_ascii=False).encode()
        assert len(dedup_key(record, fields)[0]) == len(group_key(record)) == 64
