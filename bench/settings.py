"""The product's settings with a folder, a key and two reference pages of the benchmark's own."""

import os
import secrets
from pathlib import Path

from tests.folders import data_folder

os.environ.setdefault("LOCAL", "on")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(60))
os.environ.setdefault("DATA_DIR", data_folder("treeline-bench-"))

from config.settings import *  # noqa: F403
from config.settings import LOGGING, STATIC_ROOT, STORAGES, TEMPLATES

ROOT_URLCONF = "bench.urls"
ALLOWED_HOSTS = ["testserver"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
TEMPLATES[0]["DIRS"] = [*TEMPLATES[0]["DIRS"], Path(__file__).parent / "templates"]  # type: ignore[misc]
LOGGING["loggers"] = {"django": {"level": "CRITICAL"}}
STATIC_ROOT.mkdir(exist_ok=True)
