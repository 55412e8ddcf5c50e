"""Suricata EVE (eve.json): only lines of event_type "alert" become alerts.

Format: https://docs.suricata.io/en/latest/output/eve/eve-json-format.html
EVE has no id for an alert; one is put together from time, flow, signature and transaction. Severity 1 is the worst; the
rule's own `metadata.signature_severity` (Emerging Threats and others) wins where it is given.
"""

from datetime import datetime

from intake.building import Findings
from intake.reading import Reader, ip_of, place_of
from intake.records import (
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_TITLE,
    MAX_VALUE,
    Event,
    Mapped,
    Record,
    Severity,
    Skipped,
    Source,
    severity_from_word,
    worse,
)
from intake.times import to_rfc3339

name = "suricata"
label = "Suricata EVE (eve.json)"

_EVENT_TYPES = {
    "alert", "anomaly", "arp", "bittorrent_dht", "dcerpc", "dhcp", "dnp3", "dns", "drop", "enip", "fileinfo",
    "flow", "frame", "ftp", "ftp_data", "http", "http2", "ike", "ikev2", "krb5", "ldap", "mdns", "metadata", "mqtt",
    "netflow", "nfs", "pgsql", "pop3", "quic", "rdp", "rfb", "sip", "smb", "smtp", "snmp", "ssh", "stats", "tftp",
    "tls", "websocket",
}  # fmt: skip
_SEVERITIES: dict[int, Severity] = {1: "high", 2: "medium"}


def sniff(value: object) -> int:
    """How surely this is an EVE line, 0 to 100."""
    if not isinstance(value, dict) or "timestamp" not in value:
        return 0
    kind, alert = value.get("event_type"), value.get("alert")
    if kind == "alert" and isinstance(alert, dict) and ("signature" in alert or "signature_id" in alert):
        return 95
    if isinstance(kind, str) and kind in _EVENT_TYPES:
        return 80 if "flow_id" in value or "src_ip" in value or kind == "stats" else 55
    return 0


def map_record(value: object) -> list[Mapped]:
    """One EVE line as one alert, or why it is none."""
    if not isinstance(value, dict):
        return [Skipped("not an EVE record: no object")]
    line = Reader(value)
    kind = line.text("event_type", limit=40)
    if kind != "alert":
        return [Skipped(f"not an alert: {kind or 'no event_type'}")]
    if not line.sub("alert"):
        return [Skipped("an alert without its alert part", broken=True)]
    return [_alert(line)]


def _alert(line: Reader) -> Record:
    alert = line.sub("alert")
    title = alert.text("signature", limit=MAX_TITLE)
    if title is None:
        line.notes.warn("no_title", "alert.signature", "the alert names no signature")
        title = f"Suricata signature {alert.text('signature_id') or 'unknown'}"
    detected_at = line.time("timestamp")
    flow_start = line.time("flow.start")
    severity, severity_raw = _severity(alert)
    category = alert.text("category")
    found = _findings(line)
    return Record(
        source=Source(product="Suricata", vendor="OISF", instance=_instance(line)),
        title=title,
        external_id=_derived_id(line, detected_at),
        id_derived=True,
        description=_description(line),
        severity=severity,
        severity_raw=severity_raw,
        status_raw=alert.text("action"),
        type=category,
        type_raw=category,
        rule=_rule(alert),
        detected_at=detected_at,
        occurred_first_at=min((t for t in (flow_start, detected_at) if t), default=None),
        occurred_last_at=detected_at,
        indicators=found.indicators,
        assets=found.assets,
        events=_events(line, title, detected_at, flow_start),
        techniques=found.techniques,
        tags=_tags(line),
        time_notes=tuple(line.notes.times),
        warnings=tuple(line.notes.warnings),
    )


def _instance(line: Reader) -> str | None:
    """The sensor: its name, else the interface it listens on."""
    return line.first("host", "sensor_name", "in_iface")


def _rule(alert: Reader) -> str | None:
    signature = alert.text("signature_id", limit=20)
    return f"{alert.text('gid', limit=20) or '1'}:{signature}" if signature else None


def _derived_id(line: Reader, detected_at: datetime | None) -> str | None:
    """None when a part is missing without which two alerts could not be told apart; the content decides then."""
    flow, rule = line.text("flow_id", limit=40), _rule(line.sub("alert"))
    if detected_at is None or flow is None or rule is None:
        return None
    return f"{to_rfc3339(detected_at)}/{flow}/{rule}/{line.text('tx_id', limit=20) or '-'}"


def _severity(alert: Reader) -> tuple[Severity | None, str | None]:
    words = alert.texts("metadata.signature_severity", limit=40)
    worst: Severity | None = None
    for word in words:
        worst = worse(worst, severity_from_word(word))
    if worst is not None:
        return worst, ", ".join(words)[:MAX_NAME]
    number = alert.integer("severity")
    if number is None or number < 1:
        alert.notes.warn("no_severity", "alert.severity", "no usable severity")
        return None, alert.text("severity")
    return _SEVERITIES.get(number, "low"), str(number)


