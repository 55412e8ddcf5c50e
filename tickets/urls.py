"""The tree of an incident, its tickets, what is said on them and attached to them."""

from django.urls import path

from tickets.views import attachments, changes, comments, merging, moves, tickets, tree, undo

app_name = "tickets"
ROOT = "incidents/<str:number>/"
TICKET = f"{ROOT}tickets/<int:ticket>/"
urlpatterns = [
    path(f"{ROOT}tree/", tree.tree, name="tree"),
    path(f"{ROOT}tree/rows/", tree.rows, name="rows"),
    path(f"{ROOT}tickets/next/", tree.next_up, name="next"),
    path(f"{ROOT}tickets/add/", tickets.add, name="add"),
    path(f"{ROOT}tickets/drop/", moves.drop_all, name="drop_all"),
    path(f"{ROOT}tickets/drop/undo/<int:entry>/", undo.undo_drop_all, name="undo_drop_all"),
    path(f"{ROOT}undo/", undo.undo_last, name="undo_last"),
    path(f"{ROOT}merge/", merging.merge, name="merge"),

    path(TICKET, tickets.ticket, name="ticket"),
    path(f"{TICKET}edit/", tickets.edit, name="edit"),
    path(f"{TICKET}assign/", changes.assign, name="assign"),
    path(f"{TICKET}status/", changes.status, name="status"),
    path(f"{TICKET}lead/", changes.lead, name="lead"),
    path(f"{TICKET}move/", moves.move, name="move"),
    path(f"{TICKET}drop/", moves.drop, name="drop"),
    path(f"{TICKET}undo/<int:entry>/", undo.undo, name="undo"),

    path(f"{TICKET}comments/add/", comments.comment, name="comment"),
    path(f"{TICKET}comments/<int:comment>/edit/", comments.edit_comment, name="edit_comment"),
    path(f"{TICKET}comments/<int:comment>/report/", comments.report_comment, name="report_comment"),
    path(f"{TICKET}files/add/", attachments.attach, name="attach"),
    path(f"{TICKET}files/<uuid:attachment>/", attachments.download, name="download"),
]  # fmt: skip
