"""Two clicks at the same moment on one form."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client

from incidents.models import DayCounter, Incident
from people.models import User

CLICKS = 8


@pytest.mark.services
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_eight_clicks_at_once_make_one_incident_and_use_one_number():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite in memory has one connection: this is for PostgreSQL (python -m tests.servers).")
    group = Group.objects.get_or_create(name="Responder")[0]  # a test before this one may have emptied the tables
    group.permissions.add(Permission.objects.get(codename="respond"))
    alice = User.objects.create_user("alice@demo.example", "correct horse battery", username="alice", name="Alice")
    alice.groups.add(group)
    clients = [Client() for _ in range(CLICKS)]
    for client in clients:
        client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    start = Barrier(CLICKS)

    def click(client):
        start.wait()
        try:
            return client.post("/incidents/new/", {"title": "Odd logins", "key": "a" * 32})["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(CLICKS) as pool:
        places = set(pool.map(click, clients))
    assert places == {Incident.objects.get().get_absolute_url()}
    assert DayCounter.objects.get().last == 1
    print(f"{CLICKS} clicks at once: 1 incident, 1 number")
