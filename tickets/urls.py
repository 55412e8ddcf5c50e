"""The tree of an incident, its tickets, what is said on them and attached to them."""

from django.urls import path

from tickets.views import (
    attachments,
    blockers,
    board,
    bulk,
    changes,
    comments,
    handovers,
    headlines,
    leads,
    looks,
    merging,
    moves,
    purging,
    shifts,
    table,
    tags,
    tickets,
    times,
    tree,
    undo,
    watches,
    writing,
)
from tickets.views import (
    map as maps,
)

app_name = "tickets"
ROOT = "incidents/<str:number>/"
TICKET = f"{ROOT}tickets/<int:ticket>/"
urlpatterns = [
    path(f"{ROOT}tree/", tree.tree, name="tree"),
    path(f"{ROOT}tree/rows/", tree.rows, name="rows"),
    path(f"{ROOT}tree/map/", maps.tree_map, name="map"),
    path(f"{ROOT}board/", board.board, name="board"),
    path(f"{ROOT}tree/look/", looks.look, name="look"),
    path(f"{ROOT}leads/", leads.leads, name="leads"),
    path(f"{ROOT}tree/table/", table.table, name="table"),
    path(f"{ROOT}tree/table/csv/", table.table_csv, name="table_csv"),
    path(f"{ROOT}tickets/next/", tree.next_up, name="next"),
    path(f"{ROOT}tickets/add/", tickets.add, name="add"),
    path(f"{ROOT}tickets/drop/", moves.drop_all, name="drop_all"),
    path(f"{ROOT}tickets/drop/undo/<int:entry>/", undo.undo_drop_all, name="undo_drop_all"),
    path(f"{ROOT}tickets/bulk/", bulk.bulk, name="bulk"),
    path(f"{ROOT}tickets/bulk/undo/<int:entry>/", undo.undo_batch, name="undo_batch"),
    path(f"{ROOT}undo/", undo.undo_last, name="undo_last"),
    path(f"{ROOT}merge/", merging.merge, name="merge"),

    path(f"{ROOT}comments/", comments.talk, name="talk"),
    path(f"{ROOT}comments/add/", comments.say, name="say"),
    path(f"{ROOT}files/add/", attachments.attach_here, name="attach_here"),
    path(f"{ROOT}preview/", writing.preview, name="preview"),
    path(f"{ROOT}people/", writing.people, name="people"),

    path(TICKET, tickets.ticket, name="ticket"),
    path(f"{TICKET}edit/", tickets.edit, name="edit"),
    path(f"{TICKET}assign/", changes.assign, name="assign"),
    path(f"{TICKET}status/", changes.status, name="status"),
    path(f"{TICKET}lead/", changes.lead, name="lead"),
    path(f"{TICKET}move/", moves.move, name="move"),
    path(f"{TICKET}drop/", moves.drop, name="drop"),
    path(f"{TICKET}delete/", purging.delete, name="delete"),
    path(f"{TICKET}tree/", tree.subtree, name="subtree"),
    path(f"{TICKET}headline/", headlines.headline, name="headline"),
    path(f"{TICKET}tags/", tags.tags, name="tags"),
    path(f"{TICKET}watch/", watches.watch, name="watch"),
    path(f"{TICKET}blockers/add/", blockers.block, name="block"),
    path(f"{TICKET}blockers/<int:blocker>/remove/", blockers.unblock, name="unblock"),
    path(f"{TICKET}time/add/", times.log_time, name="log_time"),
    path(f"{TICKET}time/<int:spent>/remove/", times.remove_time, name="remove_time"),
    path(f"{TICKET}undo/<int:entry>/", undo.undo, name="undo"),

    path(f"{TICKET}handover/", handovers.hand_over, name="hand_over"),
    path(f"{ROOT}handovers/<int:handover>/accept/", handovers.accept, name="accept"),
    path(f"{ROOT}handovers/<int:handover>/decline/", handovers.decline, name="decline"),
    path(f"{ROOT}handovers/<int:handover>/withdraw/", handovers.withdraw, name="withdraw"),
    path(f"{ROOT}shifts/", shifts.shifts, name="shifts"),
    path(f"{ROOT}shifts/new/", shifts.write_shift, name="write_shift"),
    path(f"{ROOT}shifts/<int:shift>/", shifts.shift, name="shift"),

    path(f"{TICKET}comments/add/", comments.comment, name="comment"),
    path(f"{TICKET}comments/<int:comment>/history/", comments.comment_history, name="comment_history"),
    path(f"{TICKET}comments/<int:comment>/edit/", comments.edit_comment, name="edit_comment"),
    path(f"{TICKET}comments/<int:comment>/report/", comments.report_comment, name="report_comment"),
    path(f"{TICKET}files/add/", attachments.attach, name="attach"),
    path(f"{TICKET}files/<uuid:attachment>/", attachments.download, name="download"),
]  # fmt: skip
