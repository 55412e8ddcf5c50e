"""Fields of forms refuse with a reason what text of the product may not hold."""

import pytest
from django.core.exceptions import ValidationError

from core.forms import AsciiIntegerField, MultilineText, VisibleText
from core.markdown import LIMIT


def test_a_title_field_asks_for_visible_text() -> None:
    field = VisibleText(max_length=20)
    assert field.clean("  Phishing ") == "Phishing"
    with pytest.raises(ValidationError, match="required"):
        field.clean("   ")
    with pytest.raises(ValidationError, match="must contain visible text"):
        field.clean("\u200b")
    with pytest.raises(ValidationError, match="at most 20 characters"):
        field.clean("a" * 21)
    assert field.widget.attrs["maxlength"] == "20"
    assert VisibleText(required=False).clean("") == ""


def test_a_comment_field_takes_as_much_as_the_renderer() -> None:
    field = MultilineText()
    assert field.clean("a\r\nb") == "a\nb"
    assert len(field.clean("a" * LIMIT)) == LIMIT
    with pytest.raises(ValidationError):
        field.clean("a" * (LIMIT + 1))


@pytest.mark.parametrize(
    "value", ["\uff11\uff12", "\u0663", "1.0", "1e3", "0x1", "1_000", "9" * 5000, str(2**63), "1;", "ten"]
)
def test_a_number_in_other_digits_or_out_of_range_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        AsciiIntegerField().clean(value)


def test_a_number_is_stored_as_a_number() -> None:
    assert AsciiIntegerField().clean(" -007 ") == -7
    assert AsciiIntegerField(min_value=0).clean("12") == 12
    assert AsciiIntegerField(required=False).clean("") is None
