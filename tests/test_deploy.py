"""What runs Treeline for real agrees with its settings: Compose, the image and the guide."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
OURS = {"prepare", "web", "worker", "beat"}
READERS = {"flag", "folder", "number", "origin", "redis", "secret", "text", "words"}
# Given by the image (DATA_DIR), made from it (ANCHOR_FILE, SCRIPTS_DIR), or refused in production.
NOT_BY_COMPOSE = {"DATA_DIR", "ANCHOR_FILE", "SCRIPTS_DIR", "LOCAL", "DEMO", "DEBUG"}
REQUIRED = {"SECRET_KEY", "HOST_NAME", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "MAIL_FROM"}
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::([-?])([^}]*))?\}")


class Default(NamedTuple):
    """What a setting is where nobody set it; None where the code works it out."""

    value: str | None


def settings_read() -> dict[str, Default]:
    """Every variable that config/settings.py reads, with its default."""
    found: dict[str, Default] = {}
    for node in ast.walk(ast.parse((ROOT / "config/settings.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in READERS:
            name = node.args[0]
            assert isinstance(name, ast.Constant)
            known = found.get(str(name.value), Default(""))
            found[str(name.value)] = known if known.value else default_of(node)
    return found


def default_of(call: ast.Call) -> Default:
    given = [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == "default")]
    if not given:
        return Default("")
    if not isinstance(given[0], ast.Constant):
        return Default(None)
    value = given[0].value
    return Default(("off", "on")[value] if isinstance(value, bool) else str(value))


def environment() -> dict[str, str]:
    """The variables that the services of ours share, as docker-compose.yml writes them."""
    block = re.search(r"^  environment: &environment\n((?:    .*\n)+)", COMPOSE, re.MULTILINE)
    assert block
    return dict(re.findall(r"^    ([A-Z0-9_]+): (.*)$", block[1], re.MULTILINE))


def services() -> dict[str, str]:
    """Each service and the lines below its name."""
    block = COMPOSE.split("\nservices:\n")[1].split("\nvolumes:\n")[0]
    parts = re.split(r"^  ([a-z]+):\n", block, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def example() -> dict[str, str]:
    """What .env.example names."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled(value: str, given: dict[str, str]) -> str:
    """A value as compose hands it over: `given`, or the default; what is empty counts as missing, as the colon says."""
    return VARIABLE.sub(lambda found: given.get(found[1]) or (found[3] if found[2] == "-" else ""), value)


def test_every_setting_reaches_every_service_of_ours() -> None:
    assert set(environment()) == set(settings_read()) - NOT_BY_COMPOSE
    found = services()
    assert {name for name, lines in found.items() if "    <<: *treeline\n" in lines} == OURS
    # One of its own would take the place of the shared one, whole.
    assert not [name for name in OURS if re.search(r"^    environment:", found[name], re.MULTILINE)]


def test_a_variable_carries_the_name_it_is_read_by() -> None:
    made = {"BASE_URL", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"}  # of HOST_NAME and the passwords
    for name, value in environment().items():
        if name not in made:
            assert [found[1] for found in VARIABLE.finditer(value)] == [name]


def test_compose_knows_no_other_defaults_than_the_settings() -> None:
    known = settings_read()
    told = {name: VARIABLE.fullmatch(value) for name, value in environment().items() if name != "PROXY_COUNT"}
    for name, found in told.items():
        if found and found[2] == "-" and known[name].value is not None:
            assert (name, found[3]) == (name, known[name].value)


def test_nothing_secret_has_a_default_and_what_is_required_is_asked_for() -> None:
    for found in VARIABLE.finditer(COMPOSE):
        if found[1] in REQUIRED:
            assert (found[1], found[2]) == (found[1], "?")
        elif found[1].endswith(("_KEY", "PASSWORD", "SECRET", "FALLBACKS")):
            assert (found[1], found[3]) == (found[1], "")
    assert {found[1] for found in VARIABLE.finditer(COMPOSE) if found[2] == "?"} == REQUIRED


def test_the_example_names_what_compose_reads_and_fills_in_no_secret() -> None:
    named = {found[1] for found in VARIABLE.finditer(COMPOSE)}
    assert set(example()) <= named
    assert set(example()) >= REQUIRED
    assert [example()[name] for name in sorted(REQUIRED)] == [""] * len(REQUIRED)


def start(given: dict[str, str], data: Path) -> subprocess.CompletedProcess[str]:
    """Start Django with exactly what compose would give to a service."""
    handed = {name: filled(value.strip("'\""), given) for name, value in environment().items()}
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=ROOT, text=True, capture_output=True, check=False,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(data), **handed},
    )  # fmt: skip


def test_what_the_example_asks_for_is_enough_to_start(tmp_path: Path) -> None:
    random = "0123456789abcdef" * 5
    told = {name: value or random for name, value in example().items() if value or name in REQUIRED}
    given = {**told, "HOST_NAME": "ir.example.org", "MAIL_FROM": "treeline@example.org"}
    assert start(given, tmp_path).stderr == ""
    refused = start({**given, "SECRET_KEY": "short"}, tmp_path)
    assert (refused.returncode, "SECRET_KEY is too short" in refused.stderr) == (1, True)


def test_the_deploy_guide_has_a_row_for_every_setting_and_for_nothing_else() -> None:
    guide = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    table = guide.split("\n## Settings\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)} == set(settings_read())


def ignored(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line.rstrip("/") for line in lines if line and not line.startswith(("#", "!"))]


@pytest.mark.parametrize("pattern", ignored(".gitignore"))
def test_what_git_does_not_know_stays_out_of_the_image(pattern: str) -> None:
    # To git a name without a slash means any folder; to Docker, the top one alone.
    assert (pattern if "/" in pattern else f"**/{pattern}") in ignored(".dockerignore")
