"""Reference data of this room: the words tickets are described in, and how soon they must be done."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from core.admin import JournalledAdmin, site
from core.templatetags.treeline import minutes as in_words
from tickets.actions.vocabulary import is_moving, replace_priority, replace_status
from tickets.models import Chore, ClockTarget, Ticket, TicketPriority, TicketStatus

Word = TicketStatus | TicketPriority
if TYPE_CHECKING:
    WordForm = forms.ModelForm[Any]
    WordChoice = forms.ModelChoiceField[Any]
else:
    WordForm, WordChoice = forms.ModelForm, forms.ModelChoiceField  # generic for the type checker only
MOST_MINUTES = 366 * 24 * 60  # of a target
NOT_REMOVED = "It can be renamed, not taken out."
MOVING = "Tickets are still being moved from or to it: that takes a few minutes."
FIXED_BY_MOVING = ("active", "category")
REPLACE: dict[str, Callable[..., Chore]] = {"status": replace_status, "priority": replace_priority}


class StayingForm(WordForm):
    """A word that the house begins with stays; so does one between which and another tickets are on their way."""

    def clean(self) -> dict[str, Any]:
        """What tickets on their way rely on is what it was; the row stays locked until the change is written."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        rows = type(self.instance)._default_manager.select_for_update().filter(pk=self.instance.pk)
        if (known := rows.first()) is not None and is_moving(known):
            for name in FIXED_BY_MOVING:
                if name in data and data[name] != getattr(known, name):
                    self.add_error(name, f"{MOVING} Until then this stays.")
        return data

    def clean_active(self) -> bool:
        """Whether it is given must stay yes for those."""
        active: bool = self.cleaned_data["active"]
        if not active and self.instance.pk and self.instance.is_first:
            raise ValidationError(f"{self.instance} always stays: tickets begin with it. {NOT_REMOVED}")
        return active


