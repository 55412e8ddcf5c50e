"""Two admins who disable and demote each other at the same moment, many times; run as a program by test_last_admin.

Prints how many rounds ended without an active Admin (0 is right), and in how many not exactly one was refused.
"""

import threading

import django

django.setup()

from django.contrib.auth.models import Group  # noqa: E402
from django.core.exceptions import ValidationError  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from people.actions import people  # noqa: E402
from people.models import User  # noqa: E402

ROUNDS = 15


def admins() -> int:
    return User.objects.active().filter(groups__name="Admin").count()


def against(person: User, actor: User, start: threading.Barrier, *, demote: bool, refused: list[str]) -> None:
    try:
        start.wait()
        if demote:
            people.set_groups(actor=actor, person=person, groups=["Manager"])
        else:
            people.disable(actor=actor, person=person)
    except ValidationError as problem:
        refused.append(problem.messages[0])
    finally:
        connection.close()


def main() -> None:
    call_command("migrate", verbosity=0)
    pair = [User.objects.create_user(f"{n}@demo.example", name=f"Admin {n}", username=f"a{n}") for n in range(2)]
    group, without, odd = Group.objects.get(name="Admin"), 0, 0
    for round_ in range(ROUNDS):
        User.objects.update(is_active=True)
        for user in pair:
            user.groups.set([group])
        start, refused = threading.Barrier(2), list[str]()
        more = {"demote": bool(round_ % 2), "refused": refused}
        threads = [threading.Thread(target=against, args=(pair[n], pair[1 - n], start), kwargs=more) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        without += admins() == 0
        odd += len(refused) != 1 or "last active Admin" not in refused[0]
    print(f"rounds {ROUNDS} without an admin {without} otherwise wrong {odd}")


if __name__ == "__main__":
    main()
