"""Request ids, client addresses, health."""

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory

from core.requests import client_ip, describe
from core.views import health


@pytest.mark.parametrize("sane", ["abcdefgh", "0a1b2c3d-4e5f", "req_12.34-AB"])
def test_a_sane_request_id_is_kept_and_answered(client: Client, sane: str) -> None:
    assert client.get("/health/live", headers={"X-Request-ID": sane})["X-Request-ID"] == sane


@pytest.mark.parametrize("strange", ["x", "a" * 65, "<script>alert", "id with spaces", "néw-request-id"])
def test_a_strange_request_id_is_replaced(strange: str) -> None:
    request = RequestFactory().get("/", headers={"X-Request-ID": strange})
    assert describe(request).id != strange
    assert len(describe(request).id) == 32


def test_forwarded_addresses_count_only_as_far_as_our_proxies_wrote_them(settings) -> None:
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}, REMOTE_ADDR="10.0.0.2")
    assert client_ip(request) == "10.0.0.2"
    settings.PROXY_COUNT = 1
    assert client_ip(request) == "203.0.113.9"
    settings.PROXY_COUNT = 5
    assert client_ip(request) == "10.0.0.2"


def test_a_thousand_spoofed_addresses_are_one_client() -> None:
    seen = {
        client_ip(RequestFactory().get("/", headers={"X-Forwarded-For": f"203.0.113.{n % 256}, {n}"}))
        for n in range(1000)
    }
    assert seen == {"127.0.0.1"}


def test_health_says_alive_without_the_database(client: Client) -> None:
    assert client.get("/health/live").content == b"ok\n"


@pytest.mark.django_db
def test_ready_names_each_part_and_tells_nothing_else(client: Client) -> None:
    answer = client.get("/health/ready")
    assert set(answer.json()["parts"]) == {"database", "cache", "queue", "workers"}
    assert set(answer.json()["parts"].values()) <= {"ok", "down", "unknown", "migrations wait", "workers are behind"}


@pytest.mark.django_db
def test_ready_is_503_when_the_database_is_gone(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: object, **kwargs: object) -> None:
        raise OperationalError("password=hunter2 host=db")

    monkeypatch.setattr(connection, "cursor", gone)
    monkeypatch.setattr(health, "_known", health.Known())
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] == "down"
    assert "hunter2" not in answer.content.decode()