class ReplaceForm(forms.Form):
    """What the tickets will have instead."""

    by = WordChoice(queryset=TicketStatus.objects.none(), label="Replace by", empty_label="Choose one")

    def __init__(self, *args: Any, word: Word, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others: QuerySet[Any] = type(word).objects.filter(active=True).exclude(pk=word.pk)
        if isinstance(word, TicketStatus):
            others = others.filter(category=word.category)
        self.fields["by"].queryset = others  # type: ignore[attr-defined]


class WordAdmin(JournalledAdmin):
    """Codes are for ever: journal and history keep them. What is in use is replaced before it can be deleted."""

    form = StayingForm
    change_form_template = "admin/tickets/word.html"
    field: str  # the column of tickets that holds the code, and what it is called in the action that replaces it

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Each with whether tickets have it. How many would tell of incidents that admins may know nothing of."""
        mine = Ticket.objects.filter(parent__isnull=False, **{self.field: OuterRef("code")}).order_by()
        rows: QuerySet[Any] = super().get_queryset(request)
        known: QuerySet[Any] = rows.annotate(is_used=Exists(mine))
        return known

    def used(self, word: Word) -> bool:
        """Whether tickets have it."""
        known: bool | None = getattr(word, "is_used", None)
        return Ticket.objects.filter(**{self.field: word.code}).exists() if known is None else known

    @admin.display(description="tickets")
    def used_by(self, word: Word) -> str:
        """Whether tickets have it, and what that means."""
        use = "In use." if self.used(word) else "Not in use."
        if word.is_first:
            return f"{use} {NOT_REMOVED}"
        if is_moving(word):
            return f"{use} {MOVING}"
        return f"{use} It can be deleted{' once it is replaced' if self.used(word) else ''}."

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The code is chosen once; what a status means is fixed as soon as a ticket has it."""
        if obj is None:
            return ["used_by"]
        fixed = isinstance(obj, TicketStatus) and (obj.is_first or self.used(obj) or is_moving(obj))
        return ["code", *(["category"] if fixed else []), "used_by"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Only what exists is in use."""
        fields = list(super().get_fields(request, obj))
        return fields if obj is not None else [name for name in fields if name != "used_by"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only what no ticket has or is about to get, and what nothing else rests on."""
        return (obj is None or not self._kept(obj)) and super().has_delete_permission(request, obj)

    def _kept(self, word: Word) -> bool:
        return word.is_first or self.used(word) or is_moving(word) or self.rests_on(word)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Ask once more, with the row locked: it may have become what another one is replaced by."""
        with transaction.atomic():
            now = type(obj)._default_manager.select_for_update().get(pk=obj.pk)
            if self._kept(now):
                raise PermissionDenied
            super().delete_model(request, obj)

    def rests_on(self, word: Word) -> bool:
        """Whether something besides tickets names it."""
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With the way to replace it."""
        word = kwargs.get("obj")
        context["can_replace"] = word is not None and not word.is_first
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """With the page that replaces one by another."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_replace"
        own = path("<int:pk>/replace/", self.admin_site.admin_view(self.replace), name=name)
        return [own, *super().get_urls()]

    def replace(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask by what, and have it replaced."""
        word = self.get_object(request, str(pk))
        if not self.has_change_permission(request, word):
            raise PermissionDenied
        if word is None:
            messages.error(request, "This is gone: somebody deleted it.")
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        form = ReplaceForm(request.POST if request.method == "POST" else None, word=word)
        if form.is_valid() and self._replaced(request, form, word):
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", word.pk)
        context = {
            **self.admin_site.each_context(request), "title": f"Replace {word}", "form": form, "word": word,
            "is_used": self.used(word), "opts": self.opts,
        }  # fmt: skip
        return TemplateResponse(request, "admin/tickets/replace.html", context, status=422 if form.is_bound else 200)

    def _replaced(self, request: HttpRequest, form: ReplaceForm, word: Word) -> bool:
        by = form.cleaned_data["by"]
        try:
            REPLACE[self.field](actor=request.user, by=by, **{self.field: word})
        except ValidationError as error:
            form.add_error(None, error.messages)
            return False
        messages.success(
            request, f"{word} is no longer given. Its tickets get {by} instead; in a few minutes it can be deleted."
        )
        return True


@admin.register(TicketStatus, site=site)
class TicketStatusAdmin(WordAdmin):
    """Statuses, in the order in which they are offered."""

    list_display = ["name", "code", "category", "position", "active", "used_by"]
    list_filter = ["category", "active"]
    search_fields = ["name", "code"]
    fields = ["name", "code", "category", "position", "active", "used_by"]
    field = "status"


@admin.register(TicketPriority, site=site)
class TicketPriorityAdmin(WordAdmin):
    """Priorities, the most urgent first."""

    list_display = ["name", "code", "urgency", "active", "used_by"]
    list_filter = ["active"]
    search_fields = ["name", "code"]
    fields = ["name", "code", "urgency", "active", "used_by"]
    field = "priority"

    def rests_on(self, word: Any) -> bool:
        """Targets name it, too: they go first."""
        return ClockTarget.objects.filter(priority=word.code).exists()

    @admin.display(description="tickets")
    def used_by(self, word: Any) -> str:
        """As for all words, and whether targets name it."""
        if not word.is_first and not self.used(word) and not is_moving(word) and self.rests_on(word):
            return "Not in use. It can be deleted once its clock targets are."
        return super().used_by(word)


PRIORITY_NAME = Subquery(TicketPriority.objects.filter(code=OuterRef("priority")).values("name")[:1])


class TargetForm(WordForm):
    """A target, with the priorities there are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "priority" in self.fields:
            known = TicketPriority.objects.filter(Q(active=True) | Q(code=self.instance.priority))
            self.fields["priority"] = forms.ChoiceField(choices=list(known.values_list("code", "name")))

    def clean(self) -> dict[str, Any]:
        """Something must be asked, and the start before the finish."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        start, finish = data.get("start_minutes"), data.get("finish_minutes")
        for name, minutes in (("start_minutes", start), ("finish_minutes", finish)):
            if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
                self.add_error(name, f"Give between one minute and a year ({MOST_MINUTES} minutes).")
        if start is None and finish is None and not self.errors:
            raise ValidationError("Say how many minutes to start, to finish, or both; to ask nothing, delete it.")
        if start is not None and finish is not None and start > finish:
            raise ValidationError({"start_minutes": "A ticket starts before it is finished: at most as many minutes."})
        return data


@admin.register(ClockTarget, site=site)
class ClockTargetAdmin(JournalledAdmin):
    """How soon tickets must be started and finished. A change holds for open tickets at once."""

    form = TargetForm
    list_display = ["severity", "priority_name", "to_start", "to_finish"]
    list_filter = ["severity"]
    fields = ["severity", "priority", "start_minutes", "finish_minutes"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """What it is for is chosen once; only how soon changes."""
        return ["severity", "priority"] if obj is not None else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Each with the name of its priority."""
        rows: QuerySet[Any] = super().get_queryset(request)
        worded: QuerySet[Any] = rows.annotate(named=PRIORITY_NAME)
        return worded

    @admin.display(description="priority", ordering="priority")
    def priority_name(self, target: Any) -> str:
        """The priority's name; the code if it is gone."""
        return str(target.named or target.priority)

    @admin.display(description="to start", ordering="start_minutes")
    def to_start(self, target: ClockTarget) -> str:
        """As people say it."""
        return in_words(target.start_minutes) if target.start_minutes is not None else "—"

    @admin.display(description="to finish", ordering="finish_minutes")
    def to_finish(self, target: ClockTarget) -> str:
        """As people say it."""
        return in_words(target.finish_minutes) if target.finish_minutes is not None else "—"
