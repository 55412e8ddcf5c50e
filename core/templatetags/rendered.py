"""`{{ incident|rendered:"summary" }}`: a Markdown field of an object, from its column `<name>_html`."""

from django import template
from django.utils.safestring import SafeString

from core import markdown

register = template.Library()


@register.filter
def rendered(item: object, name: str) -> SafeString:
    """Safe HTML of `item.<name>`; where items of its class have a `wiki`, `[[name]]` in their texts leads there.

    Raises:
        AttributeError: the object lacks `<name>` or `<name>_html`.
    """
    return markdown.html(getattr(item, name), getattr(item, f"{name}_html"), wiki=getattr(type(item), "wiki", ""))
