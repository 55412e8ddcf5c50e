"""How large a request with files may be."""

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from core.uploads import BoundedUpload
from intake.models import ImportJob


@pytest.mark.parametrize("htmx", [False, True])
def test_files_over_the_limit_are_refused_while_they_are_read(alice, client_of, settings, htmx: bool) -> None:
    settings.UPLOAD_MAX_BYTES = 3 * 2**20
    browser = client_of(alice)
    headers = {"HX-Request": "true"} if htmx else {}
    answer = browser.post("/intake/", {"file": SimpleUploadedFile("big.json", b"x" * (3 * 2**20))}, headers=headers)
    assert answer.status_code == 413
    assert "larger than this site takes" in answer.content.decode()
    assert ImportJob.objects.count() == 0


def test_a_length_that_lies_is_found_by_counting(alice, client_of, settings) -> None:
    settings.UPLOAD_MAX_BYTES = 2**20
    request = RequestFactory().post("/intake/")
    request.user = alice
    handler = BoundedUpload(request)
    handler.handle_raw_input(None, {}, 1000, b"")
    assert handler.receive_data_chunk(b"x" * 2**19, 0) == b"x" * 2**19
    with pytest.raises(RequestDataTooBig):
        handler.receive_data_chunk(b"x" * (2**19 + 1), 2**19)


def test_a_form_cut_short_is_no_import(alice, client_of) -> None:
    file = SimpleUploadedFile("big.json", b"x" * 2**16)
    assert client_of(alice).post("/intake/", {"file": file}, CONTENT_LENGTH="1000").status_code in (400, 422)
    assert ImportJob.objects.count() == 0


@pytest.mark.django_db
def test_strangers_can_hand_in_nothing_large(client) -> None:
    answer = client.post("/intake/", {"file": SimpleUploadedFile("big.json", b"x" * (2 * 2**20))})
    assert answer.status_code in (302, 413)
    assert ImportJob.objects.count() == 0


def test_an_incident_number_with_nul_is_no_incident(alice, client_of) -> None:
    assert client_of(alice).get("/incidents/IR%00/").status_code == 404
