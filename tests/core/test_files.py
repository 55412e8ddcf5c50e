"""Files that are handed in: stored before the action, and gone again if it refuses."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from core import files
from intake.models import ImportJob
from tickets.models import Attachment


class Impatient(FileSystemStorage):
    """A store that will not let a transaction wait for it."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """As usual, outside of any transaction."""
        assert not connection.in_atomic_block
        return super().save(name, content, max_length)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_no_lock_is_held_while_a_file_is_stored(
    alice, incident, make_ticket, client_of, settings, tmp_path: Path
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": f"{__name__}.Impatient", "OPTIONS": {"location": str(tmp_path)}},
    }
    ticket = make_ticket("Beacon")
    browser = client_of(alice)
    path = f"/incidents/{incident.number}/tickets/{ticket.number}/files/add/"
    assert browser.post(path, {"file": SimpleUploadedFile("a.txt", b"x")}).status_code == 302
    assert browser.post("/intake/", {"file": SimpleUploadedFile("eve.json", b"{}")}).status_code == 302
    assert (Attachment.objects.count(), ImportJob.objects.count()) == (1, 1)


def test_a_file_whose_action_refuses_is_dropped() -> None:
    keys = []

    def refuse() -> None:
        with files.keeping(SimpleUploadedFile("a", b"x"), "attachments", most=10) as kept:
            keys.append(kept.key)
            assert default_storage.exists(kept.key)
            raise ValidationError("No.")

    with pytest.raises(ValidationError, match="No"):
        refuse()
    assert not default_storage.exists(keys[0])


@pytest.mark.parametrize(("content", "said"), [(b"", "is empty"), (b"x" * 11, "at most")])
def test_an_empty_or_large_file_is_not_stored_at_all(content: bytes, said: str, settings, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": str(tmp_path)}},
    }
    with pytest.raises(ValidationError, match=said):
        files.keep(SimpleUploadedFile("a", content), "attachments", most=10)
    assert not any(tmp_path.rglob("*"))


def test_the_key_is_ours_and_the_name_is_data() -> None:
    kept = files.keep(SimpleUploadedFile("passwd", b"x", content_type="text/html"), "attachments", most=10)
    assert kept.key == f"attachments/{kept.id.hex[:2]}/{kept.id.hex}"
    assert (kept.name, kept.claimed_type, kept.size) == ("passwd", "text/html", 1)
