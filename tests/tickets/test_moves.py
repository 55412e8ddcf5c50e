"""How people name a ticket in a form: by its number, with or without the title behind it."""

import pytest
from django.core.exceptions import ValidationError

from tickets.forms.moves import LONGEST, NumberField


@pytest.mark.parametrize(
    "text",
    ["110", "#110", "  #110 ", "#110 Domain controller DC01", "110 Two\nlines", "#110 see #117 as well", "#110\t#x"],
)
def test_bob_names_one_ticket(text: str) -> None:
    assert NumberField().clean(text) == 110


@pytest.mark.parametrize(
    "text",
    [
        "#110#117",
        "#110 #117",
        "#110   #117",
        "#110 Disk#117",
        "#110x",
        "#0",
        "110.5",
        "##110",
        "Disk",
        "#1234567890",
        "\x00",
    ],
)
def test_two_numbers_and_nonsense_name_none(text: str) -> None:
    with pytest.raises(ValidationError, match="Choose a ticket of the list"):
        NumberField().clean(text)


def test_nothing_is_nothing() -> None:
    assert NumberField(required=False).clean("") is None
    assert NumberField(required=False).clean("   ") is None


@pytest.mark.parametrize("filling", [" ", "x", "#", "\t\u2003"])
def test_a_number_with_a_title_is_never_longer_than_300_characters(filling: str) -> None:
    field = NumberField()
    assert field.clean(("#110 " + filling * LONGEST)[:LONGEST]) == 110
    with pytest.raises(ValidationError, match="at most 300 characters"):
        field.clean(("#110 " + filling * LONGEST)[: LONGEST + 1])
    with pytest.raises(ValidationError, match="at most 300 characters"):
        field.clean(filling * 20_000 + "x")
