"""The journal of one incident for people: the audit page, its file, the work log."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Case, F, Q, QuerySet, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import QueryDict

from core import markdown
from core.models import JournalEntry
from core.templatetags.treeline import LEADS
from incidents.models import Incident, Role, Severity, Status
from incidents.models.incidents import LinkKind
from incidents.models.lifecycle import IncidentType, Resolution
from incidents.queries.sentences import sentence
from people.models import Customer, User

HIDDEN = "another incident"  # one that the reader may not see has no number
NO_WORK = [  # reading is audited, but it is no work
    "file.downloaded", "file.viewed", "report.downloaded", "incident.journal_exported", "incident.viewed",
    "tickets.exported",
]  # fmt: skip
TIES = {  # entries about another incident: which of their data names it
    "incident.linked": "target", "incident.unlinked": "target", "incident.merged": "into", "incident.absorbed": "from",
}  # fmt: skip
PEOPLE = {
    "user", "assignee", "commander", "reporter", "situation_by", "post_mortem_approved_by", "author", "created_by",
    "uploaded_by",
}  # fmt: skip
CUSTOMERS = {"customer"}
INCIDENTS = {"target", "into", "from", "merged_into", "incident", "source"}
WORDS: dict[str, dict[str, str]] = {
    "status": {
        **dict(Status.choices),
        "open": "Open",
        "doing": "In progress",
        "waiting": "Waiting",
        "done": "Done",
        "dropped": "Dropped",
    },
    "severity": dict(Severity.choices),
    "type": dict(IncidentType.choices),
    "resolution": dict(Resolution.choices),
    "disposition": {name: words.removeprefix("Lead ").removeprefix("Lead, ") for name, (_, words) in LEADS.items()},
    "role": dict(Role.choices),
    "kind": dict(LinkKind.choices),
}
WORDS["to"] = WORDS["status"]
FIELDS = {"tlp": "TLP", "occurred_at": "attacker began", "due_at": "due", "shared": "shared with the customer"}
# By the key, but not by its index: along that, PostgreSQL would look for an old incident through all that came after.
NEWEST = (F("pk") + 0).desc()
CLOCKS = {"at_risk": "is at risk of being late", "breached": "has run out of time"}
CHUNK = 500
SAID = 300  # characters of a comment


@dataclass(frozen=True)
class Change:
    """One field, before and after, in words."""

    field: str
    old: str
    new: str


@dataclass(frozen=True)
class Line:
    """One entry as its reader sees it; `bare` is the sentence without a word that somebody wrote about it."""

    entry: JournalEntry
    actor: str
    sentence: str
    bare: str
    changes: list[Change]
    reason: str
    outcome: str


def of_incident(incident: Incident, reader: User) -> "QuerySet[JournalEntry]":
    """Everything done in the incident that the reader may know of, and who opened it while restricted; newest first.

    These are two chains: `seq` orders each of them, the key orders both. Ties to incidents that the reader may not see
    are left out whole, as they are on the overview: that there is such a tie, when it was made and why would tell.
    """
    other = Case(
        *[When(verb=verb, then=Cast(KeyTextTransform(name, "data"), BigIntegerField())) for verb, name in TIES.items()]
    )
    streams = [incident.journal_stream, incident.views_stream]
    entries = JournalEntry.objects.filter(stream__in=streams).alias(other=other)
    seen = Incident.objects.visible_to(reader).values("pk")
    return entries.filter(~Q(verb__in=TIES) | Q(other__in=seen)).order_by(NEWEST)


def work_of(incident: Incident, reader: User) -> "QuerySet[JournalEntry]":
    """What was done in the incident, without who only read."""
    entries = of_incident(incident, reader).filter(stream=incident.journal_stream)
    return entries.exclude(verb__in=NO_WORK).order_by("-seq")


@dataclass(frozen=True)
class AuditFilter:
    """What of the journal is asked for, the choices there are, and what was not understood of the question."""

    verb: str
    actor: str
    verbs: list[tuple[str, str]]
    actors: list[tuple[str, str]]
    refused: list[str]

    def rows(self, entries: "QuerySet[JournalEntry]") -> "QuerySet[JournalEntry]":
        """The entries asked for."""
        if self.verb:
            entries = entries.filter(verb=self.verb)
        if self.actor:
            kind, _, pk = self.actor.partition(":")
            entries = entries.filter(actor_kind=kind, actor_id=int(pk) if pk else None)
        return entries


def audit_filter(entries: "QuerySet[JournalEntry]", data: QueryDict) -> AuditFilter:
    """Verb and actor from the query string, each only if it occurs in these entries; two queries."""
    entries = entries.order_by()
    verbs = [(verb, verb_name(verb)) for verb in sorted(entries.values_list("verb", flat=True).distinct())]
    actors: dict[str, str] = {}
    for kind, pk, name in entries.values_list("actor_kind", "actor_id", "actor_name").distinct():
        actors.setdefault(f"{kind}:{pk if pk is not None else ''}", person(name))
    verb, actor = data.get("verb", ""), data.get("actor", "")
    refused = [name for name in data if name not in ("verb", "actor", "page")]
    refused += ["verb"] if verb and verb not in dict(verbs) else []
    refused += ["actor"] if actor and actor not in actors else []
    return AuditFilter(
        verb=verb if verb in dict(verbs) else "", actor=actor if actor in actors else "", verbs=verbs,
        actors=sorted(actors.items(), key=lambda item: item[1].casefold()), refused=refused,
    )  # fmt: skip


def verb_name(verb: str) -> str:
    """`ticket.status_changed` as "Ticket: status changed"."""
    noun, _, done = verb.partition(".")
    return f"{noun}: {done.replace('_', ' ')}".capitalize() if done else verb


def person(actor_name: str) -> str:
    """The name without the address behind it."""
    return actor_name.partition(" <")[0] or actor_name


# -- Entries in words -------------------------------------------------------------------------------------------------
class Names:
    """Names of people, customers and incidents that entries mention by key: three queries, whatever their number."""

    def __init__(self, entries: Iterable[JournalEntry], reader: User) -> None:
        wanted: dict[str, set[int]] = {"people": set(), "customers": set(), "incidents": set()}
        for entry in entries:
            for name, value in _mentions(entry.data):
                if isinstance(value, int) and not isinstance(value, bool) and (group := _group(name)):
                    wanted[group].add(value)
        seen = Incident.objects.visible_to(reader).filter(pk__in=wanted["incidents"])
        self._known: dict[str, dict[int, str]] = {
            "people": {user.pk: str(user) for user in User.objects.filter(pk__in=wanted["people"])},
            "customers": dict(Customer.objects.filter(pk__in=wanted["customers"]).values_list("pk", "name")),
            "incidents": dict(seen.values_list("pk", "number")),
        }

    def of(self, field: str, value: Any) -> str:
        """A value in words; a hidden incident is no more than that."""
        group = _group(field)
        if value is None or value in ("", []):
            return "nobody" if group == "people" else "nothing"
        if group:
            known = self._known[group].get(value) if isinstance(value, int) else None
            return known or {"people": "somebody", "incidents": HIDDEN}.get(group, f"{group[:-1]} {value}")
        return _in_words(field, value)


def _group(field: str) -> str:
    name = field.removesuffix("_id")
    if name in PEOPLE:
        return "people"
    return "customers" if name in CUSTOMERS else "incidents" if name in INCIDENTS else ""


def _mentions(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from data.items()
    for field, pair in data.get("changes", {}).items():
        for value in pair:
            yield field, value


def _in_words(field: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if field.endswith("_at") and isinstance(value, str):
        return _moment(value)
    return WORDS.get(field, {}).get(str(value), str(value))


def _moment(value: str) -> str:
    try:
        return dt.datetime.fromisoformat(value).astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return value


def _field(name: str) -> str:
    plain = name.removesuffix("_id")
    return FIELDS.get(plain, plain.removesuffix("_at").replace("_", " "))


def _changes(entry: JournalEntry, names: Names) -> list[Change]:
    changes = dict(entry.data.get("changes", {}))
    if entry.verb == "incident.edited" and "tags" in entry.data:
        changes["tags"] = entry.data["tags"]
    said = entry.data.get("words", {})  # names that a code had then
    return [
        Change(_field(field), *said.get(field, (names.of(field, old), names.of(field, new))))
        for field, (old, new) in changes.items()
        if field not in {"situation_at", "situation_by_id"}
    ]


def _line(entry: JournalEntry, names: Names) -> Line:
    data, changes = entry.data, _changes(entry, names)
    words = {name: names.of(name, value) for name, value in data.items() if name != "changes"}
    words |= {
        "target": "this incident" if entry.target_type == "incidents.Incident" else entry.target_name,
        "changed": ", ".join(change.field for change in changes) or "nothing",
        "other": next((words[name] for name in ("target", "into", "from") if name in words), HIDDEN),
        "tickets": str(len(data.get("tickets") or [])),
        "counted": _counted(len(data.get("tickets") or []), "ticket"),
        "branches": _counted(len(data.get("tickets") or []), "branch", "branches"),
        "alerts": _counted(data.get("count") or 0, "alert"),
        "parent": _parent(data.get("parent")),
        "signed": _signed(data.get("leads") or 0),
    }
    after = {field: pair[1] for field, pair in data.get("changes", {}).items()}
    words |= {name: names.of(name, after[name]) for name in ("resolution", "disposition") if name in after}
    if "clock" in data:
        words["clock"] = CLOCKS.get(data["clock"][-1], "")
    if "status" in data.get("words", {}):
        words["to"] = data["words"]["status"][1]
    words["result"] = words.get("disposition", "") + (
        f", because {why}" if (why := data.get("disposition_reason")) else ""
    )
    if after.get("waiting_for"):
        words["to"] = f"{words.get('to', '')} for {after['waiting_for']}"
    reason = str(data.get("reason") or after.get("dropped_reason") or data.get("comment") or "")
    said = str(after.get("outcome") or "") or markdown.plain(str(data.get("text") or ""), SAID)
    told = sentence(entry.verb, data, words)
    return Line(entry, person(entry.actor_name), told, _bare(entry), changes, reason, said)


def _counted(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def _bare(entry: JournalEntry) -> str:
    """What kind of thing was done, and to which ticket: its number and title stand in lists as well."""
    known = entry.target_type == "tickets.Ticket" and entry.target_name
    return f"{verb_name(entry.verb)}, {entry.target_name}" if known else verb_name(entry.verb)


def _signed(leads: int) -> str:
    return "1 lead stays open" if leads == 1 else f"{leads} leads stay open"


def _parent(value: Any) -> str:
    number = value[-1] if isinstance(value, list) and value else value
    return "the top" if number in (None, 100) else f"#{number}"


def lines(entries: list[JournalEntry], reader: User) -> list[Line]:
    """The entries in words, as this reader may know them; three queries."""
    names = Names(entries, reader)
    return [_line(entry, names) for entry in entries]
