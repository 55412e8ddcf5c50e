"""The import record: what every adapter makes of a tool's alert, and what alerts are stored from.

Shape `ir-import/1`, one per alert or incident. Its words follow OCSF (https://schema.ocsf.io) where both overlap.
Beyond plain facts a record says what fired (`rule`) and which way things went (`role`), so that equal alerts can be
grouped, and whether its id was put together by us (`id_derived`).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from intake.times import parse_time, to_rfc3339

__all__ = [
    "FORMAT", "KINDS", "SEVERITIES", "Asset", "Event", "Indicator", "Kind", "Mapped", "RawRef", "Record", "Remark",
    "Role", "Severity", "Skipped", "Source", "Technique", "content_digest", "dedup_key", "group_key",
    "is_placeholder", "parse_time", "severity_from_word", "shown_severity", "worse",
]  # fmt: skip

FORMAT = "ir-import/1"

Severity = Literal["informational", "low", "medium", "high", "critical"]
Kind = Literal["alert", "incident", "finding", "case", "result", "email", "timeline", "scan"]
Role = Literal["source", "destination", "related"]
IndicatorType = Literal[
    "ip", "domain", "url", "email", "filename", "md5", "sha1", "sha256", "sha512", "certificate_sha1", "ja3", "mac"
]
AssetKind = Literal["host", "user", "mailbox", "cloud_resource", "container"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # from harmless to worst
KINDS: tuple[Kind, ...] = get_args(Kind)

# Lengths in characters. The database columns are at least as long.
MAX_NAME = 255
MAX_TITLE = 300
MAX_VALUE = 2048
MAX_DESCRIPTION = 20_000
MAX_ITEMS = 200  # of each list in one record


@dataclass(frozen=True, slots=True)
class Source:
    """Which tool spoke. `instance` tells two of them apart: tenant, account, sensor."""

    product: str
    vendor: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """Something observed that is not ours: an address, a name, a hash."""

    type: IndicatorType
    value: str
    role: Role = "related"
    to_ids: bool | None = None  # the tool's word on whether it may be searched for; None: it said nothing
    tlp: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """Something of ours. `ids` are further names of the same thing (ip, arn, account)."""

    kind: AssetKind
    name: str
    role: Role = "related"
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for the timeline. `raw_ref` is the path in the raw record it was read from."""

    at: datetime | None
    what: str
    until: datetime | None = None
    raw_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Technique:
    """A MITRE ATT&CK technique; `id` is None when the tool wrote something that is none."""

    id: str | None
    name_raw: str | None = None
    tactic_raw: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """What was not as it should be, and where. The record is used all the same."""

    code: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class RawRef:
    """Where the untouched bytes lie in the stored upload."""

    media_type: str
    encoding: str
    sha256: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Record:
    """One alert or incident, normalised. Times are aware and UTC; texts are clean and bounded."""

    source: Source
    title: str
    kind: Kind = "alert"
    external_id: str | None = None
    id_derived: bool = False
    external_url: str | None = None
    description: str = ""
    severity: Severity | None = None
    severity_raw: str | None = None
    status_raw: str | None = None
    type: str | None = None
    type_raw: str | None = None
    rule: str | None = None
    detected_at: datetime | None = None
    occurred_first_at: datetime | None = None
    occurred_last_at: datetime | None = None
    time_notes: tuple[str, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    assets: tuple[Asset, ...] = ()
    events: tuple[Event, ...] = ()
    techniques: tuple[Technique, ...] = ()
    tags: tuple[str, ...] = ()
    tlp: str | None = None
    warnings: tuple[Remark, ...] = ()
    raw: RawRef | None = None

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values, times as RFC 3339 in UTC."""
        plain: dict[str, Any] = _plain(asdict(self))
        return {"format": FORMAT, **plain}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A readable record that is no alert to work on, and why in plain words; `broken`: it wanted to be one."""

    reason: str
    broken: bool = False


Mapped = Record | Skipped


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_rfc3339(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


# --- severity ------------------------------------------------------------------------------------------------------

_WORDS: dict[str, Severity] = {
    "informational": "informational", "information": "informational", "info": "informational", "audit": "informational",
    "low": "low", "minor": "low", "medium": "medium", "moderate": "medium", "high": "high", "major": "high",
    "critical": "critical", "fatal": "critical",
}  # fmt: skip


def severity_from_word(word: str | None) -> Severity | None:
    """The level a tool's own word means; None for words that say nothing ("Unknown", "Other")."""
    return _WORDS.get(word.strip().lower()) if word else None


def shown_severity(severity: Severity | None) -> Severity | None:
    """The level on our scale of four: informational is shown as Low, with a mark."""
    return "low" if severity == "informational" else severity


def worse(one: Severity | None, other: Severity | None) -> Severity | None:
    """The worse of two levels; an unknown one loses."""
    known = [severity for severity in (one, other) if severity is not None]
    return max(known, key=SEVERITIES.index, default=None)


# --- identity ------------------------------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(r"<[^<>]*>|x{2,}|[-?0]+|n/?a|none|null|nil|unknown|undefined|todo", re.IGNORECASE)
_LEFTOVER = re.compile(r"<[a-z_][a-z0-9_ -]*>", re.IGNORECASE)

# Fields that change each time the same alert is exported. Compared without case and underscores.
_VOLATILE = {
    "firedtimes", "updatedat", "lastupdatetime", "lastupdated", "crawledtimestamp", "indextime", "pcapcnt",
    "ingestiontime", "loggedtime", "loggedtimedt", "processedtime", "processedtimedt",
}  # fmt: skip


def is_placeholder(text: str | None, *, inside: bool = False) -> bool:
    """Whether a text is a template's leftover (`<finding_uid>`, `XX`, empty) and so names nothing.

    `inside` also finds one within a longer id (`arn:aws:iam::<account_uid>:root`). Never ask so about what an attacker
    writes: `<script>` in a URL is no leftover.
    """
    text = (text or "").strip()
    return not text or _PLACEHOLDER.fullmatch(text) is not None or (inside and _LEFTOVER.search(text) is not None)


def _sha256(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _lasting(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(k): _lasting(v) for k, v in value.items() if str(k).lower().replace("_", "") not in _VOLATILE}
    if isinstance(value, list | tuple):
        return [_lasting(item) for item in value]
    return value


def dedup_key(record: Record, raw: object) -> tuple[str, bool]:
    """(64 hex digits, whether the identity was derived) by which the same alert is known again.

    The tool's own id counts only together with product and instance: an id alone repeats between tools, and templates
    put the same one everywhere. Without an id, the raw record stands for itself, less what changes with each export.
    """
    product = record.source.product.lower()
    if not is_placeholder(record.external_id, inside=True):
        key = _sha256(["id", product, record.source.instance or "", record.external_id])
        return key, record.id_derived
    return _sha256(["content", product, _lasting(raw)]), True


def content_digest(record: Record) -> str:
    """64 hex digits over what the record says; differs when the tool changed its mind about the same alert."""
    said = record.to_json()
    del said["raw"], said["warnings"], said["time_notes"]
    return _sha256(said)


def group_key(record: Record) -> str:
    """64 hex digits equal for alerts that say the same thing: what fired, from where, to where.

    A scan raises one alert for each packet; all of them belong to one incident. Where nothing has a direction, the
    affected assets take its place.
    """
    sources, destinations = _ends(record, "source"), _ends(record, "destination")
    affected = [] if sources or destinations else sorted({asset.name for asset in record.assets})
    what = record.rule or record.type or record.title
    return _sha256([record.source.product.lower(), record.kind, what, sources, destinations, affected])


def _ends(record: Record, role: Role) -> list[str]:
    """The addresses on one side; names count only when there is no address, as not every alert carries them."""
    indicators = [i for i in record.indicators if i.role == role]
    addresses = {i.value for i in indicators if i.type == "ip"}
    addresses |= {asset.ids.get("ip", asset.name) for asset in record.assets if asset.role == role}
    return sorted(addresses or {i.value for i in indicators})
