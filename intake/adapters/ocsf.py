"""OCSF findings: Detection Finding (2004), the older Security Finding (2001), Incident Finding (2005) and others.

Schema: https://schema.ocsf.io/classes/detection_finding
Read tolerantly, because what tools write is rarely valid: seconds where milliseconds belong, `*_dt` without zone, keys
in camelCase, no severity, objects written into texts, findings wrapped in `detail` or `findings`.
"""

from datetime import datetime
from typing import Any

from intake.adapters.ocsf_parts import EVIDENCE_LIMIT, collect, evidence_text
from intake.building import Findings
from intake.guarded_json import parse
from intake.reading import Reader, url_of
from intake.records import (
    MAX_DESCRIPTION,
    MAX_TITLE,
    MAX_VALUE,
    Event,
    Kind,
    Mapped,
    Record,
    Severity,
    Skipped,
    Source,
    is_placeholder,
    severity_from_word,
)
from intake.times import parse_time

name = "ocsf"
label = "OCSF findings (Detection Finding 2004 and its kin)"

_KINDS: dict[int, Kind] = {
    2001: "alert",
    2002: "finding",  # vulnerability: listed, opens no incident by itself
    2003: "finding",  # compliance
    2004: "alert",
    2005: "incident",
    2006: "finding",  # data security
    2007: "finding",  # application security posture
}
_CLASS_NAMES = {
    "security finding": 2001, "vulnerability finding": 2002, "compliance finding": 2003, "detection finding": 2004,
    "detection findings": 2004, "incident finding": 2005, "data security finding": 2006,
    "application security posture finding": 2007,
}  # fmt: skip
_SEVERITIES: dict[int, Severity] = {
    1: "informational", 2: "low", 3: "medium", 4: "high", 5: "critical", 6: "critical",
}  # fmt: skip
_RISKS: dict[int, Severity] = {0: "informational", 1: "low", 2: "medium", 3: "high", 4: "critical"}
_OVER_WORDS = frozenset({"suppressed", "resolved", "closed", "archived", "deleted"})
_OVER = {3: "suppressed", 4: "resolved", 5: "archived", 6: "deleted"}
_OVER_INCIDENT = {4: "resolved", 5: "closed"}  # in 2005, 3 means "on hold"
_WRAPPERS = ("detail", "findings", "Findings", "events", "records", "Records", "value", "data", "_source", "finding")
_MAX_WRAPPED = 1000
_MAX_UNWRAP = 5


def sniff(value: object) -> int:
    """How surely this is an OCSF event, 0 to 100; wrapped ones count a little less."""
    return _sniff(value, _MAX_UNWRAP)


def _sniff(value: object, levels: int) -> int:
    if isinstance(value, list):
        return _sniff(value[0], levels - 1) if value and levels else 0
    if not isinstance(value, dict):
        return 0
    class_uid = _class_uid(Reader(value))
    if class_uid is not None:
        known = class_uid in _KINDS
        shaped = any(key in value for key in ("finding_info", "findingInfo", "finding", "finding_info_list"))
        formal = "metadata" in value or "severity_id" in value or "category_uid" in value
        if known:
            return 95 if shaped else 85 if formal else 40
        return 60 if formal else 20
    inner = _wrapped(value)
    return max(_sniff(inner, levels - 1) - 5, 0) if inner is not None and levels else 0


def map_record(value: object) -> list[Mapped]:
    """The findings in one JSON value, as alerts or with the reason why they are none."""
    return _map(value, _MAX_UNWRAP)


def _map(value: object, levels: int) -> list[Mapped]:
    if isinstance(value, list):
        if not levels or not value:
            return [Skipped("an empty list" if not value else "wrapped too often")]
        return _map_list(value, levels - 1)
    if not isinstance(value, dict):
        return [Skipped("not an OCSF event: no object")]
    finding = Reader(value)
    class_uid = _class_uid(finding)
    if class_uid is None:
        inner = _wrapped(value)
        if inner is None or not levels:
            return [Skipped("not an OCSF event: no class_uid")]
        return _map(inner, levels - 1)
    if class_uid not in _KINDS:
        class_name = finding.first("class_name", "classname", limit=80) or "unknown class"
        return [Skipped(f"not a finding: class {class_uid} ({class_name})")]
    over = _over(finding, class_uid)
    return [Skipped(over) if over else _finding(finding, class_uid)]


