"""Values in written text: `{{ name }}` becomes what was given for it. Plain text goes in, plain text comes out.

One pass: what a value says is never read again, so no value can be a template.
"""

import re
from collections.abc import Iterable, Mapping

VALUE = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")
MOST_VALUES = 50
OWN_NAMES = frozenset({"incident", "ticket", "steps", "secrets"})
"""What automations know by themselves (docs/automations.md): nobody is asked for it."""


def names_in(texts: Iterable[str]) -> list[str]:
    """What is asked for in these texts, each once, in order of appearance."""
    found = dict.fromkeys(name for text in texts for name in VALUE.findall(text))
    return [name for name in found if name not in OWN_NAMES]


def length(text: str, values: Mapping[str, str]) -> int:
    """How many characters the text has with its values."""
    return len(text) + sum(len(values.get(found[1], found[0])) - len(found[0]) for found in VALUE.finditer(text))


def filled(text: str, values: Mapping[str, str], *, most: int | None = None) -> str:
    """The text with its values; as it is where that would be longer than `most` (and has to be refused)."""
    if most is not None and length(text, values) > most:
        return text
    return VALUE.sub(lambda found: values.get(found[1], found[0]), text)
