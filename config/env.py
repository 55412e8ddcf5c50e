"""Reading settings from the environment, refusing nonsense at start with one clear line (G34)."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

KNOWN_SECRETS = ("django-insecure", "changeme", "secret", "password", "treeline", "i 4m th3", "sup3r_s3cr3t")
TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}


def flag(name: str, *, default: bool) -> bool:
    """A yes or no from the environment; anything else stops the start."""
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")


def text(name: str, default: str = "") -> str:
    """A setting, or the content of the file named by NAME_FILE (for secrets mounted as files)."""
    path = os.environ.get(f"{name}_FILE")
    if path and os.environ.get(name):
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
    if path:
        try:
            return Path(path).read_text().strip()
        except OSError as problem:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {problem.strerror}.") from problem
    return os.environ.get(name, default).strip()


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    """A whole number between two bounds."""
    value = text(name, str(default))
    try:
        found = int(value)
    except ValueError as problem:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from problem
    if not least <= found <= most:
        raise ImproperlyConfigured(f"{name} must be between {least} and {most}, not {found}.")
    return found


def secret(name: str, *, value: str = "") -> str:
    """A key of at least 50 characters that is on no list of well-known keys; `value` where it was read already."""
    value = value or text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Make one with: openssl rand -base64 60")
    if len(value) < 50 or len(set(value)) < 12:
        raise ImproperlyConfigured(f"{name} is too short or too simple: 50 random characters or more.")
    if any(known in value.lower() for known in KNOWN_SECRETS):
        raise ImproperlyConfigured(f"{name} is a well-known example key. Make one with: openssl rand -base64 60")
    return value


def origin(name: str, default: str) -> str:
    """An http(s) address without a path, as links are made from it."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
        raise ImproperlyConfigured(f"{name} must be an address like https://ir.example.org, without a path.")
    return value


def redis(name: str) -> str:
    """A Redis address, or nothing."""
    value = text(name)
    if value and urlsplit(value).scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(f"{name} must begin with redis:// or rediss://.")
    return value


def folder(name: str, default: Path, *, private: bool) -> Path:
    """A folder that is ours, made if missing; `private` refuses one that every account of the machine may read."""
    path = Path(text(name) or default).resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ImproperlyConfigured(f"{name} cannot be made at {path}: {problem.strerror}.") from problem
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name} at {path} cannot be written.")
    for place in (path, path / "files"):
        if private and place.exists() and place.stat().st_mode & 0o007:
            raise ImproperlyConfigured(f"{place} is open to every account of this machine. Run: chmod o-rwx {place}")
    return path


def database(url: str, data_dir: Path) -> dict[str, object]:
    """Django's settings for a database URL: sqlite (default, under the data folder) or postgres://."""
    if not url:
        return {
            "ENGINE": "core.sqlite",
            "NAME": data_dir / "treeline.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL must begin with postgres://, not {parts.scheme}://.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "treeline",
            "options": "-c statement_timeout=30000",
            **dict(parse_qsl(parts.query)),
        },
    }
