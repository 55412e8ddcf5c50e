"""What tests about people need beside the people themselves."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from core.models import JournalEntry
from people.models import AccountMail
from people.tasks import send_account_mail

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def known_loops(settings: Settings) -> None:
    """The login library looks at a person's sessions one by one, at login and on their page."""
    settings.ZEAL_ALLOWLIST = [{"model": model, "field": "get()"} for model in ("people.Session", "people.User")]


@pytest.fixture(autouse=True)
def fresh_rate_limits() -> Iterator[None]:
    """Limits live in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def send_mails(db: None) -> Callable[[], None]:
    """What a worker does: send every mail that waits."""

    def send() -> None:
        for pk in AccountMail.objects.filter(state="queued").values_list("pk", flat=True):
            send_account_mail(pk)

    return send


@pytest.fixture
def login() -> Callable[..., Client]:
    """A browser in which somebody typed name and password."""

    def type_in(name: str, password: str = PASSWORD, **options: str) -> Client:
        client = Client()
        client.post("/accounts/login/", {"login": name, "password": password}, **options)  # type: ignore[arg-type]
        return client

    return type_in


@pytest.fixture
def verbs(db: None) -> Callable[[], list[str]]:
    """What stands in the journal of people, oldest first."""
    return lambda: list(JournalEntry.objects.filter(stream="people").order_by("seq").values_list("verb", flat=True))
