"""What the tree's page says of how its reader looks at it, in what it posts and in its address."""

import re
from dataclasses import dataclass
from typing import Self

from django import forms
from django.http import QueryDict

DEEP = {"all": 99}
NUMBERS = re.compile(r"[1-9][0-9]{0,8}(?:,[1-9][0-9]{0,8}){0,999}", re.ASCII)
MANAGER_LEVELS = 2


def _numbers(text: str) -> tuple[int, ...]:
    """ "101,104" as numbers; nothing for anything else."""
    return tuple(int(number) for number in text.split(",")) if NUMBERS.fullmatch(text) else ()


class LookForm(forms.Form):
    """`levels`: 1 to 99 or "all"; `flip` and `unflip`: numbers of tickets; `visit`, `seen`: anything for yes."""

    levels = forms.RegexField(r"\A(?:[1-9][0-9]?|all)\Z", required=False)
    flip = forms.RegexField(rf"\A{NUMBERS.pattern}\Z", required=False)
    unflip = forms.RegexField(rf"\A{NUMBERS.pattern}\Z", required=False)
    visit = forms.BooleanField(required=False)
    seen = forms.BooleanField(required=False)

    @property
    def depth(self) -> int | None:
        """The levels as a number; None where they are not sent."""
        words = str(self.cleaned_data["levels"])
        return DEEP.get(words) or (int(words) if words else None)

    @property
    def flipped(self) -> dict[int, bool]:
        """Number → whether the ticket stands the other way."""
        flip, unflip = str(self.cleaned_data["flip"]), str(self.cleaned_data["unflip"])
        return dict.fromkeys(_numbers(unflip), False) | dict.fromkeys(_numbers(flip), True)


@dataclass(frozen=True)
class Asked:
    """What the address of a tree asks for; whatever makes no sense there is left out. 0, "" and None: not asked."""

    show: str = ""
    text: str = ""
    levels: int = 0
    flip: tuple[int, ...] = ()
    ticket: int | None = None
    branch: int | None = None
    is_manager: bool = False

    @classmethod
    def of(cls, query: QueryDict, *, branch: int | None = None) -> Self:
        """From a query string: show, q, levels, flip, ticket, branch, view."""
        said = {
            name: str(query.get(name) or "") for name in ("show", "q", "levels", "flip", "ticket", "branch", "view")
        }
        manager, known = said["view"] == "manager", {"1": 1, "2": 2, "3": 3, **DEEP}
        return cls(
            show=said["show"] if said["show"].isascii() and said["show"].isalpha() else "",
            text=said["q"].strip()[:100], levels=known.get(said["levels"], MANAGER_LEVELS if manager else 0),
            flip=_numbers(said["flip"]), ticket=_number(said["ticket"]), branch=branch or _number(said["branch"]),
            is_manager=manager,
        )  # fmt: skip

    @property
    def is_own(self) -> bool:
        """Whether the tree is shown as its reader keeps it: nothing else is asked, and it is the whole one."""
        return not (self.levels or self.flip or self.branch)

    @property
    def level_words(self) -> str:
        """The levels as the address says them."""
        return {99: "all"}.get(self.levels, str(self.levels or ""))

    def query(self) -> str:
        """The query string that asks for the same."""
        said = {
            "show": self.show if self.show != "all" else "", "q": self.text, "levels": self.level_words,
            "flip": ",".join(map(str, self.flip)), "ticket": str(self.ticket or ""), "branch": str(self.branch or ""),
            "view": "manager" if self.is_manager else "",
        }  # fmt: skip
        found = QueryDict(mutable=True)
        found.update({name: value for name, value in said.items() if value})
        return found.urlencode()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