def _map_list(values: list[Any], levels: int) -> list[Mapped]:
    """The findings of a list up to the most we read, and one word on the rest."""
    mapped: list[Mapped] = []
    for at, item in enumerate(values):
        if len(mapped) >= _MAX_WRAPPED:
            rest = len(values) - at
            return [*mapped[:_MAX_WRAPPED], Skipped(f"{rest:,} more findings in one record were not read")]
        mapped += _map(item, levels)
    return mapped[: _MAX_WRAPPED + 1]


def _wrapped(value: dict[str, Any]) -> object:
    """What a wrapper holds; None when this is no wrapper."""
    for key in _WRAPPERS:
        inner = value.get(key)
        if isinstance(inner, dict | list) and inner:
            return inner
        if isinstance(inner, str) and inner.lstrip()[:1] in ("{", "["):
            return parse(inner.encode("utf-8", "replace")).value
    return None


def _class_uid(finding: Reader) -> int | None:
    """The class by its number, else by type_uid (class times 100 plus activity), else by its name."""
    for key, divisor in (("class_uid", 1), ("type_uid", 100)):
        number = _quiet_integer(finding.value.get(key, finding.value.get("classUid" if divisor == 1 else "typeUid")))
        if number is not None and 1000 <= number // divisor <= 999_999:
            return number // divisor
    named = finding.value.get("class_name", finding.value.get("classname"))
    return _CLASS_NAMES.get(named.strip().lower()) if isinstance(named, str) else None


