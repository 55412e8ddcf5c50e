"""Collect indicators, assets and techniques of one record: what is ours and what is theirs, each once, bounded."""

from intake.reading import Notes, domain_of, hash_of, ip_of, place_of, technique_of, url_of
from intake.records import (
    MAX_ITEMS,
    MAX_NAME,
    Asset,
    AssetKind,
    Indicator,
    IndicatorType,
    Role,
    Technique,
    is_placeholder,
)


class Findings:
    """What one record mentions. Adding the same thing twice keeps the better known role."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._indicators: dict[tuple[str, str], Indicator] = {}
        self._assets: dict[tuple[str, str], Asset] = {}
        self._techniques: dict[str, Technique] = {}

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        return tuple(self._indicators.values())

    @property
    def assets(self) -> tuple[Asset, ...]:
        return tuple(self._assets.values())

    @property
    def techniques(self) -> tuple[Technique, ...]:
        return tuple(self._techniques.values())

    def indicator(self, type_: IndicatorType, value: str | None, *, role: Role = "related") -> None:
        if not value or is_placeholder(value):
            return
        key = (type_, value)
        known = self._indicators.get(key)
        better = known is None or (known.role == "related" and role != "related")
        if better and self._room(len(self._indicators), "indicators", new=known is None):
            self._indicators[key] = Indicator(type=type_, value=value, role=role)

    def asset(
        self, kind: AssetKind, name: str | None, *, role: Role = "related", ids: dict[str, str] | None = None
    ) -> None:
        if not name or is_placeholder(name):
            return
        name = name[:MAX_NAME]
        key = (kind, name.lower())
        known = self._assets.get(key)
        if self._room(len(self._assets), "assets", new=known is None):
            merged = {**(known.ids if known else {}), **(ids or {})}
            best: Role = known.role if known and known.role != "related" else role
            self._assets[key] = Asset(kind=kind, name=known.name if known else name, role=best, ids=merged)

    def address(self, text: str | None, path: str, *, role: Role = "related") -> None:
        """An IP address: an indicator when it is out on the Internet, a host of ours when it is inside."""
        if text is None:
            return
        ip = ip_of(text)
        if ip is None:
            self._notes.warn("not_an_ip", path, "not an IP address")
            return
        place = place_of(ip)
        if place == "public":
            self.indicator("ip", ip, role=role)
        elif place == "private":
            self.asset("host", ip, role=role, ids={"ip": ip})

    def host(self, text: str | None, path: str, *, role: Role = "related") -> None:
        """A name or address that a connection went to."""
        if text is None:
            return
        if text.count(":") == 1:
            text = text.partition(":")[0]  # some write the port behind the name
        if ip_of(text):
            self.address(text, path, role=role)
        elif domain := domain_of(text):
            self.indicator("domain", domain, role=role)
        else:
            self._notes.warn("not_a_host", path, "neither a domain name nor an IP address")

    def url(self, text: str | None, path: str, *, role: Role = "related") -> None:
        if text is None:
            return
        if url_of(text):
            self.indicator("url", text, role=role)
        else:
            self._notes.warn("not_a_url", path, "not a usable web address")

    def hash(self, text: str | None, path: str) -> None:
        if text is None:
            return
        found = hash_of(text)
        if found:
            self.indicator(*found)
        else:
            self._notes.warn("not_a_hash", path, "not a hash of known length")

    def technique(self, id_: str | None, name: str | None, tactic: str | None, path: str) -> None:
        found = technique_of(id_) or technique_of(name)
        if found is None and not (id_ or name):
            return
        if found is None:
            self._notes.warn("unknown_technique", path, "not an ATT&CK technique id")
        key = found or (name or id_ or "").lower()
        if key not in self._techniques and self._room(len(self._techniques), "techniques"):
            shown = name or (None if found else id_)
            self._techniques[key] = Technique(id=found, name_raw=shown, tactic_raw=tactic)

    def _room(self, count: int, what: str, *, new: bool = True) -> bool:
        if new and count >= MAX_ITEMS:
            self._notes.warn("too_many", what, f"only the first {MAX_ITEMS} are kept")
            return False
        return True
