"""Several pages of one restricted incident, opened by one person at the same moment; run as a program by test_reading.

Prints how many incidents were opened, how many requests failed, and how many incidents have not exactly one entry.
"""

import threading

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from core.models import JournalEntry  # noqa: E402
from core.verify import verify  # noqa: E402
from incidents.actions.incidents import open_incident  # noqa: E402
from people.models import User  # noqa: E402

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ROUNDS, TABS = 12, 4


def look(client: Client, url: str, start: threading.Barrier, failed: list[int]) -> None:
    try:
        start.wait()
        status = client.get(url).status_code
        if status != 200:
            failed.append(status)
    finally:
        connection.close()


def main() -> None:
    call_command("migrate", verbosity=0)
    alice = User.objects.create_user("alice@demo.example", name="Alice Example", username="alice")
    clients = [Client(SERVER_NAME="localhost", raise_request_exception=False) for _ in range(TABS)]
    for client in clients:
        client.force_login(alice, backend=BACKEND)
    wrong, failed = 0, list[int]()
    for round_ in range(ROUNDS):
        incident = open_incident(
            actor=alice, title=f"Insider {round_}", reporter=alice, commander=alice, restricted=True
        )
        start, url = threading.Barrier(TABS), f"{incident.get_absolute_url()}members/"
        threads = [threading.Thread(target=look, args=(client, url, start, failed)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wrong += JournalEntry.objects.filter(verb="incident.viewed", target_id=str(incident.pk)).count() != 1
    verify()
    print(f"opened {ROUNDS} failed {len(failed)} not written down once {wrong}")


if __name__ == "__main__":
    main()
