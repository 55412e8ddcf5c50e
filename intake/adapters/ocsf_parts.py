"""The parts of an OCSF finding that name things: observables, evidences, resources, devices, users, techniques.

Object and observable types: https://schema.ocsf.io/objects/observable
"""

from intake.building import Findings
from intake.reading import Reader, domain_of, ip_of
from intake.records import MAX_NAME, MAX_VALUE, AssetKind, IndicatorType, Role, is_placeholder

EVIDENCE_LIMIT = 50

# Numbers of observable types
_HOST, _IP, _URL, _FILE, _HASH, _ENDPOINT, _URL_OBJECT = 1, 2, 6, 7, 8, 20, 23
_PLAIN_INDICATORS: dict[int, IndicatorType] = {3: "mac", 5: "email", _FILE: "filename"}
_PLAIN_ASSETS: dict[int, AssetKind] = {4: "user", 10: "cloud_resource", 21: "user"}
_NOTHING = (0, 99)  # unknown or vendor's own: template leftovers more often than facts


def collect(finding: Reader, info: Reader, found: Findings) -> None:
    """Put everything the finding names into `found`."""
    for evidence in list(finding.each("evidences"))[:EVIDENCE_LIMIT]:
        _evidence(evidence, found)
    _endpoints(finding, found)
    for observable in finding.each("observables"):
        _observable(observable, found)
    _device(finding.sub("device"), found)
    for reader in (finding.sub("actor.user"), finding.sub("user")):
        _user(reader, found)
    for resource in [*finding.each("resources"), *finding.each("resource")]:
        _resource(resource, found)
    _account(finding, found)
    for reader in (finding, info):
        for attack in reader.each("attacks"):
            _attack(attack, found)


def evidence_text(evidence: Reader) -> str | None:
    """One line for the timeline: what was done, by whom, from where, on what."""
    operation = evidence.text("api.operation")
    service = evidence.text("api.service.name")
    parts = [f"{operation} on {service}" if operation and service else operation]
    parts += [evidence.text("process.cmd_line", limit=MAX_NAME) or evidence.text("process.name")]
    parts += [evidence.text("file.path", limit=MAX_NAME) or evidence.text("file.name")]
    for word, path in (("by", "actor.user.name"), ("from", "src_endpoint.ip"), ("to", "dst_endpoint.ip")):
        text = evidence.text(path)
        if text and not is_placeholder(text):
            parts.append(f"{word} {text}")
    told = " ".join(part for part in parts if part)
    return f"Evidence: {told}"[:1000] if told else None


def _role(text: str) -> Role:
    """Which way an observable's or endpoint's name points."""
    words = text.lower().replace(".", "_").split("_")
    if any(word in ("src", "source", "remote", "attacker") for word in words):
        return "source"
    return "destination" if any(word in ("dst", "dest", "destination", "target") for word in words) else "related"


def _observable(observable: Reader, found: Findings) -> None:
    kind = observable.integer("type_id")
    value = observable.text("value", limit=MAX_VALUE)
    if kind is None or kind in _NOTHING or value is None or is_placeholder(value):
        return
    path, role = observable.where("value"), _role(observable.text("name") or "")
    if kind == _IP:
        found.address(value, path, role=role)
    elif kind in (_HOST, _ENDPOINT):
        _named_host(value, path, found, role=role)
    elif kind in (_URL, _URL_OBJECT):
        found.url(value, path, role=role)
    elif kind == _HASH:
        found.hash(value, path)
    elif kind in _PLAIN_INDICATORS:
        found.indicator(_PLAIN_INDICATORS[kind], (value if kind == _FILE else value.lower())[:MAX_NAME], role=role)
    elif kind in _PLAIN_ASSETS:
        found.asset(_PLAIN_ASSETS[kind], value)


def _named_host(value: str, path: str, found: Findings, *, role: Role) -> None:
    """A dotted name may be anybody's; a bare one is a machine of ours."""
    if ip_of(value):
        found.address(value, path, role=role)
    elif domain_of(value):
        found.indicator("domain", domain_of(value), role=role)
    else:
        found.asset("host", value, role=role)


def _evidence(evidence: Reader, found: Findings) -> None:
    _endpoints(evidence, found)
    for path in ("file", "process.file", "actor.process.file"):
        _file(evidence.sub(path), found)
    found.url(evidence.text("url.url_string", limit=MAX_VALUE), evidence.where("url.url_string"))
    query = domain_of(evidence.text("query.hostname"))
    if query:
        found.indicator("domain", query)
    _device(evidence.sub("device"), found)
    for path in ("actor.user", "user"):
        _user(evidence.sub(path), found)


def _endpoints(reader: Reader, found: Findings) -> None:
    _endpoint(reader.sub("src_endpoint"), found, role="source")
    _endpoint(reader.sub("dst_endpoint"), found, role="destination")


def _endpoint(endpoint: Reader, found: Findings, *, role: Role) -> None:
    ip = endpoint.text("ip")
    if ip is not None and not is_placeholder(ip):
        found.address(ip, endpoint.where("ip"), role=role)
    for key in ("hostname", "domain"):
        name = endpoint.text(key)
        if name is not None and not is_placeholder(name):
            _named_host(name, endpoint.where(key), found, role=role)


def _file(file: Reader, found: Findings) -> None:
    filename = file.text("name")
    if filename:
        found.indicator("filename", filename)
    for digest in [*file.each("hashes"), *file.each("fingerprints")]:
        found.hash(digest.text("value"), digest.where("value"))


def _ids(reader: Reader, *keys: str) -> dict[str, str]:
    texts = {key: reader.text(key) for key in keys}
    return {key: text for key, text in texts.items() if text and not is_placeholder(text, inside=True)}


def _device(device: Reader, found: Findings) -> None:
    ids = _ids(device, "uid", "ip", "mac", "instance_uid")
    name = next((n for n in (device.text("hostname"), device.text("name")) if not is_placeholder(n)), None)
    found.asset("host", name or ids.get("ip") or ids.get("uid"), ids=ids)


def _user(user: Reader, found: Findings) -> None:
    ids = _ids(user, "uid", "email_addr", "domain")
    name = user.text("name")
    found.asset("user", ids.get("email_addr") if is_placeholder(name) else name, ids=ids)


def _resource(resource: Reader, found: Findings) -> None:
    ids = _ids(resource, "uid", "type", "region", "cloud_partition")
    name = resource.text("name")
    usable = ids.get("uid") if is_placeholder(name) else name
    if usable is None:
        resource.notes.warn("no_resource", resource.path, "the resource has neither a name nor an id")
    found.asset("cloud_resource", usable, ids=ids)


def _account(finding: Reader, found: Findings) -> None:
    account = _ids(finding.sub("cloud.account"), "uid", "name", "type")
    place = _ids(finding.sub("cloud"), "provider", "region")
    found.asset("cloud_resource", account.get("name") or account.get("uid"), ids={**place, **account})


def _attack(attack: Reader, found: Findings) -> None:
    tactic = attack.text("tactic.name") or next((t.text("name") for t in attack.each("tactics")), None)
    for key in ("sub_technique", "technique"):
        technique = attack.sub(key)
        if technique:
            found.technique(technique.text("uid"), technique.text("name"), tactic, technique.path)
            return
