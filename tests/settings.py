"""The product's settings with the environment of a test run: one machine, a fast hasher, N+1 queries are errors."""

import os
import secrets

from tests.folders import data_folder

os.environ.setdefault("LOCAL", "on")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(60))
os.environ.setdefault("DATA_DIR", data_folder("treeline-tests-"))

from config.settings import *  # noqa: F403
from config.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE, STATIC_ROOT, STORAGES

STATIC_ROOT.mkdir(exist_ok=True)
if DATABASES["default"]["ENGINE"] == "core.sqlite":
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}  # pytest-django assumes that of Django's own engine alone
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
INSTALLED_APPS += ["zeal"]
MIDDLEWARE += ["zeal.middleware.zeal_middleware"]
ZEAL_RAISE = True
ZEAL_ALLOWLIST = [  # allauth walks over a person's sessions one by one at login
    {"model": "people.Session", "field": "get()"},
    {"model": "people.User", "field": "get()"},
]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
