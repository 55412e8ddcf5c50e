"""Notifications."""

from django.urls import path

from comms.views import notifications

app_name = "comms"
urlpatterns = [
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/read/", notifications.read, name="read"),
    path("notifications/count/", notifications.count, name="count"),
]
