"""Words and keys that no browser would send are wrong, not a fault of ours."""

import json

import pytest

LOGIN = "/accounts/2fa/webauthn/login/"
WHOLE = {"id": "AA", "rawId": "AA", "type": "public-key"}
ANSWERS = [
    "", "null", "[]", "{}", "1", '"x"', "9" * 5000, "[" * 3000, '{"a":' * 3000, "\x00", "NaN", '{"response": []}',
    '{"response": {"userHandle": []}}', json.dumps({**WHOLE, "response": {}}),
    json.dumps(
        {**WHOLE, "response": {"clientDataJSON": "AA", "authenticatorData": "AA", "signature": "AA", "userHandle": "é"}}
    ),
    json.dumps({**WHOLE, "response": [1]}),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_key_that_answers_nonsense_logs_nobody_in(client, answer):
    assert client.post(LOGIN, {"credential": answer}).status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_key_that_answers_nonsense_is_not_added(bob, client_of, answer):
    client = client_of(bob)
    client.post("/accounts/reauthenticate/", {"password": "correct horse battery"})
    added = client.post("/accounts/2fa/webauthn/add/", {"name": "Key", "credential": answer})
    assert added.status_code == 200
    assert added.context["form"].errors
    assert not bob.authenticator_set.exists()


@pytest.mark.parametrize("words", ["# " * 3000, "x" * 5000, "\x00", "'; DROP TABLE people_user; --"])
def test_a_search_for_anything_is_answered(admin_user, customer_a, client_of, words):
    client = client_of(admin_user)
    assert client.get("/admin/people/customer/", {"q": words}).status_code == 200
    assert customer_a.name in client.get("/admin/people/customer/", {"q": "customer a"}).content.decode()
