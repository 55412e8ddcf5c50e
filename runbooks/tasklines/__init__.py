"""The task-line language: plain text that reads as a tree of tickets, and back. Explained in docs/task-lines.md.

Pure: the standard library and `core.characters`, which needs no more. So a command, a worker or another program may use
it as it is.
"""

from runbooks.tasklines.automation import Automation, Value
from runbooks.tasklines.document import Document, Kind, Task, TaskLineError, TaskLinesRefused
from runbooks.tasklines.reader import parse
from runbooks.tasklines.writer import render

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
