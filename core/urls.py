"""Health."""

from django.urls import path

from core.views import health

app_name = "core"
urlpatterns = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
]
