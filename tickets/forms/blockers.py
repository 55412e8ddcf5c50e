"""Which ticket another one waits for."""

from django import forms

from tickets.forms.moves import NumberField


class BlockForm(forms.Form):
    """The other ticket, by its number."""

    by = NumberField(
        label="Waits for", help_text="A ticket of this incident, by its number or from the list.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "#110", "list": "blockers", "autofocus": True}
        ),
    )  # fmt: skip