def _findings(line: Reader) -> Findings:
    found = Findings(line.notes)
    found.address(line.first("src_ip", "alert.source.ip"), "src_ip", role="source")
    found.address(line.first("dest_ip", "alert.target.ip"), "dest_ip", role="destination")
    _web(line, found)
    _names(line, found)
    _files(line, found)
    metadata = line.sub("alert.metadata")
    names = metadata.texts("mitre_technique_name")
    tactics = metadata.texts("mitre_tactic_name")
    for index, id_ in enumerate(metadata.texts("mitre_technique_id", limit=80)):
        found.technique(
            id_,
            names[index].replace("_", " ") if index < len(names) else None,
            tactics[index].replace("_", " ") if index < len(tactics) else None,
            "alert.metadata.mitre_technique_id",
        )
    return found


def _ours(line: Reader) -> str | None:
    """The address the connection went to, when it is inside: then the host name asked for is our own."""
    ip = ip_of(line.first("dest_ip", "alert.target.ip"))
    return ip if ip is not None and place_of(ip) == "private" else None


def _host(line: Reader, found: Findings, path: str) -> None:
    """A host name a client asked for: another name of a server of ours, else an indicator."""
    host, ours = line.text(path), _ours(line)
    if host is None:
        return
    if ours is None:
        found.host(host, path)
    elif ip_of(host) is None:
        found.asset("host", ours, ids={"hostname": host})


def _web(line: Reader, found: Findings) -> None:
    """Host and address of a request. What was requested from a server of ours stays in the description."""
    _host(line, found, "http.hostname")
    host, url = line.text("http.hostname"), line.text("http.url", limit=MAX_VALUE)
    if url is None:
        return
    if url.startswith(("http://", "https://")):
        found.url(url, "http.url")
    elif host is None or not url.startswith("/"):
        line.notes.warn("not_a_url", "http.url", "the requested path is broken or has no host")
    elif _ours(line) is None:
        found.url(f"http://{host}{url}", "http.url")


def _queries(line: Reader) -> list[Reader]:
    """The names asked for; each version of EVE has another place for them."""
    dns = line.sub("dns")
    return [dns, *dns.each("query"), *dns.each("queries")]


def _names(line: Reader, found: Findings) -> None:
    """What was looked up, and what the TLS handshake showed."""
    for query in _queries(line):
        found.host(query.text("rrname"), "dns.rrname")
    for answer in line.sub("dns").each("answers"):
        if ip_of(answer.text("rdata", limit=MAX_VALUE)):
            found.address(answer.text("rdata"), "dns.answers.rdata")
    tls = line.sub("tls")
    _host(line, found, "tls.sni")
    fingerprint = (tls.text("fingerprint") or "").replace(":", "").lower()
    if len(fingerprint) == 40:
        found.indicator("certificate_sha1", fingerprint)
    ja3 = tls.text("ja3.hash")
    if ja3 and len(ja3) == 32:
        found.indicator("ja3", ja3.lower())


def _files(line: Reader, found: Findings) -> None:
    for file in [*line.each("fileinfo"), *line.each("files")]:
        filename = file.text("filename", limit=MAX_VALUE)
        if filename and not filename.endswith("/"):
            found.indicator("filename", filename.rsplit("/", 1)[-1][:MAX_NAME])
        for key in ("md5", "sha1", "sha256"):
            found.hash(file.text(key), f"{file.path}.{key}")


def _end(line: Reader, side: str, fallback: str) -> str:
    ip = line.first(f"{side}_ip", f"alert.{fallback}.ip") or "unknown"
    port = line.first(f"{side}_port", f"alert.{fallback}.port", limit=10)
    shown = f"[{ip}]" if ":" in ip else ip
    return f"{shown}:{port}" if port else shown


def _description(line: Reader) -> str:
    """What an analyst wants to see first, as plain text. All of it may be the attacker's own words."""
    parts = [f"{line.text('proto', limit=20) or 'IP'} {_end(line, 'src', 'source')} → {_end(line, 'dest', 'target')}"]
    for title, path in (
        ("Application", "app_proto"),
        ("Request", "http.http_method"),
        ("Host", "http.hostname"),
        ("URL", "http.url"),
        ("User agent", "http.http_user_agent"),
        ("Status", "http.status"),
        ("TLS subject", "tls.subject"),
        ("TLS issuer", "tls.issuerdn"),
        ("Payload", "payload_printable"),
    ):
        text = line.text(path, limit=MAX_VALUE)
        if text:
            parts.append(f"{title}: {text}")
    parts += [f"Name looked up: {asked}" for query in _queries(line)[:10] if (asked := query.text("rrname"))]
    return "\n".join(parts)[:MAX_DESCRIPTION]


def _events(line: Reader, title: str, detected_at: datetime | None, flow_start: datetime | None) -> tuple[Event, ...]:
    way = f"{_end(line, 'src', 'source')} → {_end(line, 'dest', 'target')}"
    events = []
    if flow_start is not None:
        events.append(Event(at=flow_start, what=f"Connection began: {way}", raw_ref="flow.start"))
    if detected_at is not None:
        events.append(Event(at=detected_at, what=f"Suricata: {title} ({way})", raw_ref="timestamp"))
    return tuple(events)


def _tags(line: Reader) -> tuple[str, ...]:
    tags: dict[str, None] = {}
    for path in ("app_proto", "alert.metadata.malware_family", "alert.metadata.cve", "alert.metadata.tag"):
        for text in line.texts(path, limit=60):
            if text.lower() not in ("failed", "unknown"):
                tags[text.replace("_", "-") if path.endswith("cve") else text] = None
    return tuple(tags)[:50]
