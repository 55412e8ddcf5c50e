"""What is refused before anybody looks at the request's path."""

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize("port", ["0", "00000", "65536", "99999", "9" * 5000])
def test_a_port_that_cannot_be_is_refused_with_every_header(client: Client, port: str) -> None:
    answer = client.get("/accounts/login/", headers={"Host": f"localhost:{port}"})
    assert answer.status_code == 400
    assert answer["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["localhost", "localhost:1", "localhost:8000", "localhost:65535", "[::1]", "[::1]:80"])
def test_a_port_that_can_be_is_answered(client: Client, host: str) -> None:
    assert client.get("/accounts/login/", headers={"Host": host}).status_code == 200
