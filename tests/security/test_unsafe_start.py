"""G34: a dangerous configuration stops the start, each with one line that says what to do."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.security
ROOT = Path(__file__).resolve().parents[2]
KEY = secrets.token_urlsafe(60)
SAFE = {
    "SECRET_KEY": KEY, "BASE_URL": "https://ir.example.org", "ALLOWED_HOSTS": "ir.example.org", "PROXY_COUNT": "1",
    "DATABASE_URL": "postgres://treeline:x@127.0.0.1:1/treeline", "REDIS_URL": "redis://127.0.0.1:1/0",
}  # fmt: skip
LOCAL = {"SECRET_KEY": KEY, "LOCAL": "on"}
MISSING = None
MISTAKES: dict[str, tuple[dict[str, str | None], str]] = {
    "no key": ({"SECRET_KEY": MISSING}, "SECRET_KEY is not set"),
    "a short key": ({"SECRET_KEY": "k3y"}, "SECRET_KEY is too short"),
    "a simple key": ({"SECRET_KEY": "ab" * 40}, "too simple"),
    "a known key": ({"SECRET_KEY": "django-insecure-" + KEY}, "well-known"),
    "a weak old key": ({"SECRET_KEY_FALLBACKS": "changeme"}, "SECRET_KEY_FALLBACKS is too short"),
    "a weak audit key": ({"AUDIT_KEY": "audit"}, "AUDIT_KEY is too short"),
    "key and key file": ({"SECRET_KEY_FILE": "/dev/null"}, "SECRET_KEY or SECRET_KEY_FILE, not both"),
    "a key file that is not there": ({"SECRET_KEY": MISSING, "SECRET_KEY_FILE": "/nowhere/key"}, "cannot be read"),
    "debug": ({"DEBUG": "on"}, "DEBUG is only for LOCAL=on"),
    "a switch that is no yes and no no": ({"DEBUG": "maybe"}, "DEBUG must be on or off"),
    "any host": ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name the hosts"),
    "no host": ({"ALLOWED_HOSTS": " , "}, "ALLOWED_HOSTS must name the hosts"),
    "hosts without our own": ({"ALLOWED_HOSTS": "other.example"}, "the host of BASE_URL"),
    "no TLS": ({"BASE_URL": "http://ir.example.org"}, "BASE_URL must begin with https://"),
    "an address with a path": ({"BASE_URL": "https://ir.example.org/app"}, "without a path"),
    "SQLite in production": ({"DATABASE_URL": MISSING}, "needs PostgreSQL"),
    "another database": ({"DATABASE_URL": "mysql://x@y/z"}, "DATABASE_URL must begin with postgres://"),
    "a cache for each process": ({"REDIS_URL": MISSING}, "REDIS_URL is not set"),
    "a cache that is no Redis": ({"REDIS_URL": "memory://"}, "REDIS_URL must begin with redis://"),
    "known people and passwords": ({"DEMO": "on"}, "DEMO loads people with a published password"),
    "unknown proxies": ({"PROXY_COUNT": MISSING}, "PROXY_COUNT is not set"),
    "proxies that are no number": ({"PROXY_COUNT": "two"}, "PROXY_COUNT must be a whole number"),
    "passwords in clear to the mail server": (
        {"EMAIL_HOST": "mail", "EMAIL_HOST_PASSWORD": "x", "EMAIL_USE_TLS": "off"}, "EMAIL_USE_TLS must be on"),
    "logins from an unproven provider": ({"OIDC_ISSUER": "http://id.example.org"}, "OIDC_ISSUER must begin with https"),
    "a provider without credentials": ({"OIDC_ISSUER": "https://id.example.org"}, "OIDC_CLIENT_ID"),
    "a second factor for no group": ({"MFA_REQUIRED_GROUPS": "Admins"}, "MFA_REQUIRED_GROUPS names 'Admins'"),
}  # fmt: skip
SHOW = """
import django; django.setup()
from django.conf import settings as s
print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.DEBUG, s.CELERY_ACCEPT_CONTENT,
      s.SECURE_HSTS_SECONDS > 0, 'Redis' in s.CACHES['default']['BACKEND'],
      'postgres' in s.DATABASES['default']['ENGINE'])
"""


def start(
    folder: Path, base: dict[str, str], changes: dict[str, str | None], *, code: str = "import django; django.setup()"
) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    wanted = {**base, "DATA_DIR": str(folder), **changes}
    environment = {**kept, **{name: value for name, value in wanted.items() if value is not None}}
    environment["DJANGO_SETTINGS_MODULE"] = "config.settings"
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_dangerous_configuration_stops_the_start(mistake: str, tmp_path: Path) -> None:
    changes, reason = MISTAKES[mistake]
    tmp_path.chmod(0o700)
    refused = start(tmp_path, SAFE, changes)
    assert refused.returncode != 0
    last = refused.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: ")
    assert reason in last
    assert KEY not in refused.stdout + refused.stderr


def test_files_that_everybody_on_the_machine_reads_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for folder in (tmp_path, tmp_path / "files"):
        tmp_path.chmod(0o700)
        folder.chmod(0o755)
        refused = start(tmp_path, SAFE, {})
        assert refused.returncode != 0
        assert f"Run: chmod o-rwx {folder}" in refused.stderr.strip().splitlines()[-1]


def test_a_safe_configuration_starts_with_every_guard_on(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    started = start(tmp_path, SAFE, {}, code=SHOW)
    assert started.stdout.split("\n")[0] == "True True True False ['json'] True True True", started.stderr[-2000:]


def test_one_machine_starts_with_nothing_but_a_key(tmp_path: Path) -> None:
    assert start(tmp_path, LOCAL, {}).returncode == 0


def test_a_key_may_come_from_a_file_where_its_own_name_is_set_but_empty(tmp_path: Path) -> None:
    data, key = tmp_path / "data", tmp_path / "key"
    data.mkdir(mode=0o700)
    key.write_text(KEY)
    started = start(data, SAFE, {"SECRET_KEY": "", "SECRET_KEY_FILE": str(key)}, code=SHOW)
    assert started.stdout.startswith("True True True False"), started.stderr[-2000:]


def test_the_number_of_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nG34 {len(MISTAKES) + 2} misconfigurations: all stop the start")
    assert len(MISTAKES) + 2 >= 15
