"""What admins allow automations: which actions reach out, with which secrets, to which hosts; and when to escalate."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from core.admin import JournalledAdmin, site
from core.forms import VisibleText
from people.sealed import seal
from runbooks.expressions import check_condition
from runbooks.models import ActionSwitch, AllowedHost, EscalationRule, Secret
from runbooks.outbound import Refused, parse
from runbooks.queries.automations import PURPOSE
from runbooks.registry import ACTIONS

if TYPE_CHECKING:
    RowForm = forms.ModelForm[Any]
else:
    RowForm = forms.ModelForm  # generic for the type checker only
SHORTEST, LONGEST = 8, 4000  # characters of a secret; a shorter one would be masked where it is none


class SwitchForm(RowForm):
    """A switch of one of the actions there are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "action" in self.fields:
            known = [(kind.name, kind.label) for kind in ACTIONS.values() if kind.outward or kind.dangerous]
            self.fields["action"] = forms.ChoiceField(choices=known)


@admin.register(ActionSwitch, site=site)
class ActionSwitchAdmin(JournalledAdmin):
    """An action that reaches out of Treeline does nothing until it is enabled here."""

    form = SwitchForm
    list_display = ["action", "enabled", "needs_approval"]
    fields = ["action", "enabled", "needs_approval"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Which action it is for is chosen once."""
        return ["action"] if obj is not None else []


def hosts_of(text: str) -> str:
    """Hosts separated by commas, in small letters.

    Raises:
        ValidationError: one of them is no host.
    """
    found = [one.strip().lower() for one in text.split(",") if one.strip()]
    for one in found:
        if one != "*":
            host_of(one)
    if not found:
        raise ValidationError("Name at least one host, or * for any.")
    return ", ".join(found)


def host_of(text: str) -> str:
    """A host, as URLs have it, without brackets and port.

    Raises:
        ValidationError: it is none.
    """
    host = text.strip().strip("[]").lower()
    try:
        same = parse(f"http://[{host}]/" if ":" in host else f"http://{host}/").host == host
    except Refused:
        same = False
    if not same:
        raise ValidationError(f"“{text}” is no host: give a name or an address, without port and path.")
    return host


class SecretForm(RowForm):
    """The value is only ever written: nothing shows it again."""

    value = forms.CharField(
        min_length=SHORTEST, max_length=LONGEST, strip=True, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=f"At least {SHORTEST} characters. It is never shown again; empty leaves it as it is, as long as it "
        "is to go to no further hosts.",
    )  # fmt: skip
    hosts = VisibleText(
        max_length=500, label="Hosts it may be sent to",
        help_text="Separated by commas, as api.example.org; * is any. Scripts only get secrets with *.",
    )  # fmt: skip

    class Meta:
        model = Secret
        fields = ["name", "description", "hosts"]

    def clean_hosts(self) -> str:
        """Each is one."""
        return hosts_of(self.cleaned_data["hosts"])

    def clean_value(self) -> str:
        """There is one in the end, and it can stand in a header."""
        value: str = self.cleaned_data["value"]
        if not value and not self.instance.sealed:
            raise ValidationError("Write the secret.")
        if not value.isprintable():
            raise ValidationError("Line breaks and control characters cannot be in it.")
        return value

    def clean(self) -> dict[str, Any]:
        """It goes to further hosts only by who knows it: or whoever changes them could have it sent to themselves."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        known, wanted = (
            {one.strip() for one in text.split(",")} for text in (self.instance.hosts, data.get("hosts", ""))
        )
        if self.instance.pk and not known & {"*"} and wanted - known and not data.get("value"):
            self.add_error("value", "It would go to further hosts: write the secret again.")
        return data

    def save(self, commit: bool = True) -> Any:
        """Sealed, before anything is written."""
        if self.cleaned_data["value"]:
            self.instance.sealed = seal(self.cleaned_data["value"], purpose=PURPOSE)
            self.instance.changed_at = timezone.now()
        return super().save(commit)


@admin.register(Secret, site=site)
class SecretAdmin(JournalledAdmin):
    """Credentials that automations use as {{ secrets.name }}."""

    form = SecretForm
    list_display = ["name", "description", "hosts", "changed_at"]
    fields = ["name", "description", "hosts", "value"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Automations name it."""
        return ["name"] if obj is not None else []


class HostForm(RowForm):
    """A host and a port that automations may reach although they are inside, or the port is an unusual one."""

    def clean_host(self) -> str:
        """As URLs have it."""
        return host_of(self.cleaned_data["host"])

    def clean_port(self) -> int:
        """There is such a port."""
        port: int = self.cleaned_data["port"]
        if not 0 < port < 65536:
            raise ValidationError("A port is a number from 1 to 65535.")
        return port


@admin.register(AllowedHost, site=site)
class AllowedHostAdmin(JournalledAdmin):
    """Where automations may go beyond the public Internet on ports 80 and 443."""

    form = HostForm
    list_display = ["host", "port", "reason"]
    fields = ["host", "port", "reason"]


class RuleForm(RowForm):
    """A condition that reads well."""

    def clean_condition(self) -> str:
        """It is one."""
        condition: str = self.cleaned_data["condition"].strip()
        check_condition(condition)
        return condition


@admin.register(EscalationRule, site=site)
class EscalationRuleAdmin(JournalledAdmin):
    """When somebody else has to know of an incident."""

    form = RuleForm
    list_display = ["name", "condition", "action", "role", "active"]
    list_filter = ["active"]
    fields = ["name", "condition", "action", "role", "active"]
