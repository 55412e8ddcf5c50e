"""A customer."""

from django import forms
from django.core.exceptions import ValidationError

from core.forms import MultilineText, VisibleText
from people.models import Customer

TAKEN_PATHS = {"new"}  # /customers/new/ is a page


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name and short name of an organisation."""

    name = VisibleText(max_length=200)
    notes = MultilineText(max_length=5000, required=False)

    class Meta:
        model = Customer
        fields = ["name", "slug", "notes"]
        labels = {"slug": "Short name"}
        help_texts = {"slug": "For addresses: small letters, digits and hyphens."}

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"]).lower()
        if slug in TAKEN_PATHS:
            raise ValidationError("This short name is taken.")
        return slug


class EditCustomerForm(CustomerForm):
    """The same, and whether we work for them."""

    class Meta(CustomerForm.Meta):
        fields = ["name", "slug", "notes", "active"]
        labels = {**CustomerForm.Meta.labels, "active": "We work for them"}
