"""G9: of many edits of one ticket with the same version exactly one is saved, and no word of the others is lost."""

from collections import Counter

import pytest

from tests.tickets.crowd import crowd

pytestmark = [pytest.mark.security, pytest.mark.services]
PROCESSES, EACH = 8, 8


def test_of_sixty_four_edits_at_once_one_wins_and_the_others_get_both_texts(tmp_path, capsys) -> None:
    with crowd(tmp_path) as people:
        number = people.one("prepare")
        before = people.one("state", number)
        answers = people.all([("edit", number, str(EACH * at), str(EACH)) for at in range(PROCESSES)])
        after = people.one("state", number)
    edits = [edit for answer in answers for edit in answer]
    statuses = Counter(edit["status"] for edit in edits)
    won = [edit["index"] for edit in edits if edit["status"] == 302]
    refused = [edit for edit in edits if edit["status"] == 409]
    kept = sum(edit["texts"] == [sorted([*won, edit["index"]])] * 2 for edit in refused)
    new = after["history"] - before["history"]
    with capsys.disabled():
        print(
            f"\nG9 lost updates: {len(edits)} edits at once with one version, {statuses[302]} saved, {statuses[409]} "
            f"answered 409, {kept} of them with both texts, {new} new record of history"
        )
    assert dict(statuses) == {302: 1, 409: PROCESSES * EACH - 1}
    assert kept == PROCESSES * EACH - 1
    assert (new, after["version"], after["verbs"]["ticket.edited"]) == (1, 2, 1)
    assert (after["title"], after["description"]) == (f"title of {won[0]}", f"words of {won[0]}")
