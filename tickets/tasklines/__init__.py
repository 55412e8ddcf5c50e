"""The task-line language: plain text that reads as a tree of tickets, and back. Explained in docs/task-lines.md.

Pure: the standard library and nothing else, so that a command, a worker or another program may use it as it is.
"""

from tickets.tasklines.automation import Automation, Value
from tickets.tasklines.document import Document, Kind, Task, TaskLineError, TaskLinesRefused
from tickets.tasklines.reader import parse
from tickets.tasklines.writer import render

__all__ = [
    "Automation",
    "Document",
    "Kind",
    "Task",
    "TaskLineError",
    "TaskLinesRefused",
    "Value",
    "parse",
    "render",
]
