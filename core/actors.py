"""Who did it: always an argument, never found out from the surroundings."""

from dataclasses import dataclass
from typing import Protocol


class Actor(Protocol):
    """A person, a token, an import source, an automation or the system itself."""

    @property
    def pk(self) -> int | None: ...
    @property
    def actor_kind(self) -> str: ...
    @property
    def actor_name(self) -> str: ...


@dataclass(frozen=True)
class Machine:
    """An actor that is no person: kind is token, source, automation or system."""

    actor_kind: str
    actor_name: str
    pk: int | None = None


SYSTEM = Machine(actor_kind="system", actor_name="Treeline")
