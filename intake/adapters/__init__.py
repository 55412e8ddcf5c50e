"""The formats we read. One module for each, all with the same names inside: `name`, `label`, `sniff`, `map_record`.

To add one: copy a neighbour, put it into `ADAPTERS`. A package outside this one adds its module by the entry point
group `treeline.adapters`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol

from intake.adapters import ocsf, suricata
from intake.records import Mapped

ENTRY_POINTS = "treeline.adapters"
_ENOUGH = 50  # average score from which on content counts as recognised


class Adapter(Protocol):
    """What a module must hold to be an adapter. Both functions are pure and raise for no value."""

    name: str  # in URLs, the database and on the command line
    label: str  # on pages

    def sniff(self, value: object) -> int:
        """How surely one record is of this format: 0 (not at all) to 100."""

    def map_record(self, value: object) -> list[Mapped]:
        """The alerts in one record; wrappers may hold several."""


ADAPTERS: dict[str, Adapter] = {
    suricata.name: suricata,
    ocsf.name: ocsf,
}


@cache
def all_adapters() -> Mapping[str, Adapter]:
    """Ours and those of installed plug-ins, by name.

    Raises:
        ValueError: a plug-in lacks one of the names an adapter needs, or takes the name of another.
    """
    found = dict(ADAPTERS)
    for entry in entry_points(group=ENTRY_POINTS):
        module = entry.load()
        missing = [word for word in ("name", "label", "sniff", "map_record") if not hasattr(module, word)]
        if missing:
            raise ValueError(f"the adapter plug-in {entry.value} has no {', '.join(missing)}")
        if module.name in found:
            raise ValueError(f"the adapter plug-in {entry.value} takes the name {module.name}, which is in use")
        found[module.name] = module
    return found


def detect(values: Sequence[object]) -> str | None:
    """The name of the format of the first records of a file, by their content; None when no adapter knows it."""
    if not values:
        return None
    scores = {
        name: sum(adapter.sniff(value) for value in values) / len(values) for name, adapter in all_adapters().items()
    }
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= _ENOUGH else None
