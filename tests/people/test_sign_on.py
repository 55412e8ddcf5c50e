"""Single sign-on by settings: a button, for people who connected it themselves, and for nobody else."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened in a Treeline of its own that has a provider configured."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **kept, "DJANGO_SETTINGS_MODULE": "tests.settings", "LOCAL": "on", "SECRET_KEY": secrets.token_urlsafe(60),
        "DATA_DIR": str(tmp_path_factory.mktemp("sign-on")), "NO_PROXY": "*",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.people.sign_on"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("button", True),
        ("form may lead there", True),
        ("a link alone starts nothing", 200),
        ("asks the provider with PKCE", True),
        ("same address, never connected", ["nobody", 0, 1]),
        ("connected", [["alice", "1"]]),
        ("connected, logs in", ["alice", "/"]),
        ("another subject with the same address", "nobody"),
        ("somebody else's state", "nobody"),
        ("disabled", ["nobody", "nobody"]),
        ("verbs", ["person.disabled", "person.logged_in", "person.sign_on_connected"]),
    ],
)
def test_single_sign_on(what: str, expected: object, seen: dict[str, Any]) -> None:
    assert seen[what] == expected
