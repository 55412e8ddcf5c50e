"""Single sign-on against a small identity provider; a program whose output test_sign_on asserts on."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLAIMS: dict[str, Any] = {}


class Provider(BaseHTTPRequestHandler):
    """Discovery, token and userinfo: as much of OpenID Connect Core 1.0 as the code flow needs."""

    def answer(self) -> None:
        here = f"http://{self.headers['Host']}"
        path = urlsplit(self.path).path
        body = {
            "/.well-known/openid-configuration": {
                "issuer": here, "authorization_endpoint": f"{here}/authorize", "token_endpoint": f"{here}/token",
                "userinfo_endpoint": f"{here}/userinfo", "jwks_uri": f"{here}/keys",
            },
            "/token": {"access_token": "t", "token_type": "Bearer", "expires_in": 60},
            "/userinfo": CLAIMS,
        }.get(path, {})  # fmt: skip
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    do_GET = do_POST = answer

    def log_message(self, *_: object) -> None:
        """Quiet."""


server = HTTPServer(("127.0.0.1", 0), Provider)
threading.Thread(target=server.serve_forever, daemon=True).start()
ISSUER = f"http://127.0.0.1:{server.server_port}"
os.environ.update(OIDC_ISSUER=ISSUER, OIDC_CLIENT_ID="treeline", OIDC_CLIENT_SECRET="x" * 20, OIDC_NAME="Example ID")

import django  # noqa: E402

django.setup()

from allauth.socialaccount.models import SocialAccount  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from core.models import JournalEntry  # noqa: E402
from people.actions import people  # noqa: E402
from people.models import User  # noqa: E402

PASSWORD = "correct horse battery"
LOGIN, CALLBACK = "/accounts/oidc/oidc/login/", "/accounts/oidc/oidc/login/callback/"


def sign_on(client: Client, *, process: str = "login", next_: str = "", **claims: Any) -> Any:
    CLAIMS.clear()
    CLAIMS.update(claims)
    sent = client.post(f"{LOGIN}?process={process}&next={next_}")
    asked = parse_qs(urlsplit(sent["Location"]).query)
    return client.get(CALLBACK, {"code": "c", "state": asked["state"][0]})


def who(client: Client) -> str:
    page = client.get("/accounts/profile/")
    return page.wsgi_request.user.username if page.status_code == 200 else "nobody"


def main() -> None:
    call_command("migrate", verbosity=0)
    setup_test_environment()
    alice = User.objects.create_user("alice@demo.example", PASSWORD, name="Alice", username="alice")
    alice.groups.set([Group.objects.get(name="Responder")])
    seen: dict[str, Any] = {}

    page = Client().get("/accounts/login/")
    seen["button"] = "Log in with Example ID" in page.content.decode()
    seen["form may lead there"] = f"form-action 'self' {ISSUER};" in page["Content-Security-Policy"] + ";"
    seen["a link alone starts nothing"] = Client().get(LOGIN).status_code
    sent = Client().post(LOGIN)["Location"]
    asked = parse_qs(urlsplit(sent).query)
    seen["asks the provider with PKCE"] = sent.startswith(f"{ISSUER}/authorize") and "code_challenge" in asked

    stranger = Client()
    sign_on(stranger, sub="1", email="alice@demo.example", email_verified=True, preferred_username="alice")
    seen["same address, never connected"] = [who(stranger), SocialAccount.objects.count(), User.objects.count()]

    mine = Client()
    mine.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    mine.post("/accounts/reauthenticate/", {"password": PASSWORD})
    sign_on(mine, process="connect", sub="1", email="someone@else.example")
    seen["connected"] = list(SocialAccount.objects.values_list("user__username", "uid"))

    again = Client()
    answer = sign_on(again, sub="1", email="someone@else.example", next_="//evil.example")
    seen["connected, logs in"] = [who(again), answer["Location"]]
    other = Client()
    sign_on(other, sub="2", email="alice@demo.example", email_verified=True)
    seen["another subject with the same address"] = who(other)

    replayed = Client()
    state = parse_qs(urlsplit(Client().post(LOGIN)["Location"]).query)["state"][0]
    CLAIMS.update(sub="1")
    replayed.get(CALLBACK, {"code": "c", "state": state})
    seen["somebody else's state"] = who(replayed)

    people.disable(actor=alice, person=alice)
    gone = Client()
    sign_on(gone, sub="1")
    seen["disabled"] = [who(gone), who(again)]
    seen["verbs"] = sorted(set(JournalEntry.objects.values_list("verb", flat=True)))
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