def _quiet_integer(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _over(finding: Reader, class_uid: int) -> str | None:
    """Why a finding needs no work any more; None when it does."""
    known = _OVER_INCIDENT if class_uid == 2005 else _OVER
    status_id = finding.integer("status_id") or finding.integer("state_id")
    if status_id in known:
        return f"already {known[status_id]} in the tool it comes from"
    word = (finding.first("status", "state", limit=40) or "").lower()
    if not status_id and word in _OVER_WORDS:
        return f"already {word} in the tool it comes from"
    if finding.integer("activity_id") == 3:
        return "already closed in the tool it comes from"
    if (finding.text("status_code", limit=40) or "").upper() in ("PASS", "PASSED"):
        return "a check that passed"
    return None


def _finding(finding: Reader, class_uid: int) -> Record:
    info = _info(finding)
    severity, severity_raw = _severity(finding)
    detected_at = _time(info, "created_time") or _time(finding, "time")
    found = Findings(finding.notes)
    collect(finding, info, found)
    first = _time(info, "first_seen_time") or _time(finding, "start_time")
    last = _time(info, "last_seen_time") or _time(finding, "end_time")
    class_name = finding.first("class_name", "classname")
    types = info.texts("types")
    return Record(
        source=_source(finding),
        kind=_KINDS[class_uid],
        title=_title(finding, info),
        external_id=_id(finding, info),
        external_url=_link(info),
        description=_description(finding, info),
        severity=severity,
        severity_raw=severity_raw,
        status_raw=finding.first("status", "state", "status_code"),
        type=types[0] if types else class_name,
        type_raw=class_name or str(class_uid),
        rule=_rule(finding, info, types),
        detected_at=detected_at,
        occurred_first_at=first,
        occurred_last_at=last,
        indicators=found.indicators,
        assets=found.assets,
        events=_events(finding, first or detected_at),
        techniques=found.techniques,
        tags=tuple(dict.fromkeys([*finding.texts("metadata.labels"), *types[1:]]))[:50],
        time_notes=tuple(finding.notes.times),
        warnings=tuple(finding.notes.warnings),
    )


def _info(finding: Reader) -> Reader:
    """The part that describes the finding, under its name of each version."""
    return (
        finding.sub("finding_info")
        or finding.sub("finding")
        or next(finding.each("finding_info_list"), finding.sub("finding_info"))
    )


def _real(reader: Reader, *paths: str) -> str | None:
    """The first text that is no template's leftover."""
    found = (reader.text(path) for path in paths)
    return next((text for text in found if not is_placeholder(text, inside=True)), None)


def _source(finding: Reader) -> Source:
    product = finding.sub("metadata.product")
    instance = _real(
        finding, "metadata.tenant_uid", "cloud.account.uid", "cloud.account_uid", "metadata.product.feature.uid"
    )
    return Source(
        product=_real(product, "name") or _real(finding, "metadata.log_provider") or "OCSF",
        vendor=_real(product, "vendor_name"),
        instance=instance,
    )


def _title(finding: Reader, info: Reader) -> str:
    title = info.text("title", limit=MAX_TITLE) or finding.text("message", limit=MAX_TITLE)
    title = title or info.text("desc", limit=MAX_TITLE) or finding.text("desc", limit=MAX_TITLE)
    if title is None:
        finding.notes.warn("no_title", "finding_info.title", "the finding has no title")
        title = finding.first("class_name", "classname") or "OCSF finding"
    return title


def _id(finding: Reader, info: Reader) -> str | None:
    # An incident lists its findings; their ids are not its own.
    own = _real(info, "uid") if info.path in ("finding_info", "finding") else None
    found = own or _real(finding, "metadata.uid")
    if found is None and info.text("uid") is not None:
        finding.notes.warn("placeholder_id", info.where("uid"), "the id is a placeholder; the content stands for it")
    return found


def _link(info: Reader) -> str | None:
    link = info.text("src_url", limit=MAX_VALUE)
    if link is not None and url_of(link) is None:
        info.notes.warn("not_a_url", info.where("src_url"), "not a usable web address")
    return url_of(link)


def _description(finding: Reader, info: Reader) -> str:
    parts: dict[str, None] = {}
    for reader, path in (
        (info, "desc"),
        (finding, "desc"),
        (finding, "message"),
        (finding, "status_detail"),
        (finding, "risk_details"),
        (finding, "remediation.desc"),
    ):
        text = reader.text(path, limit=MAX_DESCRIPTION // 6, lines=True)
        if text:
            parts[text] = None
    return "\n\n".join(parts)[:MAX_DESCRIPTION]


def _severity(finding: Reader) -> tuple[Severity | None, str | None]:
    number, word = finding.integer("severity_id"), finding.text("severity", limit=80)
    said = severity_from_word(word)
    if number in _SEVERITIES:
        level = _SEVERITIES[number]
        if said is not None and said != level:
            text = f"severity_id {number} but severity “{word}”; the id counts"
            finding.notes.warn("contradiction", "severity", text)
        return level, f"{number} {word}" if word else str(number)
    if said is not None:
        return said, word
    risk_word, risk = finding.text("risk_level", limit=80), finding.integer("risk_level_id")
    level_of_risk = severity_from_word(risk_word) or (_RISKS.get(risk) if risk is not None else None)
    if level_of_risk is not None:
        finding.notes.warn("severity_from_risk", "risk_level", "no severity; the risk level was taken")
        return level_of_risk, f"risk {risk_word or risk}"
    finding.notes.warn("no_severity", "severity_id", "no usable severity")
    return None, word or (str(number)[:20] if number is not None else None)


def _time(reader: Reader, key: str) -> datetime | None:
    """A time from its two spellings: `key` in epoch milliseconds and `key`_dt as text, which need not agree."""
    written, number = reader.at(f"{key}_dt"), reader.at(key)
    text_time, text_note = parse_time(written)
    number_time, _ = parse_time(number)
    if number_time is not None and _is_seconds(number):
        reader.notes.remark(f"{reader.where(key)}: in seconds, though OCSF counts milliseconds")
    if text_time is None or (text_note and number_time is not None):
        moment = reader.time(key)
        if text_note:
            reader.notes.remark(f"{reader.where(key)}_dt: {text_note}" + (f"; {key} counts" if moment else ""))
        return moment
    if text_note:
        reader.notes.remark(f"{reader.where(key)}_dt: {text_note}")
    if number_time is not None and abs((text_time - number_time).total_seconds()) >= 1:
        reader.notes.warn("contradiction", reader.where(key), f"{key} and {key}_dt differ; {key}_dt counts")
    return text_time


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < abs(value) < 1e11


def _rule(finding: Reader, info: Reader, types: list[str]) -> str | None:
    """What fired, the same for all findings of one kind. Titles may name the resource, so they come last."""
    found = _real(info, "analytic.uid", "analytic.name") or _real(finding, "metadata.event_code")
    return found or (types[0] if types else None)


def _events(finding: Reader, at: datetime | None) -> tuple[Event, ...]:
    events = []
    for evidence in list(finding.each("evidences"))[:EVIDENCE_LIMIT]:
        what = evidence_text(evidence)
        if what:
            events.append(Event(at=_time(evidence, "time") or at, what=what, raw_ref=evidence.path))
    return tuple(events)
